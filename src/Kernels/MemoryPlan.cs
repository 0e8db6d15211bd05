namespace Gradpath.Kernels;

/// <summary>
/// Counts what is allocated while a piece of code runs dry, see <see cref="Device.PlannedBytes"/>. Planned arrays get addresses that no
/// memory has, each its own, so that the checks of overlaps hold for them too.
/// </summary>
internal sealed class MemoryPlan
{
    // Beyond every address that a process or a GPU has, and a multiple of every alignment.
    private const long FirstAddress = 1L << 60;
    private const long Alignment = 256;

    private readonly List<DeviceMemory> _arrays = [];
    private long _next = FirstAddress;
    private long _now;

    /// <summary>The most bytes that were allocated and not yet freed at one time.</summary>
    public long PeakBytes { get; private set; }

    /// <summary>Gives out an address.</summary>
    /// <param name="bytes">Bytes that the array would take.</param>
    /// <returns>The address.</returns>
    /// <exception cref="OverflowException">The plan's sum is beyond what a number holds.</exception>
    public nint Take(long bytes)
    {
        long address = _next;
        _next = checked(_next + ((bytes + Alignment - 1) / Alignment * Alignment));
        _now += bytes;
        PeakBytes = Math.Max(PeakBytes, _now);
        return (nint)address;
    }

    /// <summary>Takes note of an array that lives until the plan's end at most.</summary>
    /// <param name="array">The array.</param>
    public void Add(DeviceMemory array) => _arrays.Add(array);

    /// <summary>Takes note that an array has been disposed of.</summary>
    /// <param name="bytes">Its bytes.</param>
    public void Remove(long bytes) => _now -= bytes;

    /// <summary>Ends the life of every array of the plan.</summary>
    public void End()
    {
        foreach (DeviceMemory array in _arrays) array.EndWithPlan();
        _arrays.Clear();
    }
}
