using Gradpath.Kernels;
using Gradpath.Kernels.Cuda;
using static Gradpath.Kernels.KernelConstants;

namespace Gradpath.Diagnostics.Ops.Families;

/// <summary>The kernels that measure the machine. They serve no op.</summary>
internal static class RateKernels
{
    private const int Blocks = 2, Steps = 8;

    /// <summary>All of them.</summary>
    public static IReadOnlyList<KernelCase> All { get; } =
    [
        .. RateLoop.All.Select(loop => new KernelCase(
            loop.Kernel, $"{Blocks} blocks, {Steps} steps", Results, x => x.Device.RunRateLoop(loop, Threads(x), Blocks, Steps))),
        new("rateRead", Shape, Bytes + Results, x => x.Device.RunRateRead(x.Floats(4 * Words), Words, 1, Threads(x), Blocks)),
        new("rateWrite", Shape, Bytes, x => x.Device.RunRateWrite(x.Floats(4 * Words), Words, 1, Blocks)),
        new("rateCopy", Shape, 2 * Bytes, x => x.Device.RunRateCopy(x.Floats(4 * Words), x.Floats(4 * Words), Words, Blocks)),
        new("rateNothing", "1 number", 64, x => x.Device.RunRateNothing(x.Floats(1))),
    ];

    private static long Words => 2 * CudaDevice.RateWords(Blocks);

    private static string Shape => $"{Words} words";

    private static double Bytes => 16.0 * Words;

    private static double Results => Counted.Float * Blocks * RateThreads;

    private static Tensor Threads(KernelOperands x) => x.Floats(Blocks * RateThreads);
}
