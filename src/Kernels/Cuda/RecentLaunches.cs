namespace Gradpath.Kernels.Cuda;

/// <summary>The last launches since the device was waited for: an error that shows later belongs to one of them.</summary>
internal sealed class RecentLaunches
{
    private const int Most = 4;

    private readonly KernelLaunch[] _launches = new KernelLaunch[Most];
    private long _count;

    /// <summary>Notes a launch.</summary>
    /// <param name="launch">The launch.</param>
    public void Add(in KernelLaunch launch) => _launches[_count++ % Most] = launch;

    /// <summary>Forgets them: all are done.</summary>
    public void Clear() => _count = 0;

    /// <summary>What is known of where an error comes from; empty where nothing was launched.</summary>
    public override string ToString()
    {
        if (_count == 0) return "";
        string before = string.Join(
            ", ", Enumerable.Range(1, (int)Math.Min(Most, _count) - 1).Select(i => _launches[(_count - 1 - i) % Most].ToString()));
        return $" (the last kernel launched is {_launches[(_count - 1) % Most]}{(before.Length == 0 ? "" : $"; before it: {before}")}; "
            + "with CUDA_LAUNCH_BLOCKING=1 in the environment the error shows at the kernel that caused it)";
    }
}
