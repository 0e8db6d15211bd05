using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Gradpath.Kernels;

// What stands between the checks of an operation and the device: an open device that neither plans nor is watched goes straight on.
public abstract partial class Device
{
    private CallState _state;
    private IOpWatcher? _watcher;
    private CancellationToken _stop;

    [Flags]
    private enum CallState
    {
        Straight = 0,
        Closed = 1,
        Planning = 2,
        Watched = 4,
    }

    /// <summary>
    /// Who is told of every operation; null for nobody. While somebody is, passes are not replayed, or their operations would not be seen.
    /// </summary>
    internal IOpWatcher? Watcher
    {
        get => _watcher;
        set
        {
            _watcher = value;
            _state = value is null ? _state & ~CallState.Watched : _state | CallState.Watched;
        }
    }

    /// <summary>
    /// Lets a run be stopped between two operations, and not only where it asks: from then on operations that compute end with an
    /// <see cref="OperationCanceledException"/> once the token says so. Data can still be moved. A token that cannot be cancelled changes
    /// nothing.
    /// </summary>
    /// <param name="cancellation">Stops the run.</param>
    /// <returns>Ends it; what was there before holds again.</returns>
    internal IDisposable StopOn(CancellationToken cancellation)
    {
        CancellationToken before = _stop;
        if (cancellation.CanBeCanceled) _stop = cancellation;
        return new Unstop(this, before);
    }

    /// <summary>Waits until every operation issued so far is done.</summary>
    internal void Synchronize()
    {
        ObjectDisposedException.ThrowIf(IsClosed, this);
        if (!IsPlanning) SynchronizeCore();
    }

    /// <summary>Times operations.</summary>
    /// <param name="work">Issues the operations once; it has run before, so that nothing is allocated, compiled or captured now.</param>
    /// <param name="repeats">How often to issue them in a row.</param>
    /// <returns>Seconds of one repetition: from an idle device to the last result, divided by the repeats.</returns>
    internal double Time(Action work, int repeats)
    {
        ArgumentNullException.ThrowIfNull(work);
        ArgumentOutOfRangeException.ThrowIfLessThan(repeats, 1);
        return TimeCore(work, repeats);
    }

    /// <summary>Waits until every operation issued so far is done.</summary>
    private protected virtual void SynchronizeCore()
    {
    }

    /// <summary>Times operations.</summary>
    /// <param name="work">Issues the operations once.</param>
    /// <param name="repeats">At least 1.</param>
    /// <returns>Seconds of one repetition.</returns>
    private protected virtual double TimeCore(Action work, int repeats)
    {
        Synchronize();
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < repeats; i++) work();
        Synchronize();
        return Stopwatch.GetElapsedTime(start).TotalSeconds / repeats;
    }

    private protected bool IsClosed => (_state & CallState.Closed) != 0;

    // Whether an operation is to be done, after its operands have been checked. Each that is ends with Ended.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool Begins(string op) => GoesStraight || BeginsSpecially(op, default);

    private bool GoesStraight => _state == CallState.Straight && !_stop.IsCancellationRequested;

    // The same for what moves data and computes nothing: a run that is stopped can still save what it has.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool Moves(string op) => _state == CallState.Straight || MovesSpecially(op, default);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Ended()
    {
        if (_state != CallState.Straight) _watcher?.End();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool BeginsSpecially(string op, in ProductShape product)
    {
        if (!IsClosed && !IsPlanning) _stop.ThrowIfCancellationRequested();
        return MovesSpecially(op, product);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool MovesSpecially(string op, in ProductShape product)
    {
        ObjectDisposedException.ThrowIf(IsClosed, this);
        if (IsPlanning) return false;
        _watcher?.Begin(op, product);
        return true;
    }

    // Returns whether the device was open.
    private bool Close()
    {
        if (IsClosed) return false;
        _state |= CallState.Closed;
        return true;
    }

    private sealed class Unstop(Device device, CancellationToken before) : IDisposable
    {
        public void Dispose() => device._stop = before;
    }
}
