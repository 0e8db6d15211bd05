using Gradpath.Kernels;
using Gradpath.Kernels.Cpu;

namespace Gradpath.Tests.Support.Ops;

/// <summary>
/// The devices that the tests of operations run on: the processor with 1, 2 and 3 threads, which must give the same bits. A project that
/// runs them on another device says so before its first test.
/// </summary>
internal static class OpDevices
{
    public static IReadOnlyList<Func<Device>> All { get; set; } = [() => new CpuDevice(1), () => new CpuDevice(2), () => new CpuDevice(3)];

    /// <summary>Rows enough to show that a number of rows has no bound.</summary>
    public static int ManyRows { get; set; } = 600_000;
}
