using Gradpath.Kernels.Cpu;

namespace Gradpath.Kernels.Tests;

/// <summary>
/// The devices that the tests of operations run on: the processor with 1, 2 and 3 threads, which must give the same bits.
/// </summary>
internal static class OpDevices
{
    /// <summary>Rows enough to show that a number of rows has no bound.</summary>
    public const int ManyRows = 600_000;

    public static IReadOnlyList<Func<Device>> All { get; } = [() => new CpuDevice(1), () => new CpuDevice(2), () => new CpuDevice(3)];
}
