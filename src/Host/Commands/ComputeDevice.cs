using Gradpath.Kernels;
using Gradpath.Kernels.Cpu;

namespace Gradpath.Host.Commands;

/// <summary>The device that <c>--device</c> names.</summary>
internal static class ComputeDevice
{
    /// <summary>Checks the two options without touching hardware.</summary>
    /// <exception cref="UsageException">The name is unknown or the number of threads is not positive.</exception>
    public static void Check(string name, int? threads)
    {
        MethodOptions.Positive("threads", threads);
        if (name is not ("auto" or "cpu")) throw new UsageException($"--device {name}: no such device; choose auto or cpu.");
    }

    /// <summary>Opens the device.</summary>
    public static Device Open(string name, int? threads)
    {
        Check(name, threads);
        return new CpuDevice(threads ?? 0);
    }
}
