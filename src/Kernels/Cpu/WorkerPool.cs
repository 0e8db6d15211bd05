namespace Gradpath.Kernels.Cpu;

/// <summary>A job of many independent parts; an unmanaged struct, so that handing it to threads allocates nothing.</summary>
internal interface IParallelJob
{
    /// <summary>Does one part.</summary>
    /// <param name="part">Index of the part.</param>
    /// <param name="worker">Index of the thread that does it, below <see cref="WorkerPool.Workers"/>; selects scratch memory.</param>
    void Execute(int part, int worker);
}

/// <summary>
/// Runs the parts of a job on all cores without allocating. Threads that wait spin for a moment, because the next job of a pass
/// follows within microseconds, and then sleep. Parts are taken in order from one counter; which thread does a part may differ from
/// run to run, so a job must give the same result whoever does what.
/// </summary>
internal sealed unsafe class WorkerPool : IDisposable
{
    private const int SpinIterations = 2000;

    private readonly Thread[] _threads;
    private readonly Bed[] _beds;
    private readonly Lock _runLock = new();
    private delegate*<void*, int, int, void> _invoke;
    private void* _job;
    private int _parts;
    private int _next;
    private int _generation;
    private int _busy;
    private volatile bool _stopped;
    private volatile Exception? _failure;

    /// <summary>Starts a pool.</summary>
    /// <param name="workers">Number of threads that compute, the caller's included; at least 1.</param>
    public WorkerPool(int workers)
    {
        Workers = Math.Max(1, workers);
        _threads = new Thread[Workers - 1];
        _beds = new Bed[_threads.Length];
        for (int i = 0; i < _threads.Length; i++)
        {
            int worker = i + 1;
            _beds[i] = new Bed();
            _threads[i] = new Thread(() => Loop(worker)) { IsBackground = true, Name = $"gradpath worker {worker}" };
            _threads[i].Start();
        }
    }

    /// <summary>Number of threads that compute, the caller's included.</summary>
    public int Workers { get; }

    /// <summary>Runs parts 0 to <paramref name="parts"/> - 1 of a job and returns when all are done.</summary>
    /// <typeparam name="TJob">The job; must hold no managed references.</typeparam>
    /// <param name="job">The job, which every thread reads in place.</param>
    /// <param name="parts">Number of parts.</param>
    /// <exception cref="InvalidOperationException">A part threw the inner exception; parts not yet begun were left out.</exception>
    public void Run<TJob>(ref TJob job, int parts)
        where TJob : unmanaged, IParallelJob
    {
        lock (_runLock)
        {
            fixed (TJob* pointer = &job)
            {
                _job = pointer;
                _invoke = &Invoke<TJob>;
                _parts = parts;
                _failure = null;
                _next = 0;
                if (parts > 1 && _threads.Length > 0) WorkTogether();
                else Work(0);
                _job = null;
            }
            if (_failure is { } failure) throw new InvalidOperationException("a part of a parallel job failed: " + failure.Message, failure);
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        if (_stopped) return;
        _stopped = true;
        Interlocked.Increment(ref _generation);
        foreach (Bed bed in _beds) bed.Release();
        foreach (Thread thread in _threads) thread.Join();
        foreach (Bed bed in _beds) bed.Dispose();
    }

    private static void Invoke<TJob>(void* job, int part, int worker)
        where TJob : unmanaged, IParallelJob => ((TJob*)job)->Execute(part, worker);

    private void WorkTogether()
    {
        Volatile.Write(ref _busy, _threads.Length);
        Interlocked.Increment(ref _generation);
        foreach (Bed bed in _beds)
        {
            if (Volatile.Read(ref bed.Occupied) != 0) bed.Release();
        }
        Work(0);
        SpinWait wait = default;
        while (Volatile.Read(ref _busy) > 0) wait.SpinOnce(sleep1Threshold: -1);
    }

    private void Work(int worker)
    {
        while (true)
        {
            int part = Interlocked.Increment(ref _next) - 1;
            if (part >= _parts) return;
            try
            {
                _invoke(_job, part, worker);
            }
#pragma warning disable CA1031 // the exception of any part is handed to the caller of Run
            catch (Exception e)
#pragma warning restore CA1031
            {
                _failure = e;
                Volatile.Write(ref _next, _parts);
            }
        }
    }

    private void Loop(int worker)
    {
        Bed bed = _beds[worker - 1];
        int seen = 0;
        while (true)
        {
            int spins = 0;
            while (Volatile.Read(ref _generation) == seen)
            {
                if (++spins < SpinIterations)
                {
                    Thread.SpinWait(8);
                    continue;
                }
                Interlocked.Exchange(ref bed.Occupied, 1);
                if (Volatile.Read(ref _generation) == seen) bed.Wait();
                Volatile.Write(ref bed.Occupied, 0);
            }
            seen++;
            if (_stopped) return;
            Work(worker);
            Interlocked.Decrement(ref _busy);
        }
    }

    // Where one thread sleeps. Each has its own: from a shared one, a thread that has done its part of a job and goes back to sleep
    // could take the call that was meant for another. A call too many only makes the thread look once more for work.
    private sealed class Bed() : SemaphoreSlim(0)
    {
        public int Occupied;
    }
}
