using Gradpath.Kernels.Cuda.Driver;
using static Gradpath.Kernels.KernelConstants;

namespace Gradpath.Kernels.Cuda;

// The matrix product on the GPU. GemmPlan chooses a tile kernel (GemmTile) and a split of the inner dimension from the shape alone, so that
// results repeat bit for bit on one model of GPU; addresses and strides choose only how the operands are copied to shared memory.
public sealed partial class CudaDevice
{
    /// <summary>
    /// Room for the partial sums of products whose inner dimension is split: allocated once, when the first of them comes, and used by one
    /// product at a time, which is how the stream runs them. A split that would need more is not made; the edge contraction works through
    /// its slices in turns.
    /// </summary>
    internal const long PartialsBytes = 32L << 20;

    private const int MostInZ = 65_535;
    private const int SharedBytesWithoutLeave = 48 << 10;

    private readonly Dictionary<(GemmTile Tile, bool TransposedB), Kernel> _gemmTiles = [];
    private Kernel? _gemmPlain, _gemmAddSplits;

    /// <summary>How products are multiplied: by the options, or as a test wants it.</summary>
    internal GemmArithmetic Arithmetic { get; set; }

    /// <summary>A plan for every product in place of the chosen one, for checks and benchmarks of one kernel; it also
    /// keeps cuBLAS out. Null for the choice.</summary>
    internal Func<GemmShape, GemmPlan>? ForcedPlan { get; set; }

    /// <summary>
    /// How much of <see cref="PartialsBytes"/> is used: all of it, or less where a test wants the paths of larger products.
    /// </summary>
    internal long PartialsLimit { get; set; } = PartialsBytes;

    /// <summary>The plans of products, and what they weigh of the GPU.</summary>
    internal GemmPlans Plans { get; }

    /// <summary>The arithmetic that options ask for, or that is faster on the GPU.</summary>
    /// <param name="options">The options.</param>
    /// <param name="faster">The fastest one for float32.</param>
    /// <param name="onTensorCores">The faster one of those on tensor cores.</param>
    /// <returns>How products are multiplied.</returns>
    internal static GemmArithmetic ArithmeticOf(CudaOptions options, GemmArithmetic faster, GemmArithmetic onTensorCores) =>
        options.Precision switch
        {
            MatrixPrecision.Tf32 => GemmArithmetic.Tf32,
            MatrixPrecision.BFloat16 => GemmArithmetic.Bf16,
            _ when !(options.TensorCores ?? faster != GemmArithmetic.Ffma) => GemmArithmetic.Ffma,
            _ => options.TensorProducts switch
            {
                MatrixProvider.Tf32x3 => GemmArithmetic.Tf32x3,
                MatrixProvider.Fp16x3 => GemmArithmetic.Fp16x3,
                _ => onTensorCores,
            },
        };

    /// <summary>The plan of a product, as it is chosen where nothing is forced.</summary>
    /// <param name="shape">The product.</param>
    /// <param name="transposedB">Whether B is stored with k contiguous.</param>
    /// <param name="packed">Whether B is there in packed form besides.</param>
    /// <returns>The plan; found without allocation where it has been asked for before.</returns>
    internal GemmPlan PlanOf(in GemmShape shape, bool transposedB, bool packed = false) => packed && PackedOnly
        ? GemmPlan.Split(GemmTile.Packed, shape.K, 1)
        : Plans.Of(new GemmPlanKey(shape, Arithmetic, transposedB && Arithmetic != GemmArithmetic.Ffma, PartialsLimit, packed));

