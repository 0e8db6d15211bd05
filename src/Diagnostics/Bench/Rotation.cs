using Gradpath.Diagnostics.Ops;
using Gradpath.Kernels;

namespace Gradpath.Diagnostics.Bench;

/// <summary>
/// An op on several sets of operands in turn, together larger than the device's cache, so that each call finds what it would find within a
/// pass; on a GPU the calls are one graph, so that the host's time to issue them does not count.
/// </summary>
internal sealed class Rotation : IDisposable
{
    // Of an emulator two: enough to go round.
    private const int MostCopies = 64, EmulatedCopies = 2;

    private readonly WorkOperands _operands;
    private readonly Device _device;
    private readonly Action[] _calls;
    private readonly RecordedPass _pass = new() { Repeats = true };
    private bool _direct;

    /// <summary>Makes the sets.</summary>
    /// <param name="device">The device.</param>
    /// <param name="bytes">Bytes of one set.</param>
    /// <param name="prepare">Makes a set and gives back the call.</param>
    public Rotation(Device device, double bytes, Func<WorkOperands, Action> prepare)
    {
        _device = device;
        _operands = new WorkOperands(device);
        _calls = new Action[CopiesFor(device, bytes)];
        try
        {
            for (int i = 0; i < _calls.Length; i++) _calls[i] = prepare(_operands);
        }
        catch
        {
            _operands.Dispose();
            throw;
        }
    }

    /// <summary>Calls of one <see cref="Run"/>.</summary>
    public int Copies => _calls.Length;

    /// <summary>Calls the op on every set.</summary>
    public void Run()
    {
        if (_direct)
        {
            CallAll(this);
            return;
        }
        try
        {
            _device.Replay(_pass, this, CallAll);
        }
        catch (InvalidOperationException) when (_device.Replays)
        {
            // An op that waits for the device, or brings numbers from the host, is no part of a graph.
            _direct = true;
            CallAll(this);
        }
    }

    /// <summary>Forgets the graph, after something has changed that the calls depend on.</summary>
    public void Forget() => _pass.Dispose();

    /// <inheritdoc />
    public void Dispose()
    {
        _pass.Dispose();
        _operands.Dispose();
    }

    private static void CallAll(Rotation rotation)
    {
        foreach (Action call in rotation._calls) call();
    }

    private static int CopiesFor(Device device, double bytes)
    {
        if (device.CacheBytes == 0) return 1;
        if (device.IsEmulated) return EmulatedCopies;
        double each = Math.Max(bytes, 1), room = Math.Max(1, device.FreeMemory / 4 / each);
        return (int)Math.Clamp(Math.Ceiling(2 * device.CacheBytes / each) + 1, 1, Math.Min(MostCopies, room));
    }
}
