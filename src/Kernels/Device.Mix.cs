namespace Gradpath.Kernels;

/// <summary>
/// Which rows of differences make up the inputs of readers in a patched pass, as compressed lists: input i takes the entries
/// Start[i] .. Start[i + 1] of Slot, each with the sign of its input.
/// </summary>
/// <param name="Copy">[inputs]: the copy whose total an input may start from.</param>
/// <param name="TakesTotal">[inputs]: 1 where the input starts from the total and subtracts its slots, 0 where it adds them to the baseline.</param>
/// <param name="Start">[inputs + 1].</param>
/// <param name="Slot">Slot numbers.</param>
public sealed record MixPlan(DeviceArray<int> Copy, DeviceArray<int> TakesTotal, DeviceArray<int> Start, DeviceArray<int> Slot) : IDisposable
{
    /// <inheritdoc />
    public void Dispose()
    {
        Copy.Dispose();
        TakesTotal.Dispose();
        Start.Dispose();
        Slot.Dispose();
    }
}

/// <summary>
/// Makes one <see cref="MixPlan"/> after the other in the same memory, which grows to what the largest takes: a pass that has run before
/// allocates nothing.
/// </summary>
/// <param name="device">The device.</param>
public sealed class MixPlanner(Device device) : IDisposable
{
    private int[] _host = [];
    private DeviceArray<int>? _numbers;
    private MixPlan? _plan;
    private int _most;

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
        Inputs++;
        _host[(2 * _most) + Inputs] = Listed;
    }

    /// <summary>Adds a slot to the last input.</summary>
    /// <param name="slot">The slot.</param>
    public void AddSlot(int slot)
    {
        if (SlotsAt + Listed == _host.Length) Grow(Listed);
        _host[SlotsAt + Listed] = slot;
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
            _plan = new MixPlan(Part(0, _most), Part(_most, _most), Part(2 * _most, _most + 1), Part(SlotsAt, _host.Length - SlotsAt));
        }
        _numbers.Upload(_host.AsSpan(0, SlotsAt + Listed));
        return _plan;
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

    private DeviceArray<int> Part(int from, int length) => new(device, _numbers!.Address + (from * sizeof(int)), length, owned: false, keepAlive: _numbers);
}

// Mix: the inputs of readers in a patched forward pass, mask times difference.
public abstract partial class Device
{
    /// <summary>
    /// The input of each reader: output[i] = baseline + sum over its slots of differences[slot], or, where that is shorter,
    /// baseline + total[copy] - sum over its slots.
    /// </summary>
    /// <param name="baseline">[rows, width]: the residual stream with every writer ablated.</param>
    /// <param name="total">[copies, rows, width]: the sum of all writers' differences so far.</param>
    /// <param name="differences">[slots, rows, width].</param>
    /// <param name="plan">Which slots each input takes.</param>
    /// <param name="inputs">Number of inputs.</param>
    /// <param name="rows">Rows of one copy.</param>
    /// <param name="width">Width of a row.</param>
    /// <param name="output">[inputs, rows, width].</param>
    public abstract void MixInputs(Tensor baseline, Tensor total, Tensor differences, MixPlan plan, int inputs, int rows, int width, Tensor output);
}