    private protected override void GemmCore(in Matrix a, in Matrix b, in Matrix c, in GemmOptions options)
    {
        if (_cublas is not null && ForcedPlan is null)
        {
            CublasProduct(a, b, c, options);
            return;
        }
        var shape = new GemmShape(c.Rows, c.Columns, a.OperandColumns, options.Batch);
        PackedPlace? packed = options.Batch <= MostInZ ? FindPacked(a, b, options) : null;
        GemmPlan plan = ForcedPlan?.Invoke(shape) ?? PlanOf(shape, b.Transposed, packed is not null);
        for (int first = 0; first < options.Batch; first += MostInZ)
        {
            int count = Math.Min(MostInZ, options.Batch - first);
            Matrix aPart = a with { Offset = a.Offset + (first * options.StepA) };
            Matrix bPart = b with { Offset = b.Offset + (first * options.StepB) };
            Matrix cPart = c with { Offset = c.Offset + (first * options.StepC) };
            if (plan.Tile is null) MultiplyPlain(aPart, bPart, cPart, options with { Batch = count });
            else MultiplyTiles(plan, aPart, bPart, packed, cPart, options with { Batch = count });
        }
    }

    private protected override void GemmActivateCore(
        in Matrix a, in Matrix b, in Matrix x, Tensor bias, ActivationFunction function, Tensor output)
    {
        var epilogue = new Epilogue(EpilogueGelu, output, 1);
        if (function != ActivationFunction.GeluTanh || !MultiplyWith(epilogue, a, b, x, new GemmOptions(Bias: bias, Batch: 1)))
        {
            MultiplyThenActivate(a, b, x, bias, function, output);
        }
    }

    private protected override void GemmMultiplyCore(in Matrix a, in Matrix b, in Matrix c, Tensor factors, int factorRows)
    {
        var epilogue = new Epilogue(EpilogueMultiply, factors, factorRows);
        if (!MultiplyWith(epilogue, a, b, c, new GemmOptions(Batch: 1))) MultiplyThenMultiplyRows(a, b, c, factors, factorRows);
    }

    // What follows goes with the product where one kernel ends it: not behind cuBLAS, the plain kernel and sums of many shares.
    private bool MultiplyWith(in Epilogue epilogue, in Matrix a, in Matrix b, in Matrix c, in GemmOptions options)
    {
        if (_cublas is not null && ForcedPlan is null) return false;
        var shape = new GemmShape(c.Rows, c.Columns, a.OperandColumns, 1);
        PackedPlace? packed = FindPacked(a, b, options);
        GemmPlan plan = ForcedPlan?.Invoke(shape) ?? PlanOf(shape, b.Transposed, packed is not null);
        if (plan.Tile is null || (plan.Splits > 1 && !plan.AddsInPlace(shape))) return false;
        MultiplyTiles(plan, a, b, packed, c, options, epilogue);
        return true;
    }

    private void MultiplyPlain(in Matrix a, in Matrix b, in Matrix c, in GemmOptions options)
    {
        (long rowA, long depthA) = a.Transposed ? (1L, (long)a.Stride) : (a.Stride, 1L);
        (long depthB, long columnB) = b.Transposed ? (1L, (long)b.Stride) : (b.Stride, 1L);
        Launch(
            Load(ref _gemmPlain, "Gemm", "gemmPlain"),
            (checked(Blocks(c.Rows, PlainSide) * Blocks(c.Columns, PlainSide)), 1, options.Batch),
            PlainSide * PlainSide,
            0,
            AddressOf(a), AddressOf(b), AddressOf(c), options.Bias, options.StepA, options.StepB, options.StepC,
            c.Rows, c.Columns, a.OperandColumns, rowA, depthA, depthB, columnB, c.Stride, options.Accumulate ? 1 : 0);
    }

