namespace Gradpath.Kernels;

public abstract partial class Device
{
    /// <summary>C = A B, or C += A B, plus a bias row where the options say so; a batch of products of one shape at fixed steps.</summary>
    /// <param name="a">[M, K] after transposition.</param>
    /// <param name="b">[K, N] after transposition.</param>
    /// <param name="c">[M, N], not transposed. Must not overlap A or B.</param>
    /// <param name="options">Accumulation, bias, batch.</param>
    /// <remarks>float32 with float32 accumulation; the order of the additions depends on the shape only, so results repeat bit for bit.</remarks>
    /// <exception cref="ArgumentException">The shapes do not fit each other or reach beyond their storage.</exception>
    public void Gemm(in Matrix a, in Matrix b, in Matrix c, in GemmOptions options = default)
    {
        int batch = Math.Max(1, options.Batch);
        if (a.OperandColumns != b.OperandRows || a.OperandRows != c.Rows || b.OperandColumns != c.Columns || c.Transposed)
        {
            throw new ArgumentException(
                $"[{a.OperandRows}, {a.OperandColumns}] x [{b.OperandRows}, {b.OperandColumns}] does not give [{c.Rows}, {c.Columns}]");
        }
        CheckExtent(a, (batch - 1) * options.StepA, nameof(a));
        CheckExtent(b, (batch - 1) * options.StepB, nameof(b));
        CheckExtent(c, (batch - 1) * options.StepC, nameof(c));
        if (options.Bias is { } bias && bias.Length < c.Columns)
        {
            throw new ArgumentException($"a bias of {bias.Length} values cannot be added to rows of {c.Columns}", nameof(options));
        }
        if (c.Rows > 0 && c.Columns > 0) GemmCore(a, b, c, options with { Batch = batch });
    }

    /// <summary>The product, after the checks of <see cref="Gemm"/>; K may be 0.</summary>
    /// <param name="a">Left operand.</param>
    /// <param name="b">Right operand.</param>
    /// <param name="c">Result.</param>
    /// <param name="options">With Batch at least 1.</param>
    protected abstract void GemmCore(in Matrix a, in Matrix b, in Matrix c, in GemmOptions options);

    private static void CheckExtent(in Matrix m, long step, string name)
    {
        long last = m.Rows == 0 ? 0 : m.Offset + ((long)(m.Rows - 1) * m.Stride) + m.Columns + step;
        if (m.Offset < 0 || m.Rows < 0 || m.Columns < 0 || m.Stride < m.Columns || last > m.Storage.Length)
        {
            throw new ArgumentException($"matrix {name} of {m.Rows} x {m.Columns} (stride {m.Stride}, offset {m.Offset}) reaches beyond its storage of {m.Storage.Length}");
        }
    }
}
