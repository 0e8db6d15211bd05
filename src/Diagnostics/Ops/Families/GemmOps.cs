using System.Linq.Expressions;
using Gradpath.Kernels;
using Gradpath.Kernels.Cuda;

namespace Gradpath.Diagnostics.Ops.Families;

/// <summary>
/// The matrix product: transposes, strides and offsets, accumulation, bias, batches, and shapes that are thin in one way.
/// </summary>
internal static class GemmOps
{
    // Counted: rows that every tile divides; a depth that shows the loop.
    private const int CountedRows = 128, CountedDepth = 256, CountedSplits = 8;

    public static IReadOnlyList<OpRow> All { get; } =
    [
        new("Gemm", "Gemm")
        {
            Cases =
            [
                Case("", x => Draw(x, false, false)),
                Case("A transposed", x => Draw(x, true, false)),
                Case("B transposed", x => Draw(x, false, true)),
                Case("both transposed", x => Draw(x, true, true)),
                Case("accumulating", x => Draw(x, x.Coin(), x.Coin()) with { Accumulate = true }),
                Case("with a bias", x => Draw(x, false, x.Coin()) with { Bias = true }),
                Case("accumulating with a bias", x => Draw(x, false, x.Coin()) with { Bias = true, Accumulate = true }),
                Case("batch", x => Draw(x, x.Coin(), x.Coin(), 30) with { Batch = x.Extent(5, 2) }),
                Case("accumulating batch", x => Draw(x, x.Coin(), x.Coin(), 30) with { Batch = x.Extent(5, 2), Accumulate = true }),
                Case(
                    "batch with a bias",
                    x => Draw(x, false, x.Coin(), 30) with { Batch = x.Extent(5, 2), Bias = true, Accumulate = x.Coin() }),
                Case("batch of one B", x => Draw(x, false, x.Coin(), 30) with { Batch = x.Extent(5, 2), OneB = true }),
                Case("one row", x => Draw(x, false, x.Coin()) with { M = 1 }),
                Case("one column", x => Draw(x, x.Coin(), x.Coin()) with { N = 1 }),
                Case("deep and small", x => new Shape(x.Extent(12, 2), x.Extent(12, 2), x.Extent(1025, 4), false, x.Coin())),
                Case("depth 0", x => new Shape(x.Extent(20), x.Extent(20), 0, false, false) with { Bias = x.Coin() }),
            ],
            Works =
            [
                .. Model(768, 3072, [160, 800, 2048]),
                .. Model(1600, 6400, [160, 800]),
                Product("unembedding", 20, 50_257, 768, transposeB: true),
                Heads(160, 768, 12),
                Heads(160, 1600, 25),
            ],
            Kernels = [.. Kernels(), .. Packed()],
            Writes = ["c"],
        },
        new("Gemm", "GemmActivate")
        {
            Cases =
            [
                Followed("", x => Activate(x, ActivationFunction.GeluTanh, false)),
                Followed("B transposed", x => Activate(x, ActivationFunction.GeluTanh, true)),
                Followed("another function", x => Activate(x, (ActivationFunction)(1 + x.Below((int)ActivationFunction.Tanh)), false)),
            ],
            Works = [new($"{Timed.AllRows} x {Timed.Inner} x {Timed.Width}", 2 * Timed.AllElements * Timed.Inner,
                Timed.Float * (Timed.AllElements + (Timed.Width * Timed.Inner) + (8 * Timed.AllElements)), x =>
                {
                    Matrix a = x.Tensor(Timed.AllRows, Timed.Width).AsMatrix(), b = x.Tensor(Timed.Width, Timed.Inner).AsMatrix();
                    Tensor derivative = x.Tensor(Timed.AllRows, Timed.Inner), output = x.Tensor(Timed.AllRows, Timed.Inner);
                    Tensor bias = x.Tensor(Timed.Inner);
                    return () => x.Device.GemmActivate(a, b, bias, ActivationFunction.GeluTanh, derivative, output);
                })],
            Kernels = [],
            Writes = ["x", "output"],
        },
        new("Gemm", "GemmMultiply")
        {
            Cases = [Followed("", x => Multiplied(x, false)), Followed("B transposed", x => Multiplied(x, true))],
            Works = [new($"{Timed.AllRows} x {Timed.Inner} x {Timed.Width}", 2 * Timed.AllElements * Timed.Inner,
                Timed.Float * (Timed.AllElements + (Timed.Width * Timed.Inner) + (8 * Timed.AllElements)), x =>
                {
                    Matrix a = x.Tensor(Timed.AllRows, Timed.Width).AsMatrix(), b = x.Tensor(Timed.Inner, Timed.Width).AsMatrix();
                    Tensor factors = x.Tensor(Timed.AllRows, Timed.Inner), c = x.Tensor(Timed.AllRows, Timed.Inner);
                    return () => x.Device.GemmMultiply(a, b.T, factors, Timed.AllRows, c);
                })],
            Kernels = [],
            Writes = ["c"],
        },
    ];

