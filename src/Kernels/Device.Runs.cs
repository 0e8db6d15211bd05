namespace Gradpath.Kernels;

// Runs: one at a time.
public abstract partial class Device
{
    private int _runner;
    private int _depth;

    /// <summary>
    /// Enters a run; every public call that computes does so first. A run may call others on the same thread.
    /// </summary>
    /// <returns>Leaves the run when it is disposed of.</returns>
    /// <exception cref="InvalidOperationException">Another thread's run is using the device.</exception>
    /// <exception cref="ObjectDisposedException">The device has been disposed of.</exception>
    internal RunLease EnterRun()
    {
        ObjectDisposedException.ThrowIf(IsClosed, this);
        int thread = Environment.CurrentManagedThreadId;
        int runner = Interlocked.CompareExchange(ref _runner, thread, 0);
        if (runner != 0 && runner != thread)
        {
            throw new InvalidOperationException(
                $"the device {Name} is in use by a run of another thread: wait for that run to end, or open a second device");
        }
        _depth++;
        return new RunLease(this);
    }

    /// <summary>Leaves a run.</summary>
    internal void LeaveRun()
    {
        if (--_depth == 0) Volatile.Write(ref _runner, 0);
    }
}
