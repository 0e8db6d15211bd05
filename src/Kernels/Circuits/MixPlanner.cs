namespace Gradpath.Kernels.Circuits;

/// <summary>
/// Makes one <see cref="MixPlan"/> after the other in the same memory, which grows to what the largest takes: a pass that has run before
/// allocates nothing.
/// </summary>
/// <param name="device">The device.</param>
internal sealed class MixPlanner(Device device) : IDisposable
{
    private int[] _host = [];
    private DeviceArray<int>? _numbers;
    private MixPlan? _plan;
    private int _most;
    private int _copies;
    private int _slots;

    /// <summary>Number of inputs.</summary>
    public int Inputs { get; private set; }

    /// <summary>Number of slots that all inputs list.</summary>
    public int Listed { get; private set; }

    private int SlotsAt => (3 * _most) + 1;

    /// <summary>Begins a plan; the one before is gone.</summary>
    /// <param name="inputs">How many inputs it will have at most.</param>
    public void Begin(int inputs)
    {
        Inputs = 0;
        Listed = 0;
        _copies = 0;
        _slots = 0;
        if (inputs <= _most) return;
        _most = inputs;
        Grow(0);
    }

    /// <summary>Adds an input, so far without slots.</summary>
    /// <param name="copy">The copy whose total it may start from.</param>
    /// <param name="takesTotal">Whether it starts from the total and subtracts its slots.</param>
    public void AddInput(int copy, bool takesTotal)
    {
        if (Inputs == _most) throw new InvalidOperationException("the plan has more inputs than it was begun for");
        _host[Inputs] = copy;
        _host[_most + Inputs] = takesTotal ? 1 : 0;
        if (takesTotal) _copies = Math.Max(_copies, copy + 1);
        Inputs++;
        _host[(2 * _most) + Inputs] = Listed;
    }

    /// <summary>Adds a slot to the last input.</summary>
    /// <param name="slot">The slot.</param>
    public void AddSlot(int slot)
    {
        if (SlotsAt + Listed == _host.Length) Grow(Listed);
        _host[SlotsAt + Listed] = slot;
        _slots = Math.Max(_slots, slot + 1);
        _host[(2 * _most) + Inputs] = ++Listed;
    }

    /// <summary>Brings the plan to the device.</summary>
    /// <returns>The plan, good until the next begins.</returns>
    public MixPlan Upload()
    {
        if (_plan is null || _numbers!.Length != _host.Length)
        {
            _numbers?.Dispose();
            _numbers = device.AllocateArray<int>(_host.Length);
            _plan = new MixPlan(
                Part(0, _most), Part(_most, _most), Part(2 * _most, _most + 1), Part(SlotsAt, _host.Length - SlotsAt), 0, 0, 0);
        }
        _numbers.Upload(_host.AsSpan(0, SlotsAt + Listed));
        return _plan.Value with { Listed = Listed, Copies = _copies, Slots = _slots };
    }

    /// <inheritdoc />
    public void Dispose() => _numbers?.Dispose();

    private void Grow(int listed)
    {
        int room = Math.Max(256, 2 * listed);
        var larger = new int[SlotsAt + room];
        if (listed > 0) Array.Copy(_host, larger, _host.Length);
        _host = larger;
        _plan = null;
    }

    private DeviceArray<int> Part(int from, int length) => _numbers!.Part(from, length);
}
