using System.Runtime.CompilerServices;

namespace Gradpath.Kernels;

// LayerNorm: y = gain (x - mean) rstd + shift per row, rstd = 1 / sqrt(variance + epsilon), and its backward pass.
public abstract partial class Device
{
    /// <summary>Normalises rows and keeps what the backward pass needs. No result may overlap another operand.</summary>
    /// <param name="x">[rows, width].</param>
    /// <param name="gain">[width].</param>
    /// <param name="shift">[width].</param>
    /// <param name="epsilon">Added to the variance (mean of squared deviations, not the unbiased estimate).</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="width">Width of a row.</param>
    /// <param name="mean">[rows], out.</param>
    /// <param name="rstd">[rows], out.</param>
    /// <param name="y">[rows, width], out.</param>
    internal void LayerNorm(Tensor x, Tensor gain, Tensor shift, float epsilon, int rows, int width, Tensor mean, Tensor rstd, Tensor y)
    {
        AtLeast(0, rows);
        AtLeast(1, width);
        long size = Size(rows, width);
        Need(x, size);
        Need(gain, width);
        Need(shift, width);
        Need(mean, rows);
        Need(rstd, rows);
        Need(y, size);
        Apart(y, size, x, size);
        Apart(y, size, gain, width);
        Apart(y, size, shift, width);
        Apart(y, size, mean, rows);
        Apart(y, size, rstd, rows);
        Apart(mean, rows, x, size);
        Apart(mean, rows, gain, width);
        Apart(mean, rows, shift, width);
        Apart(mean, rows, rstd, rows);
        Apart(rstd, rows, x, size);
        Apart(rstd, rows, gain, width);
        Apart(rstd, rows, shift, width);
        if (!Begins(nameof(LayerNorm))) return;
        LayerNormCore(x, gain, shift, epsilon, rows, width, mean, rstd, y);
        Ended();
    }

    /// <summary>sum = x + addend, and <see cref="LayerNorm"/> of it. No result may overlap another operand.</summary>
    /// <param name="x">[rows, width].</param>
    /// <param name="addend">[rows, width].</param>
    /// <param name="sum">[rows, width], out.</param>
    /// <param name="gain">[width].</param>
    /// <param name="shift">[width].</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="width">Width of a row.</param>
    /// <param name="mean">[rows], out.</param>
    /// <param name="rstd">[rows], out.</param>
    /// <param name="y">[rows, width], out.</param>
    internal void AddLayerNorm(
        Tensor x, Tensor addend, Tensor sum, Tensor gain, Tensor shift, float epsilon, int rows, int width, Tensor mean, Tensor rstd,
        Tensor y)
    {
        AtLeast(0, rows);
        AtLeast(1, width);
        long size = Size(rows, width);
        Need(x, size);
        Need(addend, size);
        Need(sum, size);
        Need(gain, width);
        Need(shift, width);
        Need(mean, rows);
        Need(rstd, rows);
        Need(y, size);
        Apart(sum, size, x, size);
        Apart(sum, size, addend, size);
        Apart(sum, size, gain, width);
        Apart(sum, size, shift, width);
        Apart(sum, size, mean, rows);
        Apart(sum, size, rstd, rows);
        Apart(y, size, x, size);
        Apart(y, size, addend, size);
        Apart(y, size, sum, size);
        Apart(y, size, gain, width);
        Apart(y, size, shift, width);
        Apart(y, size, mean, rows);
        Apart(y, size, rstd, rows);
        Apart(mean, rows, x, size);
        Apart(mean, rows, addend, size);
        Apart(mean, rows, gain, width);
        Apart(mean, rows, shift, width);
        Apart(mean, rows, rstd, rows);
        Apart(rstd, rows, x, size);
        Apart(rstd, rows, addend, size);
        Apart(rstd, rows, gain, width);
        Apart(rstd, rows, shift, width);
        if (!Begins(nameof(AddLayerNorm))) return;
        AddLayerNormCore(x, addend, sum, gain, shift, epsilon, rows, width, mean, rstd, y);
        Ended();
    }

