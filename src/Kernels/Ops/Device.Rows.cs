namespace Gradpath.Kernels;

// Rows: gathering, scattering and combining rows of tensors; embeddings, interpolation, differences.
public abstract partial class Device
{
    /// <summary>output[i] = table[indices[i]], optionally plus addend[i]: an embedding look-up, or picking the answer rows.</summary>
    /// <param name="table">[*, width].</param>
    /// <param name="indices">[count] row numbers in the table.</param>
    /// <param name="count">Number of rows to make.</param>
    /// <param name="width">Width of a row.</param>
    /// <param name="output">[count, width]; may be <paramref name="addend"/>, must not overlap the table.</param>
    /// <param name="addend">[count, width], or null.</param>
    internal void GatherRows(Tensor table, DeviceArray<int> indices, int count, int width, Tensor output, Tensor? addend = null)
    {
        AtLeast(0, count);
        AtLeast(1, width);
        long size = Size(count, width);
        NeedRows(table, count, width);
        Need(indices, count);
        Need(output, size);
        Apart(output, size, table, table.Length);
        if (addend is not null)
        {
            Need(addend, size);
            SameOrApart(output, addend, size);
        }
        if (!Begins(nameof(GatherRows))) return;
        GatherRowsCore(table, indices, count, width, output, addend);
        Ended();
    }

    /// <summary>
    /// output[b * count + i] = table[b * blockRows + indices[i]]: the same rows of several blocks, such as the answer rows of every writer.
    /// </summary>
    /// <param name="table">[blocks, blockRows, width].</param>
    /// <param name="blockRows">Rows of a block; at least 1.</param>
    /// <param name="indices">[count] row numbers in a block.</param>
    /// <param name="count">Number of rows to make of a block.</param>
    /// <param name="blocks">Number of blocks.</param>
    /// <param name="width">Width of a row.</param>
    /// <param name="output">[blocks, count, width]; must not overlap the table.</param>
    internal void GatherBlocks(
        Tensor table, int blockRows, DeviceArray<int> indices, int count, int blocks, int width, Tensor output)
    {
        AtLeast(1, blockRows);
        AtLeast(0, count);
        AtLeast(0, blocks);
        AtLeast(1, width);
        long all = Size(blocks, blockRows, width), size = Size(blocks, count, width);
        Need(table, all);
        Need(indices, count);
        Need(output, size);
        Apart(output, size, table, all);
        if (size == 0 || !Begins(nameof(GatherBlocks))) return;
        GatherBlocksCore(table, blockRows, indices, count, blocks, width, output);
        Ended();
    }

    /// <summary>target[indices[i]] += source[i]. No index may occur twice.</summary>
    /// <param name="source">[count, width].</param>
    /// <param name="indices">[count] row numbers in the target.</param>
    /// <param name="count">Number of rows.</param>
    /// <param name="width">Width of a row.</param>
    /// <param name="target">[*, width]; must not overlap the source.</param>
    internal void ScatterAddRows(Tensor source, DeviceArray<int> indices, int count, int width, Tensor target)
    {
        AtLeast(0, count);
        AtLeast(1, width);
        long size = Size(count, width);
        Need(source, size);
        Need(indices, count);
        NeedRows(target, count, width);
        Apart(target, target.Length, source, size);
        if (!Begins(nameof(ScatterAddRows))) return;
        ScatterAddRowsCore(source, indices, count, width, target);
        Ended();
    }

    /// <summary>output = alpha a + beta b, element by element. With beta = 0, b is not read.</summary>
    /// <param name="alpha">Factor of a.</param>
    /// <param name="a">At least <paramref name="length"/> elements.</param>
    /// <param name="beta">Factor of b.</param>
    /// <param name="b">At least <paramref name="length"/> elements.</param>
    /// <param name="length">Number of elements.</param>
    /// <param name="output">May be a or b.</param>
    internal void Combine(float alpha, Tensor a, float beta, Tensor b, long length, Tensor output)
    {
        AtLeast(0, length);
        Need(a, length);
        Need(b, length);
        Need(output, length);
        SameOrApart(output, a, length);
        SameOrApart(output, b, length);
        if (!Begins(nameof(Combine))) return;
        CombineCore(alpha, a, beta, b, length, output);
        Ended();
    }