    private void MultiplyTiles(
        in GemmPlan plan, in Matrix a, in Matrix b, PackedPlace? packed, in Matrix c, in GemmOptions options,
        in Epilogue epilogue = default)
    {
        GemmTile tile = plan.Tile!;
        var shape = new GemmShape(c.Rows, c.Columns, a.OperandColumns, options.Batch);
        bool addsInPlace = plan.AddsInPlace(shape);
        (int, int, int) grid =
            (checked(Blocks(c.Rows, tile.Rows) * Blocks(c.Columns, tile.Columns)), plan.Splits, options.Batch);
        nint partials = plan.Splits > 1 ? Partials : 0, arrived = addsInPlace ? Arrived : 0;
        int wideC = CopyAlong(c, options.StepC) == CopyWide && RowSplit.Aligned(epilogue.Other?.Address ?? 0) ? 1 : 0;
        if (tile.IsPacked)
        {
            PackedPlace place = packed ?? throw new DeviceException(
                $"{Name}: {tile.KernelName(false)} takes a packed B, and rows of A as they are stored that start at multiples of 16 bytes");
            Launch(
                LoadTile(tile, false), grid, tile.Threads, tile.SharedBytes(false),
                AddressOf(a), place.Halves, place.Back, AddressOf(c), options.Bias, partials, options.StepA, place.Step, options.StepC,
                c.Rows, c.Columns, a.OperandColumns, a.Stride, place.Chunks, c.Stride, wideC,
                options.Accumulate ? 1 : 0, plan.Depth, arrived, epilogue.Kind, epilogue.Other, epilogue.OtherRows);
        }
        else
        {
            bool outerMajor = tile.Arithmetic == GemmArithmetic.Ffma;
            int copyA = a.Transposed == outerMajor ? CopyAlong(a, options.StepA) : CopyTransposed;
            int copyB = outerMajor && b.Transposed ? CopyTransposed : CopyAlong(b, options.StepB);
            Launch(
                LoadTile(tile, b.Transposed), grid, tile.Threads, tile.SharedBytes(b.Transposed),
                AddressOf(a), AddressOf(b), AddressOf(c), options.Bias, partials, options.StepA, options.StepB, options.StepC,
                c.Rows, c.Columns, a.OperandColumns, a.Stride, b.Stride, c.Stride, copyA, copyB, wideC,
                options.Accumulate ? 1 : 0, plan.Depth, arrived, epilogue.Kind, epilogue.Other, epilogue.OtherRows);
        }
        if (plan.Splits == 1 || addsInPlace) return;
        Launch(
            Load(ref _gemmAddSplits, "Gemm", "gemmAddSplits"),
            (Blocks((long)shape.M * shape.PartialPitch, AddSplitsThreads), 1, options.Batch),
            AddSplitsThreads,
            0,
            Partials, AddressOf(c), options.Bias, options.StepC, c.Rows, c.Columns, plan.Splits, c.Stride, options.Accumulate ? 1 : 0);
    }

    private Kernel LoadTile(GemmTile tile, bool transposedB)
    {
        bool layout = transposedB && tile.HasLayouts;
        if (_gemmTiles.TryGetValue((tile, layout), out Kernel? kernel)) return kernel;
        kernel = Load(ref kernel, tile.File, tile.KernelName(layout), tile.SharedBytes(layout));
        _gemmTiles.Add((tile, layout), kernel);
        return kernel;
    }

    // What the driver says of a tile on a GPU that the table of capabilities lacks.
    private int ResidentBlocks(GemmTile tile, bool transposedB)
    {
        nint function = LoadTile(tile, transposedB).Function;
        try
        {
            return Math.Max(1, _driver.ResidentBlocks(function, tile.Threads, tile.SharedBytes(transposedB)));
        }
        catch (CudaException e)
        {
            throw new DeviceException($"{Name}: {tile.KernelName(transposedB)}: {e.Message}", e);
        }
    }

    private static nint AddressOf(in Matrix m) => m.Storage.Address + (nint)(m.Offset * sizeof(float));

    private static int CopyAlong(in Matrix m, long step) =>
        AddressOf(m) % 16 == 0 && m.Stride % 4 == 0 && step % 4 == 0 ? CopyWide : CopySingle;

    /// <summary>What follows a product in the same kernel.</summary>
    /// <param name="Kind">0 for nothing.</param>
    /// <param name="Other">What it reads or writes besides C, of C's width.</param>
    /// <param name="OtherRows">Rows of that, where it is read; row r of C takes number r mod these.</param>
    private readonly record struct Epilogue(int Kind, Tensor? Other, int OtherRows);
}
