namespace Gradpath.Kernels.Cpu;

/// <summary>
/// Runs the parts of a job on all cores without allocating. Threads that wait spin for a moment, because the next job of a pass
/// follows within microseconds, and then sleep. Parts are taken in order from one counter; which thread does a part may differ from
/// run to run, so a job must give the same result whoever does what.
/// </summary>
/// <remarks>
/// A run ends when its parts are done, whether or not every thread has come: on a busy machine nobody waits for a thread that the system
/// has put aside between two jobs. What makes a late thread harmless is the ticket. One number holds how many parts are open and which run
/// they belong to; a thread takes a part by lowering it, and a thread that took one keeps the run, and so the job's memory, alive until it
/// is done.
/// </remarks>
internal sealed unsafe class WorkerPool : IDisposable
{
    private const int SpinIterations = 2000;

    // The ticket's low half counts from here, so that takers who come too late can lower it without disturbing the run's number above it.
    private const long NoneOpen = 1L << 30;
    private const long LowHalf = 0xFFFF_FFFF;

    private readonly Thread[] _threads;
    private readonly Bed[] _beds;
    private readonly Lock _runLock = new();
    private delegate*<void*, int, int, void> _invoke;
    private void* _job;
    private int _parts;
    private int _done;
    private long _run;
    private long _ticket = NoneOpen;
    private volatile bool _stopped;
    private volatile Exception? _failure;

    /// <summary>Starts a pool.</summary>
    /// <param name="workers">Number of threads that compute, the caller's included; at least 1.</param>
    public WorkerPool(int workers)
    {
        Workers = Math.Max(1, workers);
        _threads = new Thread[Workers - 1];
        _beds = new Bed[_threads.Length];
        for (int i = 0; i < _beds.Length; i++) _beds[i] = new Bed();
        int started = 0;
        try
        {
            for (; started < _threads.Length; started++)
            {
                int worker = started + 1;
                _threads[started] = new Thread(() => Loop(worker)) { IsBackground = true, Name = $"Gradpath worker {worker}" };
                _threads[started].Start();
            }
        }
        catch
        {
            // The system has no thread left for this one; those before it are given back.
            Stop(started);
            throw;
        }
    }

    /// <summary>Number of threads that compute, the caller's included.</summary>
    public int Workers { get; }

    /// <summary>Runs parts 0 to <paramref name="parts"/> - 1 of a job and returns when all are done.</summary>
    /// <typeparam name="TJob">The job; must hold no managed references.</typeparam>
    /// <param name="job">The job, which every thread reads in place.</param>
    /// <param name="parts">Number of parts, below 2^30.</param>
    /// <exception cref="InvalidOperationException">A part threw the inner exception; parts not yet begun were left out.</exception>
    public void Run<TJob>(ref TJob job, int parts)
        where TJob : unmanaged, IParallelJob
    {
        if (parts <= 0) return;
        lock (_runLock)
        {
            fixed (TJob* pointer = &job)
            {
                _job = pointer;
                _invoke = &Invoke<TJob>;
                _parts = parts;
                _done = 0;
                _failure = null;
                Interlocked.Exchange(ref _ticket, (++_run << 32) | (NoneOpen + parts));
                for (int i = 0; i < _beds.Length && i < parts - 1; i++) _beds[i].Wake();
                TakeParts(0);
                SpinWait wait = default;
                while (Volatile.Read(ref _done) < parts) wait.SpinOnce(sleep1Threshold: -1);
                _job = null;
            }
            if (_failure is { } failure)
            {
                throw new InvalidOperationException("a part of a parallel job failed: " + failure.Message, failure);
            }
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        if (!_stopped) Stop(_threads.Length);
    }

    private void Stop(int started)
    {
        _stopped = true;
        Interlocked.MemoryBarrier();
        foreach (Bed bed in _beds) bed.Wake();
        foreach (Thread thread in _threads.AsSpan(0, started)) thread.Join();
        foreach (Bed bed in _beds) bed.Dispose();
    }

    private static void Invoke<TJob>(void* job, int part, int worker)
        where TJob : unmanaged, IParallelJob => ((TJob*)job)->Execute(part, worker);

    private bool PartsAreOpen() => (Volatile.Read(ref _ticket) & LowHalf) > NoneOpen;

    private void TakeParts(int worker)
    {
        while (PartsAreOpen())
        {
            long left = (Interlocked.Decrement(ref _ticket) & LowHalf) - NoneOpen;
            if (left < 0) return;
            int part = _parts - 1 - (int)left;
            try
            {
                if (_failure == null) _invoke(_job, part, worker);
            }
#pragma warning disable CA1031 // the exception of any part is handed to the caller of Run
            catch (Exception e)
#pragma warning restore CA1031
            {
                _failure = e;
            }
            Interlocked.Increment(ref _done);
        }
    }

    private void Loop(int worker)
    {
        Bed bed = _beds[worker - 1];
        int spins = 0;
        while (!_stopped)
        {
            if (PartsAreOpen())
            {
                TakeParts(worker);
                spins = 0;
            }
            else if (++spins < SpinIterations)
            {
                Thread.SpinWait(8);
            }
            else
            {
                bed.LieDown();
                if (PartsAreOpen() || _stopped) bed.GetUp();
                else bed.Wait();
                spins = 0;
            }
        }
    }

    // Where one thread sleeps. Each has its own, because from a shared one a thread could take the call that was meant for another.
    private sealed class Bed() : SemaphoreSlim(0)
    {
        private int _occupied;

        /// <summary>Announces that the thread is about to wait; it must look for work once more before it does.</summary>
        public void LieDown() => Interlocked.Exchange(ref _occupied, 1);

        /// <summary>Takes the announcement back; if the thread has been called meanwhile, takes the call.</summary>
        public void GetUp()
        {
            if (Interlocked.Exchange(ref _occupied, 0) == 0) Wait();
        }

        /// <summary>Wakes the thread if it sleeps or is about to.</summary>
        public void Wake()
        {
            if (Volatile.Read(ref _occupied) != 0 && Interlocked.Exchange(ref _occupied, 0) != 0) Release();
        }
    }
}