    /// <summary>
    /// With t = gain dy: dx = rstd (t - mean(t) - xhat mean(t xhat)); residualGradient += dx, and where a reader is given its
    /// gradient summed over copies: reader[row of the first copy] += dx. No result may overlap another operand. Where rows are chosen,
    /// gradient row r belongs to row chosen[r] of x, mean, rstd and the residual gradient.
    /// </summary>
    /// <param name="dy">[gradient rows, width].</param>
    /// <param name="x">[activation rows, width]: the forward input.</param>
    /// <param name="gain">[width].</param>
    /// <param name="mean">[activation rows].</param>
    /// <param name="rstd">[activation rows].</param>
    /// <param name="rows">The rows; gradient rows are a multiple of activation rows and of base rows.</param>
    /// <param name="width">Width of a row.</param>
    /// <param name="residualGradient">[gradient rows, width], added to.</param>
    /// <param name="reader">[base rows, width], added to; or null.</param>
    /// <param name="contributingRows">Only gradient rows below this are added to the reader.</param>
    /// <param name="chosen">[gradient rows], ascending: rows of all but dy and the reader, which have any number; null for the first
    /// ones.</param>
    /// <param name="fresh">Whether dx takes the place of what the residual gradient had, in place of being added.</param>
    /// <param name="clearedRows">Where rows are chosen: those of the residual gradient below this that are not become zeros.</param>
    internal void LayerNormBackward(
        Tensor dy,
        Tensor x,
        Tensor gain,
        Tensor mean,
        Tensor rstd,
        in GradientRows rows,
        int width,
        Tensor residualGradient,
        Tensor? reader,
        int contributingRows,
        DeviceArray<int>? chosen = null,
        bool fresh = false,
        int clearedRows = 0)
    {
        Need(rows);
        if (rows.Rows > 0 && rows.Rows % rows.ActivationRows != 0)
        {
            OpErrors.NoMultiple(nameof(LayerNormBackward), "rows.Rows", rows.Rows, "rows.ActivationRows", rows.ActivationRows);
        }
        AtLeast(1, width);
        AtLeast(0, contributingRows);
        AtMost(rows.Rows, contributingRows);
        long size = Size(rows.Rows, width), activations = Size(rows.ActivationRows, width);
        Need(dy, size);
        Need(gain, width);
        AtLeast(0, clearedRows);
        long target = size;
        if (chosen is null)
        {
            AtMost(0, clearedRows);
            Need(x, activations);
            Need(mean, rows.ActivationRows);
            Need(rstd, rows.ActivationRows);
            Need(residualGradient, size);
        }
        else
        {
            Need(chosen, rows.Rows);
            NeedRows(x, rows.Rows, width);
            Need(mean, x.Length / width);
            Need(rstd, x.Length / width);
            NeedRows(residualGradient, rows.Rows, width);
            Need(residualGradient, Size(clearedRows, width));
            (target, activations) = (residualGradient.Length, x.Length);
        }
        Apart(residualGradient, target, dy, size);
        Apart(residualGradient, target, x, activations);
        Apart(residualGradient, target, gain, width);
        Apart(residualGradient, target, mean, mean.Length);
        Apart(residualGradient, target, rstd, rstd.Length);
        if (reader is not null)
        {
            long all = Size(rows.BaseRows, width);
            Need(reader, all);
            Apart(reader, all, dy, size);
            Apart(reader, all, x, activations);
            Apart(reader, all, gain, width);
            Apart(reader, all, mean, mean.Length);
            Apart(reader, all, rstd, rstd.Length);
            Apart(reader, all, residualGradient, target);
        }
        if (rows.Rows == 0 || !Begins(nameof(LayerNormBackward))) return;
        LayerNormBackwardCore(dy, x, gain, mean, rstd, rows, width, residualGradient, reader, contributingRows, chosen, fresh, clearedRows);
        Ended();
    }

    /// <summary>
    /// output[outputRow + i] = (x[r] - mean[r]) rstd[r] with r = indices[i], or i: normalised rows without gain and shift.
    /// </summary>
    /// <param name="x">[*, width].</param>
    /// <param name="mean">[*].</param>
    /// <param name="rstd">[*].</param>
    /// <param name="indices">Rows to take, or null for the first ones.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="width">Width of a row.</param>
    /// <param name="output">[*, width]; must not overlap another operand.</param>
    /// <param name="outputRow">First row to write.</param>
    internal void Standardize(
        Tensor x, Tensor mean, Tensor rstd, DeviceArray<int>? indices, int rows, int width, Tensor output, int outputRow)
    {
        AtLeast(0, rows);
        AtLeast(1, width);
        AtLeast(0, outputRow);
        long size = Product((long)outputRow + rows, width);
        if (indices is null)
        {
            Need(x, Size(rows, width));
            Need(mean, rows);
            Need(rstd, rows);
        }
        else
        {
            Need(indices, rows);
            NeedRows(x, rows, width);
            Need(mean, x.Length / width);
            Need(rstd, x.Length / width);
        }
        Need(output, size);
        Apart(output, size, x, x.Length);
        Apart(output, size, mean, mean.Length);
        Apart(output, size, rstd, rstd.Length);
        if (!Begins(nameof(Standardize))) return;
        StandardizeCore(x, mean, rstd, indices, rows, width, output, outputRow);
        Ended();
    }

    /// <inheritdoc cref="LayerNorm" />
    private protected abstract void LayerNormCore(
        Tensor x, Tensor gain, Tensor shift, float epsilon, int rows, int width, Tensor mean, Tensor rstd, Tensor y);

    /// <inheritdoc cref="AddLayerNorm" />
    private protected abstract void AddLayerNormCore(
        Tensor x, Tensor addend, Tensor sum, Tensor gain, Tensor shift, float epsilon, int rows, int width, Tensor mean, Tensor rstd,
        Tensor y);

    /// <inheritdoc cref="LayerNormBackward" />
    private protected abstract void LayerNormBackwardCore(
        Tensor dy,
        Tensor x,
        Tensor gain,
        Tensor mean,
        Tensor rstd,
        in GradientRows rows,
        int width,
        Tensor residualGradient,
        Tensor? reader,
        int contributingRows,
        DeviceArray<int>? chosen,
        bool fresh,
        int clearedRows);

    /// <inheritdoc cref="Standardize" />
    private protected abstract void StandardizeCore(
        Tensor x, Tensor mean, Tensor rstd, DeviceArray<int>? indices, int rows, int width, Tensor output, int outputRow);

    /// <summary>Requires rows of a backward pass that go together.</summary>
    private static void Need(in GradientRows rows, [CallerMemberName] string op = "")
    {
        int least = rows.Rows == 0 ? 0 : 1;
        AtLeast(0, rows.Rows, "rows.Rows", op);
        AtLeast(least, rows.ActivationRows, "rows.ActivationRows", op);
        AtLeast(least, rows.BaseRows, "rows.BaseRows", op);
        if (rows.Rows > 0 && rows.Rows % rows.BaseRows != 0)
        {
            OpErrors.NoMultiple(op, "rows.Rows", rows.Rows, "rows.BaseRows", rows.BaseRows);
        }
    }
}
