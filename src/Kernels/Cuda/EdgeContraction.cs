namespace Gradpath.Kernels.Cuda;

public sealed partial class CudaDevice
{
    /// <inheritdoc />
    public override void ContractEdges(Tensor delta, int writers, Tensor gradients, int readers, long length, DeviceArray<double> scores, int stride, int firstColumn) => throw new NotImplementedException();
}