    /// <summary>
    /// output[r, j] = factors[j / width] (alpha a[r, j] + beta b[r, j]): several blocks of rows at once, a block for each row of the
    /// matrices. With beta = 0, b is not read.
    /// </summary>
    /// <param name="alpha">Factor of a.</param>
    /// <param name="a">[blocks, rows * width]; not transposed, like the others.</param>
    /// <param name="beta">Factor of b.</param>
    /// <param name="b">The same shape.</param>
    /// <param name="factors">[rows]: a factor per row, or null for none.</param>
    /// <param name="width">Width of a row.</param>
    /// <param name="output">The same shape; may be a or b, must not overlap them otherwise, nor the factors.</param>
    internal void CombineBlocks(float alpha, in Matrix a, float beta, in Matrix b, Tensor? factors, int width, in Matrix output)
    {
        NeedMatrix(a, 0);
        NeedMatrix(b, 0);
        NeedMatrix(output, 0);
        AtLeast(1, width);
        if (!SameShape(a, output) || !SameShape(b, output)) OpErrors.NoCombination(a, b, output);
        if (output.Columns % width != 0) OpErrors.NoMultiple(nameof(CombineBlocks), "output.Columns", output.Columns, nameof(width), width);
        if (OverlapsApart(output, a)) OpErrors.PartOverlap(nameof(CombineBlocks), nameof(output), nameof(a));
        if (OverlapsApart(output, b)) OpErrors.PartOverlap(nameof(CombineBlocks), nameof(output), nameof(b));
        if (factors is not null)
        {
            int rows = output.Columns / width;
            Need(factors, rows);
            if (Matrix.Overlap(output, 0, new Matrix(factors, 0, 1, rows, rows), 0))
            {
                OpErrors.Overlap(nameof(CombineBlocks), nameof(output), nameof(factors));
            }
        }
        if (output.Span == 0 || !Begins(nameof(CombineBlocks))) return;
        CombineBlocksCore(alpha, a, beta, b, factors, width, output);
        Ended();
    }

    /// <summary>The first elements of a tensor become one value.</summary>
    /// <param name="target">The tensor.</param>
    /// <param name="value">The value.</param>
    /// <param name="length">Number of elements.</param>
    internal void Fill(Tensor target, float value, long length)
    {
        AtLeast(0, length);
        Need(target, length);
        if (!Begins(nameof(Fill))) return;
        FillCore(target, value, length);
        Ended();
    }

    /// <summary>output[r] = factors[r mod period] x[r]; a factor per row.</summary>
    /// <param name="x">[rows, width].</param>
    /// <param name="factors">[period].</param>
    /// <param name="period">Number of factors; row r takes number r mod period.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="width">Width of a row.</param>
    /// <param name="output">May be x; must not overlap the factors.</param>
    internal void ScaleRows(Tensor x, Tensor factors, int period, int rows, int width, Tensor output)
    {
        AtLeast(0, rows);
        AtLeast(rows == 0 ? 0 : 1, period);
        AtLeast(1, width);
        long size = Size(rows, width);
        Need(x, size);
        Need(factors, period);
        Need(output, size);
        SameOrApart(output, x, size);
        Apart(output, size, factors, period);
        if (!Begins(nameof(ScaleRows))) return;
        ScaleRowsCore(x, factors, period, rows, width, output);
        Ended();
    }

    /// <summary>Copies elements from one tensor to another.</summary>
    /// <param name="source">Where from.</param>
    /// <param name="sourceOffset">First element to read.</param>
    /// <param name="target">Where to; the ranges must not overlap.</param>
    /// <param name="targetOffset">First element to write.</param>
    /// <param name="length">Number of elements.</param>
    internal void CopyBlock(Tensor source, long sourceOffset, Tensor target, long targetOffset, long length)
    {
        NeedBlocks(source, sourceOffset, target, targetOffset, length, nameof(CopyBlock));
        Apart(source, sourceOffset, target, targetOffset, length, nameof(CopyBlock));
        if (length == 0 || !Begins(nameof(CopyBlock))) return;
        CopyBlockCore(source, sourceOffset, target, targetOffset, length);
        Ended();
    }

    /// <summary>target[targetOffset + i] += source[sourceOffset + i].</summary>
    /// <param name="source">What to add.</param>
    /// <param name="sourceOffset">First element to read.</param>
    /// <param name="target">Added to; the ranges must not overlap.</param>
    /// <param name="targetOffset">First element to change.</param>
    /// <param name="length">Number of elements.</param>
    internal void AddBlock(Tensor source, long sourceOffset, Tensor target, long targetOffset, long length)
    {
        NeedBlocks(source, sourceOffset, target, targetOffset, length, nameof(AddBlock));
        Apart(source, sourceOffset, target, targetOffset, length, nameof(AddBlock));
        if (length == 0 || !Begins(nameof(AddBlock))) return;
        AddBlockCore(source, sourceOffset, target, targetOffset, length);
        Ended();
    }

    /// <summary>Copies a rectangle of rows; the target has the same shape.</summary>
    /// <param name="source">Where from; not transposed.</param>
    /// <param name="target">Where to; must not overlap the source.</param>
    internal void CopyMatrix(in Matrix source, in Matrix target)
    {
        NeedMatrix(source, 0);
        NeedMatrix(target, 0);
        if (source.Transposed || target.Transposed || source.Rows != target.Rows || source.Columns != target.Columns)
        {
            OpErrors.NoCopy(source, target);
        }
        if (Matrix.Overlap(source, 0, target, 0)) OpErrors.Overlap(nameof(CopyMatrix), nameof(target), nameof(source));
        if (target.Span == 0 || !Begins(nameof(CopyMatrix))) return;
        CopyMatrixCore(source, target);
        Ended();
    }