    private static OpCase Case(string special, Func<OpOperands, Shape> draw) =>
        new(special, OpCase.Rounding, x => Multiply(x, draw(x))) { RoundsFactors = true };

    // The function's slope is at most 1.2, and what it adds of its own is as for Activate.
    private static OpCase Followed(string special, Func<OpOperands, Expression<Action<Device>>> draw) =>
        new(special, 2 * OpCase.Rounding, x => draw(x)) { RoundsFactors = true };

    private static Expression<Action<Device>> Activate(OpOperands x, ActivationFunction function, bool transposeB)
    {
        (int m, int n, int k) = (x.Extent(40), x.Extent(70), x.Extent(70));
        Matrix a = x.Draw((long)m * k).AsMatrix(m, k), b = Stored(x, n, k, transposeB);
        Tensor bias = x.Draw(n), derivative = x.Out((long)m * n), output = x.Out((long)m * n);
        return d => d.GemmActivate(a, b, bias, function, derivative, output);
    }

    private static Expression<Action<Device>> Multiplied(OpOperands x, bool transposeB)
    {
        int factorRows = x.Extent(9), m = factorRows * x.Extent(4), n = x.Extent(70), k = x.Extent(70);
        Matrix a = x.Draw((long)m * k).AsMatrix(m, k), b = Stored(x, n, k, transposeB);
        Tensor factors = x.Draw((long)factorRows * n), c = x.Out((long)m * n);
        return d => d.GemmMultiply(a, b, factors, factorRows, c);
    }

    private static Matrix Stored(OpOperands x, int n, int k, bool transposed) =>
        transposed ? x.Draw((long)n * k).AsMatrix(n, k).T : x.Draw((long)k * n).AsMatrix(k, n);

    private static Shape Draw(OpOperands x, bool transposeA, bool transposeB, int largest = 70) =>
        new(x.Extent(largest), x.Extent(largest), x.Extent(largest), transposeA, transposeB);

    private static Expression<Action<Device>> Multiply(OpOperands x, Shape s)
    {
        int batch = Math.Max(1, s.Batch);
        (Matrix a, long stepA) = Operand(x, s.TransposeA ? s.K : s.M, s.TransposeA ? s.M : s.K, batch, n => x.Draw(n));
        (Matrix b, long stepB) = Operand(x, s.TransposeB ? s.N : s.K, s.TransposeB ? s.K : s.N, s.OneB ? 1 : batch, n => x.Draw(n));
        (Matrix c, long stepC) = Operand(x, s.M, s.N, batch, n => s.Accumulate ? x.Draw(n) : x.Out(n));
        Matrix left = s.TransposeA ? a.T : a, right = s.TransposeB ? b.T : b;
        GemmOptions options = new(s.Accumulate, s.Bias ? x.Draw(s.N) : null, batch, stepA, s.OneB ? 0 : stepB, stepC);
        return d => d.Gemm(left, right, c, options);
    }

    // Half the time packed, half the time part of something larger.
    private static (Matrix Matrix, long Step) Operand(OpOperands x, int rows, int columns, int batch, Func<long, Tensor> make)
    {
        int offset = 0, stride = columns, gap = 0;
        if (x.Coin())
        {
            offset = x.Below(9);
            stride += x.Below(9);
            gap = x.Below(9);
        }
        long step = ((long)rows * stride) + gap;
        Matrix matrix = new(
            make(offset + (batch * step) - x.Excess(rows == 0 || columns == 0 ? 0 : stride - columns + gap)),
            offset,
            rows,
            columns,
            stride);
        return (matrix, step);
    }

    private static IEnumerable<OpWork> Model(int width, int inner, int[] rows)
    {
        foreach (int m in rows)
        {
            yield return Product("", m, 3 * width, width);
            yield return Product("", m, width, width);
            yield return Product("", m, inner, width);
            yield return Product("", m, width, inner);
            yield return Product("B transposed", m, width, inner, transposeB: true);
        }
    }

    private static OpWork Product(string special, int m, int n, int k, bool transposeB = false) =>
        new(special, $"{m} x {n} x {k}", 2.0 * m * n * k, Timed.Float * (((double)m * k) + ((double)k * n) + ((double)m * n)), x =>
        {
            Matrix a = x.Tensor(m, k).AsMatrix();
            Matrix b = transposeB ? x.Tensor(n, k).AsMatrix().T : x.Tensor(k, n).AsMatrix();
            Matrix c = x.Tensor(m, n).AsMatrix();
            x.Factor(b);
            return () => x.Device.Gemm(a, b, c);
        });

