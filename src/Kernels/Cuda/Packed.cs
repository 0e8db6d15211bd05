using Gradpath.Kernels.Cuda.Driver;
using static Gradpath.Kernels.KernelConstants;

namespace Gradpath.Kernels.Cuda;

// Factors of products that do not change are packed once, which compute capability 9.0 multiplies faster: by its own instructions, from a
// form that needs no work in the product's loop. Where anything speaks against it, products are as on other GPUs.
public sealed partial class CudaDevice
{
    // Packed factors take as much memory as the matrices, once for each way that they are read.
    private const int ShareOfFreeMemory = 4;

    // The product that is checked before any is trusted: rows of both warpgroups, a tile and a part across, and k that ends within a step.
    private const int CheckedRows = 72, CheckedColumns = 200, CheckedDepth = 164;

    private readonly Dictionary<(Tensor Storage, bool Transposed), PackedFactor> _packed = [];
    private Kernel? _packFactor;
    private bool _packedChecked, _packedFailed;

    /// <summary>Why products of packed factors are not used though the GPU has the instructions; null where nothing speaks against them or
    /// the GPU lacks them.</summary>
    internal string? PackedRefusal { get; private set; }

    /// <summary>Whether the GPU has the instructions of products with packed factors.</summary>
    internal bool KnowsSm90a => _info is { Major: 9, Minor: 0 };

    /// <summary>Whether every product with a packed factor is done by the packed tile, for checks of that tile.</summary>
    internal bool PackedOnly { get; set; }

    /// <summary>Whether a product is checked before packed factors are used; not where a driver that computes nothing counts.</summary>
    internal bool ChecksPacked { get; init; } = true;

    private bool MayPack => KnowsSm90a && Arithmetic == GemmArithmetic.Fp16x3 && _cublas is null;

    /// <inheritdoc />
    internal override IDisposable? PrepareFactors(IReadOnlyList<Matrix> factors)
    {
        if (!MayPack || IsPlanning || _packedFailed) return null;
        long bytes = factors.Sum(f => PackedFactor.BytesOf(f));
        PackedRefusal = bytes > FreeMemory / ShareOfFreeMemory
            ? $"packed weights would take {Size(bytes)}, more than a quarter of what is free"
            : null;
        if (PackedRefusal is not null) return null;
        try
        {
            if (ChecksPacked && !_packedChecked)
            {
                PackedRefusal = CheckPacked();
                _packedChecked = true;
                _packedFailed = PackedRefusal is not null;
            }
            return _packedFailed ? null : PackFactors(factors);
        }
        catch (DeviceException e) when (!_failed)
        {
            // What is refused, memory above all, leaves products to the other kernels; a fault of the GPU ends everything.
            PackedRefusal = e.Message;
            return null;
        }
    }

    /// <summary>Packs factors, whatever the check says.</summary>
    /// <param name="factors">Matrices as factor B.</param>
    /// <returns>What holds the packed forms.</returns>
    /// <exception cref="DeviceException">The GPU has no such products, or no room.</exception>
    internal IDisposable PackFactors(IReadOnlyList<Matrix> factors)
    {
        if (!KnowsSm90a)
        {
            throw new DeviceException(
                $"{Name}: products of packed factors need compute capability 9.0; this is {_info.Major}.{_info.Minor}");
        }
        PackedFactors all = new(this);
        try
        {
            foreach (Matrix factor in factors) all.Add(Pack(factor));
            return all;
        }
        catch
        {
            all.Dispose();
            throw;
        }
    }