    /// <summary>x[r] -= y[r mod period].</summary>
    /// <param name="x">[rows, width], changed in place.</param>
    /// <param name="y">[period, width]; must not overlap x.</param>
    /// <param name="period">Rows of y.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="width">Width of a row.</param>
    internal void SubtractRows(Tensor x, Tensor y, int period, int rows, int width)
    {
        AtLeast(0, rows);
        AtLeast(rows == 0 ? 0 : 1, period);
        AtLeast(1, width);
        Need(x, Size(rows, width));
        Need(y, Size(period, width));
        Apart(x, Size(rows, width), y, Size(period, width));
        if (!Begins(nameof(SubtractRows))) return;
        SubtractRowsCore(x, y, period, rows, width);
        Ended();
    }

    /// <summary>Copies what stands above the diagonal of a square matrix to below it.</summary>
    /// <param name="matrix">[size, size], changed in place.</param>
    /// <param name="size">Rows and columns.</param>
    internal void MirrorUpperTriangle(Tensor matrix, int size)
    {
        AtLeast(0, size);
        Need(matrix, Size(size, size));
        if (!Begins(nameof(MirrorUpperTriangle))) return;
        MirrorUpperTriangleCore(matrix, size);
        Ended();
    }

    /// <inheritdoc cref="GatherRows" />
    private protected abstract void GatherRowsCore(
        Tensor table, DeviceArray<int> indices, int count, int width, Tensor output, Tensor? addend);

    /// <inheritdoc cref="GatherBlocks" />
    private protected abstract void GatherBlocksCore(
        Tensor table, int blockRows, DeviceArray<int> indices, int count, int blocks, int width, Tensor output);

    /// <inheritdoc cref="CombineBlocks" />
    private protected abstract void CombineBlocksCore(
        float alpha, in Matrix a, float beta, in Matrix b, Tensor? factors, int width, in Matrix output);

    /// <inheritdoc cref="ScatterAddRows" />
    private protected abstract void ScatterAddRowsCore(Tensor source, DeviceArray<int> indices, int count, int width, Tensor target);

    /// <inheritdoc cref="Combine" />
    private protected abstract void CombineCore(float alpha, Tensor a, float beta, Tensor b, long length, Tensor output);

    /// <inheritdoc cref="Fill" />
    private protected abstract void FillCore(Tensor target, float value, long length);

    /// <inheritdoc cref="ScaleRows" />
    private protected abstract void ScaleRowsCore(Tensor x, Tensor factors, int period, int rows, int width, Tensor output);

    /// <inheritdoc cref="CopyBlock" />
    private protected abstract void CopyBlockCore(Tensor source, long sourceOffset, Tensor target, long targetOffset, long length);

    /// <inheritdoc cref="AddBlock" />
    private protected abstract void AddBlockCore(Tensor source, long sourceOffset, Tensor target, long targetOffset, long length);

    /// <inheritdoc cref="CopyMatrix" />
    private protected abstract void CopyMatrixCore(in Matrix source, in Matrix target);

    /// <inheritdoc cref="SubtractRows" />
    private protected abstract void SubtractRowsCore(Tensor x, Tensor y, int period, int rows, int width);

    /// <inheritdoc cref="MirrorUpperTriangle" />
    private protected abstract void MirrorUpperTriangleCore(Tensor matrix, int size);

    private static bool SameShape(in Matrix a, in Matrix b) =>
        !a.Transposed && !b.Transposed && a.Rows == b.Rows && a.Columns == b.Columns;

    // Whether two rectangles share elements without being the same.
    private static bool OverlapsApart(in Matrix a, in Matrix b)
    {
        nint first = a.Storage.Address + (nint)(a.Offset * sizeof(float)), second = b.Storage.Address + (nint)(b.Offset * sizeof(float));
        return (first != second || a.Stride != b.Stride) && Matrix.Overlap(a, 0, b, 0);
    }

    private void NeedBlocks(Tensor source, long sourceOffset, Tensor target, long targetOffset, long length, string op)
    {
        AtLeast(0, sourceOffset, nameof(sourceOffset), op);
        AtLeast(0, targetOffset, nameof(targetOffset), op);
        AtLeast(0, length, nameof(length), op);
        Need(source, Sum(sourceOffset, length), nameof(source), op);
        Need(target, Sum(targetOffset, length), nameof(target), op);
    }

    private static void Apart(Tensor source, long sourceOffset, Tensor target, long targetOffset, long length, string op)
    {
        long between = ((target.Address - source.Address) / sizeof(float)) + targetOffset - sourceOffset;
        if (between < length && -between < length) OpErrors.Overlap(op, nameof(target), nameof(source));
    }
}
