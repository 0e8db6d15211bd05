namespace Gradpath.Kernels.Cuda;

/// <summary>A plan and how long it took.</summary>
/// <param name="Plan">The plan.</param>
/// <param name="Seconds">Of one product.</param>
internal readonly record struct TimedPlan(GemmPlan Plan, double Seconds);