    // One product by the instructions of 9.0 against float64, once: a driver that does not know them, or another result than expected,
    // leaves products to the kernels that all GPUs have.
    private string? CheckPacked()
    {
        float[] a = new float[CheckedRows * CheckedDepth], b = new float[CheckedDepth * CheckedColumns];
        for (int i = 0; i < a.Length; i++) a[i] = ((i * 37 % 211) - 105) * 0.0173f;
        for (int i = 0; i < b.Length; i++) b[i] = ((i * 53 % 197) - 98) * 0.0007f;
        _ = LoadTile(GemmTile.Packed, transposedB: false);
        _ = LoadPack();
        using Tensor left = Allocate(CheckedRows, CheckedDepth), right = Allocate(CheckedDepth, CheckedColumns);
        using Tensor result = Allocate(CheckedRows, CheckedColumns);
        left.Upload(a);
        right.Upload(b);
        using PackedFactor packed = Pack(right.AsMatrix());
        GemmOptions options = new(Batch: 1);
        if (!packed.TryPlace(packed.Matrix, 1, 0, out PackedPlace place)) throw new InvalidOperationException("a whole matrix has a place");
        MultiplyTiles(
            GemmPlan.Split(GemmTile.Packed, CheckedDepth, 1), left.AsMatrix(), right.AsMatrix(), place, result.AsMatrix(), options);
        float[] c = result.ToArray();
        for (int i = 0; i < c.Length; i++)
        {
            (int row, int column) = (i / CheckedColumns, i % CheckedColumns);
            double sum = 0, magnitudes = 0;
            for (int k = 0; k < CheckedDepth; k++)
            {
                double product = (double)a[(row * CheckedDepth) + k] * b[(k * CheckedColumns) + column];
                sum += product;
                magnitudes += Math.Abs(product);
            }
            if (Math.Abs(c[i] - sum) <= magnitudes * PackedTolerance) continue;
            return $"the check of {GemmTile.Packed.KernelName(false)} failed at row {row}, column {column}: {c[i]:G9} in place of {sum:G9}";
        }
        return null;
    }

    // Four times the kernel's bound (2^-21), for the sums.
    private const double PackedTolerance = 1.0 / (1 << 19);

    private PackedFactor Pack(in Matrix matrix)
    {
        PackedFactor packed = new(this, matrix);
        (long stepK, long stepColumn) = matrix.Transposed ? (1L, (long)matrix.Stride) : (matrix.Stride, 1L);
        try
        {
            Launch(
                LoadPack(),
                ((int)packed.Back.Length / Warp, 1, 1),
                PackThreads,
                0,
                AddressOf(matrix), packed.Halves, packed.Back, matrix.OperandColumns, matrix.OperandRows, stepK, stepColumn, packed.Chunks);
            return packed;
        }
        catch
        {
            packed.Dispose();
            throw;
        }
    }

    private Kernel LoadPack() => Load(ref _packFactor, "PackSm90a", "packFactor");

    // Where B lies in packed form, if it does and A's rows can be copied by 16 bytes.
    private PackedPlace? FindPacked(in Matrix a, in Matrix b, in GemmOptions options)
    {
        if (_packed.Count == 0 || Arithmetic != GemmArithmetic.Fp16x3) return null;
        if (a.Transposed || CopyAlong(a, options.StepA) != CopyWide) return null;
        return _packed.TryGetValue((b.Storage, b.Transposed), out PackedFactor? packed)
            && packed.TryPlace(b, options.Batch, options.StepB, out PackedPlace place) ? place : null;
    }

    // What a model's weights keep of their packed form.
    private sealed class PackedFactors(CudaDevice device) : IDisposable
    {
        private readonly List<PackedFactor> _all = [];

        public void Add(PackedFactor factor)
        {
            _all.Add(factor);
            device._packed[(factor.Matrix.Storage, factor.Matrix.Transposed)] = factor;
        }

        public void Dispose()
        {
            foreach (PackedFactor factor in _all)
            {
                // The same matrix may have been packed again since.
                (Tensor, bool) key = (factor.Matrix.Storage, factor.Matrix.Transposed);
                if (device._packed.TryGetValue(key, out PackedFactor? last) && ReferenceEquals(last, factor)) device._packed.Remove(key);
                factor.Dispose();
            }
            _all.Clear();
        }
    }
}
