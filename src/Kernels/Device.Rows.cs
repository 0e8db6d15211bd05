namespace Gradpath.Kernels;

// Rows: gathering, scattering and combining rows of tensors; embeddings, interpolation, differences.
public abstract partial class Device
{
    /// <summary>output[i] = table[indices[i]], optionally plus addend[i]: an embedding look-up, or picking the answer rows.</summary>
    /// <param name="table">[*, width].</param>
    /// <param name="indices">[count] row numbers in the table.</param>
    /// <param name="count">Number of rows to make.</param>
    /// <param name="width">Width of a row.</param>
    /// <param name="output">[count, width]; may be <paramref name="addend"/>, must not be the table.</param>
    /// <param name="addend">[count, width], or null.</param>
    public abstract void GatherRows(Tensor table, DeviceArray<int> indices, int count, int width, Tensor output, Tensor? addend = null);

    /// <summary>target[indices[i]] += source[i]. No index may occur twice.</summary>
    /// <param name="source">[count, width].</param>
    /// <param name="indices">[count] row numbers in the target.</param>
    /// <param name="count">Number of rows.</param>
    /// <param name="width">Width of a row.</param>
    /// <param name="target">[*, width].</param>
    public abstract void ScatterAddRows(Tensor source, DeviceArray<int> indices, int count, int width, Tensor target);

    /// <summary>output = alpha a + beta b, element by element. With beta = 0, b is not read.</summary>
    /// <param name="alpha">Factor of a.</param>
    /// <param name="a">At least <paramref name="length"/> elements.</param>
    /// <param name="beta">Factor of b.</param>
    /// <param name="b">At least <paramref name="length"/> elements.</param>
    /// <param name="length">Number of elements.</param>
    /// <param name="output">May be a or b.</param>
    public abstract void Combine(float alpha, Tensor a, float beta, Tensor b, long length, Tensor output);

    /// <summary>The first elements of a tensor become one value.</summary>
    /// <param name="target">The tensor.</param>
    /// <param name="value">The value.</param>
    /// <param name="length">Number of elements.</param>
    public abstract void Fill(Tensor target, float value, long length);

    /// <summary>output[r] = factors[r mod period] x[r]; a factor per row.</summary>
    /// <param name="x">[rows, width].</param>
    /// <param name="factors">[period].</param>
    /// <param name="period">Number of factors; row r takes number r mod period.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="width">Width of a row.</param>
    /// <param name="output">May be x.</param>
    public abstract void ScaleRows(Tensor x, Tensor factors, int period, int rows, int width, Tensor output);

    /// <summary>Copies elements from one tensor to another.</summary>
    /// <param name="source">Where from.</param>
    /// <param name="sourceOffset">First element to read.</param>
    /// <param name="target">Where to; the ranges must not overlap.</param>
    /// <param name="targetOffset">First element to write.</param>
    /// <param name="length">Number of elements.</param>
    public abstract void CopyBlock(Tensor source, long sourceOffset, Tensor target, long targetOffset, long length);

    /// <summary>target[targetOffset + i] += source[sourceOffset + i].</summary>
    /// <param name="source">What to add.</param>
    /// <param name="sourceOffset">First element to read.</param>
    /// <param name="target">Added to.</param>
    /// <param name="targetOffset">First element to change.</param>
    /// <param name="length">Number of elements.</param>
    public abstract void AddBlock(Tensor source, long sourceOffset, Tensor target, long targetOffset, long length);

    /// <summary>Copies a rectangle of rows; the target has the same shape.</summary>
    /// <param name="source">Where from; not transposed.</param>
    /// <param name="target">Where to; must not overlap the source.</param>
    public abstract void CopyMatrix(in Matrix source, in Matrix target);

    /// <summary>x[r] -= y[r mod period].</summary>
    /// <param name="x">[rows, width], changed in place.</param>
    /// <param name="y">[period, width].</param>
    /// <param name="period">Rows of y.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="width">Width of a row.</param>
    public abstract void SubtractRows(Tensor x, Tensor y, int period, int rows, int width);

    /// <summary>Copies what stands above the diagonal of a square matrix to below it.</summary>
    /// <param name="matrix">[size, size], changed in place.</param>
    /// <param name="size">Rows and columns.</param>
    public abstract void MirrorUpperTriangle(Tensor matrix, int size);
}
