namespace Gradpath.Kernels.Cuda;

public sealed partial class CudaDevice
{
    /// <inheritdoc />
    public override void AccumulateReaders(Tensor dy, Tensor y, Tensor constant, Tensor gainSums, Tensor rstd, int readers, int headWidth, int width, int rows, int activationRows, int baseRows, Tensor sums, Tensor offsets, Tensor coefficients, int firstPoint) => throw new NotImplementedException();

    /// <inheritdoc />
    public override void FinishReaders(Tensor gradients, long firstElement, Tensor gain, Tensor offsets, Tensor coefficients, Tensor standardized, int readers, int rows, int width, int points) => throw new NotImplementedException();

    /// <inheritdoc />
    public override void ContractEdges(Tensor delta, int writers, Tensor gradients, int readers, long length, DeviceArray<double> scores, int stride, int firstColumn) => throw new NotImplementedException();

    /// <inheritdoc />
    public override void Proximity(Tensor input, Tensor writerOutputs, int writers, int rows, int width, Tensor rowWeights, DeviceArray<double> scores, int stride, int column) => throw new NotImplementedException();
}
