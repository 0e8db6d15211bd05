using System.Runtime.CompilerServices;

namespace Gradpath.Kernels;

// Gemm: the matrix product.
public abstract partial class Device
{
    /// <summary>C = A B, or C += A B, plus a bias row where the options say so; a batch of products of one shape at fixed steps.</summary>
    /// <param name="a">[M, K] after transposition.</param>
    /// <param name="b">[K, N] after transposition.</param>
    /// <param name="c">[M, N], not transposed. Must not overlap A, B or the bias.</param>
    /// <param name="options">Accumulation, bias, batch.</param>
    /// <remarks>
    /// float32 with float32 accumulation; the order of the additions depends on the shape only, so results repeat bit for bit. K may be 0.
    /// </remarks>
    /// <exception cref="ArgumentException">The shapes do not fit each other or reach beyond their storage.</exception>
    internal void Gemm(in Matrix a, in Matrix b, in Matrix c, in GemmOptions options = default)
    {
        AtLeast(0, options.Batch);
        AtLeast(0, options.StepA);
        AtLeast(0, options.StepB);
        AtLeast(0, options.StepC);
        int batch = Math.Max(1, options.Batch);
        long furtherA = Product(batch - 1, options.StepA);
        long furtherB = Product(batch - 1, options.StepB);
        long furtherC = Product(batch - 1, options.StepC);
        NeedMatrix(a, furtherA);
        NeedMatrix(b, furtherB);
        NeedMatrix(c, furtherC);
        if (a.OperandColumns != b.OperandRows || a.OperandRows != c.Rows || b.OperandColumns != c.Columns || c.Transposed)
        {
            OpErrors.NoProduct(a, b, c);
        }
        if (options.Bias is { } bias)
        {
            Need(bias, c.Columns);
            if (Matrix.Overlap(c, furtherC, new Matrix(bias, 0, 1, c.Columns, c.Columns), 0))
            {
                OpErrors.Overlap(nameof(Gemm), nameof(c), nameof(bias));
            }
        }
        if (Matrix.Overlap(c, furtherC, a, furtherA)) OpErrors.Overlap(nameof(Gemm), nameof(c), nameof(a));
        if (Matrix.Overlap(c, furtherC, b, furtherB)) OpErrors.Overlap(nameof(Gemm), nameof(c), nameof(b));
        if (batch > 1 && options.StepC < c.Span && (options.StepC < c.Columns || furtherC + c.Columns > c.Stride))
        {
            OpErrors.OverlapInBatch(nameof(Gemm), nameof(c), options.StepC);
        }
        if (c.Rows == 0 || c.Columns == 0) return;
        if (GoesStraight || BeginsSpecially(nameof(Gemm), new ProductShape(c.Rows, c.Columns, a.OperandColumns, batch)))
        {
            GemmCore(a, b, c, options with { Batch = batch });
            Ended();
        }
    }

    /// <inheritdoc cref="Gemm" />
    private protected abstract void GemmCore(in Matrix a, in Matrix b, in Matrix c, in GemmOptions options);

    /// <summary>Requires a rectangle, or a batch of them, that lies within a tensor of this device.</summary>
    private void NeedMatrix(
        in Matrix m, long further, [CallerArgumentExpression(nameof(m))] string name = "", [CallerMemberName] string op = "")
    {
        Need(m.Storage, 0, name, op);
        if (m.Offset < 0 || m.Rows < 0 || m.Columns < 0 || m.Stride < m.Columns) OpErrors.NoMatrix(op, name, m);
        long span = m.Span, end = Sum(m.Offset, span == 0 ? 0 : Sum(span, further));
        if (end > m.Storage.Length) OpErrors.OutsideStorage(op, name, m, end);
    }
}
