namespace Gradpath.Kernels.Checks;

/// <summary>The matrix product: transposes, strides and offsets, accumulation, bias, batches, and shapes that are thin in one way.</summary>
internal static class GemmChecks
{
    public static IReadOnlyList<OpCheck> All { get; } =
    [
        Check("Gemm", x => Case(x, false, false)),
        Check("Gemm, A transposed", x => Case(x, true, false)),
        Check("Gemm, B transposed", x => Case(x, false, true)),
        Check("Gemm, both transposed", x => Case(x, true, true)),
        Check("Gemm, accumulating", x => Case(x, x.Coin(), x.Coin()) with { Accumulate = true }),
        Check("Gemm, with a bias", x => Case(x, false, x.Coin()) with { Bias = true }),
        Check("Gemm, accumulating with a bias", x => Case(x, false, x.Coin()) with { Bias = true, Accumulate = true }),
        Check("Gemm, batch", x => Case(x, x.Coin(), x.Coin(), 30) with { Batch = x.Extent(5, 2) }),
        Check("Gemm, accumulating batch", x => Case(x, x.Coin(), x.Coin(), 30) with { Batch = x.Extent(5, 2), Accumulate = true }),
        Check("Gemm, batch with a bias", x => Case(x, false, x.Coin(), 30) with { Batch = x.Extent(5, 2), Bias = true, Accumulate = x.Coin() }),
        Check("Gemm, batch of one B", x => Case(x, false, x.Coin(), 30) with { Batch = x.Extent(5, 2), OneB = true }),
        Check("Gemm, one row", x => Case(x, false, x.Coin()) with { M = 1 }),
        Check("Gemm, one column", x => Case(x, x.Coin(), x.Coin()) with { N = 1 }),
        Check("Gemm, deep and small", x => new Shape(x.Extent(12, 2), x.Extent(12, 2), x.Extent(1025, 4), false, x.Coin())),
        Check("Gemm, depth 0", x => new Shape(x.Extent(20), x.Extent(20), 0, false, false) with { Bias = x.Coin() }),
    ];

    private static OpCheck Check(string op, Func<OpOperands, Shape> draw) => OpChecks.Check("Gemm", op, OpChecks.Rounding, (d, x) => Multiply(d, x, draw(x)));

    private static Shape Case(OpOperands x, bool transposeA, bool transposeB, int largest = 70) =>
        new(x.Extent(largest), x.Extent(largest), x.Extent(largest), transposeA, transposeB);

    private static void Multiply(Device d, OpOperands x, Shape s)
    {
        int batch = Math.Max(1, s.Batch);
        (Matrix a, long stepA) = Operand(x, s.TransposeA ? s.K : s.M, s.TransposeA ? s.M : s.K, batch, n => x.Draw(n));
        (Matrix b, long stepB) = Operand(x, s.TransposeB ? s.N : s.K, s.TransposeB ? s.K : s.N, s.OneB ? 1 : batch, n => x.Draw(n));
        (Matrix c, long stepC) = Operand(x, s.M, s.N, batch, n => s.Accumulate ? x.Draw(n) : x.Out(n));
        GemmOptions options = new(s.Accumulate, s.Bias ? x.Draw(s.N) : null, batch, stepA, s.OneB ? 0 : stepB, stepC);
        d.Gemm(s.TransposeA ? a.T : a, s.TransposeB ? b.T : b, c, options);
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
        return (new Matrix(make(offset + (batch * step)), offset, rows, columns, stride), step);
    }

    private sealed record Shape(int M, int N, int K, bool TransposeA, bool TransposeB)
    {
        public int Batch { get; init; }

        public bool Accumulate { get; init; }

        public bool Bias { get; init; }

        public bool OneB { get; init; }
    }
}
