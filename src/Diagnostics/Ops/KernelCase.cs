namespace Gradpath.Diagnostics.Ops;

/// <summary>A kernel at one representative shape: the widths of GPT-2 small with few rows.</summary>
/// <param name="Kernel">The entry point that is counted.</param>
/// <param name="Shape">The shape in words.</param>
/// <param name="LeastBytes">Bytes that it reads and writes if every element goes over the memory bus once.</param>
/// <param name="Run">Calls the op that launches it.</param>
internal sealed record KernelCase(string Kernel, string Shape, double LeastBytes, Action<KernelOperands> Run)
{
    /// <summary>
    /// Largest ratio of the sectors of memory that it may touch to the least bytes: 1 and a little for what it reads besides, more where a
    /// row is read again.
    /// </summary>
    public double MostTraffic { get; init; } = 1.07;

    /// <summary>Whether it is for compute capability 9.0 alone.</summary>
    public bool NeedsSm90a { get; init; }

    /// <summary>Most turns that accesses to shared memory may wait for a bank, per access.</summary>
    public double MostConflicts { get; init; }
}
