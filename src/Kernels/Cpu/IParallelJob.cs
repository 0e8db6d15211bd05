namespace Gradpath.Kernels.Cpu;

/// <summary>A job of many independent parts; an unmanaged struct, so that handing it to threads allocates nothing.</summary>
internal interface IParallelJob
{
    /// <summary>Does one part.</summary>
    /// <param name="part">Index of the part.</param>
    /// <param name="worker">Index of the thread that does it, below <see cref="WorkerPool.Workers"/>; selects scratch memory.</param>
    void Execute(int part, int worker);
}
