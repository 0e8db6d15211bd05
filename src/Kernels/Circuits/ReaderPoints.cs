namespace Gradpath.Kernels.Circuits;

/// <summary>
/// What a backward pass has found at a group of readers, and where it is added; see <see cref="Device.AccumulateReaders"/>.
/// </summary>
/// <param name="Dy">[gradient rows, readers * head width]: gradients at the readers' outputs.</param>
/// <param name="Y">[activation rows, readers * head width]: the outputs, biases included.</param>
/// <param name="Constant">[readers * head width]: b + W^T shift.</param>
/// <param name="GainSums">[readers * head width]: W^T gain.</param>
/// <param name="Rstd">[activation rows].</param>
/// <param name="Readers">The readers.</param>
/// <param name="Rows">The rows; gradient rows are points * base rows.</param>
/// <param name="Into">Added to; the coefficients are written.</param>
/// <param name="FirstPoint">Point of the coefficients that row 0 belongs to.</param>
internal readonly record struct ReaderPoints(
    Tensor Dy,
    Tensor Y,
    Tensor Constant,
    Tensor GainSums,
    Tensor Rstd,
    ReaderGroup Readers,
    GradientRows Rows,
    ReaderSums Into,
    int FirstPoint);
