namespace Gradpath.Kernels.Cuda;

public sealed partial class CudaDevice
{
    private Kernel? _layerNorm;

    /// <inheritdoc />
    public override void LayerNorm(Tensor x, Tensor gain, Tensor shift, float epsilon, int rows, int width, Tensor mean, Tensor rstd, Tensor y) =>
        Launch(Load(ref _layerNorm, "LayerNorm", "layerNorm"), rows, 128, 0, x, gain, shift, epsilon, width, mean, rstd, y);

    /// <inheritdoc />
    public override void LayerNormBackward(Tensor dy, Tensor x, Tensor gain, Tensor mean, Tensor rstd, int rows, int activationRows, int width, Tensor residualGradient, Tensor? reader, int baseRows, int contributingRows) => throw new NotImplementedException();

    /// <inheritdoc />
    public override void Standardize(Tensor x, Tensor mean, Tensor rstd, DeviceArray<int>? indices, int rows, int width, Tensor output, int outputRow) => throw new NotImplementedException();
}
