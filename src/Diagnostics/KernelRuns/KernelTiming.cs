namespace Gradpath.Diagnostics.KernelRuns;

/// <summary>How long an op took at a shape.</summary>
/// <param name="Name">The op, or the kernel that was asked for.</param>
/// <param name="Shape">The shape in words.</param>
/// <param name="Plan">The plan in words, where it was forced.</param>
/// <param name="Seconds">Median over rounds of one call.</param>
/// <param name="Fastest">The fastest round.</param>
/// <param name="Flops">Flops of a call.</param>
/// <param name="Bytes">Bytes that a call reads and writes if every element goes over the memory bus once.</param>
internal sealed record KernelTiming(
    string Name, string Shape, string? Plan, double Seconds, double Fastest, double Flops, double Bytes);
