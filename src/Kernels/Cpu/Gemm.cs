namespace Gradpath.Kernels.Cpu;

public sealed unsafe partial class CpuDevice
{
    /// <inheritdoc />
    protected override void GemmCore(in Matrix a, in Matrix b, in Matrix c, in GemmOptions options) => GemmNaive.Run(a, b, c, options);
}
