namespace Gradpath.Kernels.Cuda;

public sealed partial class CudaDevice
{
    /// <inheritdoc />
    public override void Activate(ActivationFunction function, Tensor x, long length, Tensor output) => throw new NotImplementedException();

    /// <inheritdoc />
    public override void MultiplyRows(Tensor gradient, Tensor derivative, int rows, int activationRows, int width) => throw new NotImplementedException();
}