    // W_O of every head by itself, which makes the writers' outputs: [rows, 64] x [64, D] per head.
    private static OpWork Heads(int rows, int width, int heads) => new(
        "batch", $"{heads} x {rows} x {width} x 64", 2.0 * heads * rows * width * 64,
        Timed.Float * heads * ((rows * 64.0) + (width * 64.0) + ((double)rows * width)), x =>
        {
            Matrix a = x.Tensor(rows, heads * 64).AsMatrix().SliceColumns(0, 64);
            Matrix b = x.Tensor(heads, 64, width).AsMatrix(64, width);
            Matrix c = x.Tensor(heads, rows, width).AsMatrix(rows, width);
            GemmOptions options = new(Batch: heads, StepA: 64, StepB: 64 * width, StepC: (long)rows * width);
            return () => x.Device.Gemm(a, b, c, options);
        });

    // Every tile of every arithmetic in turn.
    private static IEnumerable<KernelCase> Kernels()
    {
        const int width = Counted.Width;
        yield return new("gemmPlain", "12 x 12 x 64", Counted.Float * ((2 * 12 * 64) + (12 * 12)), x =>
            x.Device.Gemm(x.Floats(12 * 64).AsMatrix(12, 64), x.Floats(64 * 12).AsMatrix(64, 12), x.Floats(12 * 12).AsMatrix(12, 12)));
        yield return new(
            "gemmAddSplits",
            $"{CountedRows} x {width}, {CountedSplits} parts",
            Counted.Float * (CountedSplits + 1.0) * CountedRows * width,
            x => Multiply(x, GemmTile.Of(GemmArithmetic.Tf32)[0], transposed: false, CountedSplits));
        foreach (GemmArithmetic arithmetic in Enum.GetValues<GemmArithmetic>())
        {
            foreach (GemmTile tile in GemmTile.Of(arithmetic).ToArray())
            {
                foreach (bool transposed in arithmetic == GemmArithmetic.Ffma ? (bool[])[false] : [false, true])
                {
                    yield return new(
                        tile.KernelName(transposed),
                        $"{CountedRows} x {width} x {CountedDepth}{(transposed ? ", B transposed" : "")}",
                        Counted.Float
                            * (((double)CountedRows * CountedDepth) + ((double)CountedDepth * width) + ((double)CountedRows * width)),
                        x => Multiply(x, tile, transposed, 1));
                }
            }
        }
    }

    private static IEnumerable<KernelCase> Packed()
    {
        const int width = Counted.Width;
        yield return new("packFactor", $"{CountedDepth} x {width}", 2 * Counted.Float * CountedDepth * width, x =>
            x.Own(x.Device.PackFactors([x.Floats(CountedDepth * width).AsMatrix(CountedDepth, width)])))
        {
            NeedsSm90a = true,

            // The matrix is read twice, for its columns' largest numbers and to be packed; a sector's two halves are written apart.
            MostTraffic = 2.01,
        };
        yield return new(
            GemmTile.Packed.KernelName(false), $"{CountedRows} x {width} x {CountedDepth}",
            Counted.Float * (((double)CountedRows * CountedDepth) + ((double)CountedDepth * width) + ((double)CountedRows * width)),
            x => Multiply(x, GemmTile.Packed, transposed: false, 1))
        {
            NeedsSm90a = true,
        };
    }

    private static void Multiply(KernelOperands x, GemmTile tile, bool transposed, int splits)
    {
        const int width = Counted.Width;
        x.Device.Arithmetic = tile.Arithmetic;
        x.Device.ForcedPlan = shape => GemmPlan.Split(tile, shape.K, splits);
        Matrix b = transposed
            ? x.Floats(width * CountedDepth).AsMatrix(width, CountedDepth).T
            : x.Floats(CountedDepth * width).AsMatrix(CountedDepth, width);
        if (tile.IsPacked) x.Own(x.Device.PackFactors([b]));
        x.Device.Gemm(
            x.Floats(CountedRows * CountedDepth).AsMatrix(CountedRows, CountedDepth),
            b,
            x.Floats(CountedRows * width).AsMatrix(CountedRows, width));
    }

    private sealed record Shape(int M, int N, int K, bool TransposeA, bool TransposeB)
    {
        public int Batch { get; init; }

        public bool Accumulate { get; init; }

        public bool Bias { get; init; }

        public bool OneB { get; init; }
    }
}
