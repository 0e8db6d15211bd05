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

    /// <summary>output = f(A B + bias), and x = f'(A B + bias): a product and the activation function behind it.</summary>
    /// <param name="a">[M, K] after transposition.</param>
    /// <param name="b">[K, N] after transposition.</param>
    /// <param name="bias">[N], added to every row.</param>
    /// <param name="function">f.</param>
    /// <param name="x">[M, N], out: the derivative. Must not overlap another operand.</param>
    /// <param name="output">[M, N], out: the function. Must not overlap another operand.</param>
    /// <remarks>The same bits as <see cref="Gemm"/> and <see cref="Activate"/> one after the other.</remarks>
    /// <exception cref="ArgumentException">The shapes do not fit each other or reach beyond their storage.</exception>
    internal void GemmActivate(in Matrix a, in Matrix b, Tensor bias, ActivationFunction function, Tensor x, Tensor output)
    {
        AtLeast(0, (long)function);
        AtMost((long)ActivationFunction.Tanh, (long)function);
        Matrix c = NeedFollowed(a, b, x, nameof(x), nameof(GemmActivate));
        long size = Size(c.Rows, c.Columns);
        Need(bias, c.Columns);
        Need(output, size);
        Apart(x, size, bias, c.Columns);
        Apart(x, size, output, size);
        Apart(output, size, bias, c.Columns);
        ApartFrom(output, c, a, b, nameof(output), nameof(GemmActivate));
        if (size == 0) return;
        if (GoesStraight || BeginsSpecially(nameof(GemmActivate), new ProductShape(c.Rows, c.Columns, a.OperandColumns, 1)))
        {
            GemmActivateCore(a, b, c, bias, function, output);
            Ended();
        }
    }

    /// <summary>
    /// c[r] = factors[r mod factorRows] (A B)[r], element by element: a product and <see cref="MultiplyRows"/> behind it.
    /// </summary>
    /// <param name="a">[M, K] after transposition.</param>
    /// <param name="b">[K, N] after transposition.</param>
    /// <param name="factors">[factorRows, N].</param>
    /// <param name="factorRows">Rows of factors; at least 1.</param>
    /// <param name="c">[M, N], out. Must not overlap another operand.</param>
    /// <remarks>The same bits as <see cref="Gemm"/> and <see cref="MultiplyRows"/> one after the other.</remarks>
    /// <exception cref="ArgumentException">The shapes do not fit each other or reach beyond their storage.</exception>
    internal void GemmMultiply(in Matrix a, in Matrix b, Tensor factors, int factorRows, Tensor c)
    {
        AtLeast(1, factorRows);
        Matrix result = NeedFollowed(a, b, c, nameof(c), nameof(GemmMultiply));
        Need(factors, Size(factorRows, result.Columns));
        Apart(c, Size(result.Rows, result.Columns), factors, Size(factorRows, result.Columns));
        if (result.Span == 0) return;
        if (GoesStraight || BeginsSpecially(nameof(GemmMultiply), new ProductShape(result.Rows, result.Columns, a.OperandColumns, 1)))
        {
            GemmMultiplyCore(a, b, result, factors, factorRows);
            Ended();
        }
    }

    /// <inheritdoc cref="Gemm" />
    private protected abstract void GemmCore(in Matrix a, in Matrix b, in Matrix c, in GemmOptions options);

    /// <inheritdoc cref="GemmActivate" />
    private protected abstract void GemmActivateCore(
        in Matrix a, in Matrix b, in Matrix x, Tensor bias, ActivationFunction function, Tensor output);

    /// <inheritdoc cref="GemmMultiply" />
    private protected abstract void GemmMultiplyCore(in Matrix a, in Matrix b, in Matrix c, Tensor factors, int factorRows);

    /// <summary><see cref="GemmActivate"/> as two operations.</summary>
    private protected void MultiplyThenActivate(
        in Matrix a, in Matrix b, in Matrix x, Tensor bias, ActivationFunction function, Tensor output)
    {
        GemmCore(a, b, x, new GemmOptions(Bias: bias, Batch: 1));
        ActivateCore(function, x.Storage, Size(x.Rows, x.Columns), output);
    }

    /// <summary><see cref="GemmMultiply"/> as two operations.</summary>
    private protected void MultiplyThenMultiplyRows(in Matrix a, in Matrix b, in Matrix c, Tensor factors, int factorRows)
    {
        GemmCore(a, b, c, new GemmOptions(Batch: 1));
        MultiplyRowsCore(c.Storage, factors, c.Rows, factorRows, c.Columns);
    }

    // A product whose result fills the start of a tensor, as what follows it reads it.
    private Matrix NeedFollowed(in Matrix a, in Matrix b, Tensor result, string name, string op)
    {
        NeedMatrix(a, 0, nameof(a), op);
        NeedMatrix(b, 0, nameof(b), op);
        Need(result, Size(a.OperandRows, b.OperandColumns), name, op);
        Matrix c = result.AsMatrix(a.OperandRows, b.OperandColumns);
        if (a.OperandColumns != b.OperandRows) OpErrors.NoProduct(a, b, c);
        ApartFrom(result, c, a, b, name, op);
        return c;
    }

    private static void ApartFrom(Tensor result, in Matrix shape, in Matrix a, in Matrix b, string name, string op)
    {
        Matrix c = shape with { Storage = result };
        if (Matrix.Overlap(c, 0, a, 0)) OpErrors.Overlap(op, name, nameof(a));
        if (Matrix.Overlap(c, 0, b, 0)) OpErrors.Overlap(op, name, nameof(b));
    }

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
