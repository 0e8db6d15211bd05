namespace Gradpath.Kernels.Cuda;

public sealed partial class CudaDevice
{
    /// <inheritdoc />
    public override void SampleHardConcrete(Tensor logAlpha, int count, ulong seed, uint step, Tensor z, Tensor slope) => throw new NotImplementedException();

    /// <inheritdoc />
    public override void PlaceMasks(Tensor z, MaskLayout layout, Tensor mask) => throw new NotImplementedException();

    /// <inheritdoc />
    public override void MaskGradients(DeviceArray<double> scores, MaskLayout layout, Tensor z, Tensor slope, double scale, double edgePull, double gatePull, Tensor gradient) => throw new NotImplementedException();

    /// <inheritdoc />
    public override void AdamWStep(Tensor parameters, Tensor gradient, Tensor firstMoment, Tensor secondMoment, int count, in AdamWStepOptions options) => throw new NotImplementedException();
}
