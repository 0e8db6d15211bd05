namespace Gradpath.Kernels;

// LayerNorm: y = gain (x - mean) rstd + shift per row, rstd = 1 / sqrt(variance + epsilon), and its backward pass.
public abstract partial class Device
{
    /// <summary>Normalises rows and keeps what the backward pass needs.</summary>
    /// <param name="x">[rows, width].</param>
    /// <param name="gain">[width].</param>
    /// <param name="shift">[width].</param>
    /// <param name="epsilon">Added to the variance (mean of squared deviations, not the unbiased estimate).</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="width">Width of a row.</param>
    /// <param name="mean">[rows], out.</param>
    /// <param name="rstd">[rows], out.</param>
    /// <param name="y">[rows, width], out; must not be x.</param>
    public abstract void LayerNorm(Tensor x, Tensor gain, Tensor shift, float epsilon, int rows, int width, Tensor mean, Tensor rstd, Tensor y);

    /// <summary>
    /// With t = gain dy: dx = rstd (t - mean(t) - xhat mean(t xhat)); residualGradient += dx, and where a reader is given its
    /// gradient summed over copies: reader[row mod baseRows] += dx.
    /// </summary>
    /// <param name="dy">[rows, width].</param>
    /// <param name="x">[activationRows, width]: the forward input; gradient row r belongs to row r mod activationRows.</param>
    /// <param name="gain">[width].</param>
    /// <param name="mean">[activationRows].</param>
    /// <param name="rstd">[activationRows].</param>
    /// <param name="rows">Gradient rows; a multiple of activationRows and of baseRows.</param>
    /// <param name="activationRows">Rows of the forward pass.</param>
    /// <param name="width">Width of a row.</param>
    /// <param name="residualGradient">[rows, width], added to.</param>
    /// <param name="reader">[baseRows, width], added to; or null.</param>
    /// <param name="baseRows">Rows of one copy.</param>
    /// <param name="contributingRows">Only gradient rows below this are added to the reader.</param>
    public abstract void LayerNormBackward(
        Tensor dy,
        Tensor x,
        Tensor gain,
        Tensor mean,
        Tensor rstd,
        int rows,
        int activationRows,
        int width,
        Tensor residualGradient,
        Tensor? reader,
        int baseRows,
        int contributingRows);

    /// <summary>output[outputRow + i] = (x[r] - mean[r]) rstd[r] with r = indices[i], or i: normalised rows without gain and shift.</summary>
    /// <param name="x">[*, width].</param>
    /// <param name="mean">[*].</param>
    /// <param name="rstd">[*].</param>
    /// <param name="indices">Rows to take, or null for the first ones.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="width">Width of a row.</param>
    /// <param name="output">[*, width].</param>
    /// <param name="outputRow">First row to write.</param>
    public abstract void Standardize(Tensor x, Tensor mean, Tensor rstd, DeviceArray<int>? indices, int rows, int width, Tensor output, int outputRow);
}
