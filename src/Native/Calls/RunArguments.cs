using System.Runtime.InteropServices;

namespace Gradpath.Native.Calls;

/// <summary>
/// <c>gradpath_run</c> of gradpath.h: what a long call is told beside its options. Fields are only ever added at the end.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct RunArguments
{
    /// <summary>The size that the caller knows, in bytes.</summary>
    public nuint Size;

    /// <summary>A handle that stops the call; null for none.</summary>
    public nint Stop;

    /// <summary>Handed to the functions.</summary>
    public void* User;

    /// <summary>Told how far the call is; not 0 stops it.</summary>
    public delegate* unmanaged[Cdecl]<void*, ulong, ulong, byte*, int> Progress;

    /// <summary>A metric of the caller's; not 0 fails the call.</summary>
    public delegate* unmanaged[Cdecl]<void*, nuint, float*, float*, nuint, float*, double*, int> Metric;

    /// <summary>What result files call the metric.</summary>
    public byte* MetricName;

    /// <summary>Bytes of the name.</summary>
    public nuint MetricNameLength;

    /// <summary>What holds for the metric: 1 where less is better, 2 where it is a distance from the clean run.</summary>
    public uint MetricTraits;
}
