namespace Gradpath.Kernels.Cuda;

public sealed partial class CudaDevice
{
    /// <inheritdoc />
    protected override void GemmCore(in Matrix a, in Matrix b, in Matrix c, in GemmOptions options) => throw new NotImplementedException();
}
