namespace Gradpath.Kernels.Cuda;

public sealed partial class CudaDevice
{
    /// <inheritdoc />
    public override void SequenceDots(Tensor x, Tensor y, SequenceLayout layout, int width, DeviceArray<double> values) => throw new NotImplementedException();

    /// <inheritdoc />
    public override void PathStep(Tensor gamma, Tensor gradient, DeviceArray<double> squaredNorms, DeviceArray<double> stepLengths, bool wholeBatchNorm, SequenceLayout layout, int width) => throw new NotImplementedException();
}
