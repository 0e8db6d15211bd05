namespace Gradpath.Kernels.Cuda;

public sealed partial class CudaDevice
{
    /// <inheritdoc />
    public override void MixInputs(Tensor baseline, Tensor total, Tensor differences, MixPlan plan, int inputs, int rows, int width, Tensor output) => throw new NotImplementedException();
}
