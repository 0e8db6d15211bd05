using Gradpath.Kernels;

namespace Gradpath.Tests.Support;

/// <summary>That work which is done over and over allocates nothing.</summary>
internal static class Allocations
{
    // The runtime keeps tables of its own (of casts, for one), which grow once in a while on whichever thread comes by. Work that allocates
    // does so every time.
    private const int Attempts = 5;

    /// <summary>
    /// Does work until it is warm, and then again: it must allocate nothing on the calling thread and reserve nothing on the device. Memory
    /// of the device that is freed again counts too.
    /// </summary>
    /// <param name="device">The device.</param>
    /// <param name="work">The work; all of it on the calling thread.</param>
    public static void None(Device device, Action work)
    {
        work();
        work();
        long reserved = device.ReservedBytes;
        NoneManaged(work);
        Assert.Equal(reserved, device.ReservedBytes);
    }

    /// <summary>Does work that is warm: it must allocate nothing on the calling thread.</summary>
    /// <param name="work">The work.</param>
    public static void NoneManaged(Action work)
    {
        long least = long.MaxValue;
        for (int attempt = 0; attempt < Attempts && least > 0; attempt++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < 3; i++) work();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        Assert.Equal(0, least);
    }
}
