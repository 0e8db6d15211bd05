namespace Gradpath.Kernels.Cuda;

/// <summary>The fastest plan of a product as it was measured.</summary>
/// <param name="Shape">The product.</param>
/// <param name="Arithmetic">How to multiply.</param>
/// <param name="TransposedB">Whether B is stored with k contiguous.</param>
/// <param name="Best">The plan that was fastest.</param>
/// <param name="RunnerUp">The next one; null where there was no other.</param>
internal sealed record TunedPlan(
    GemmShape Shape, GemmArithmetic Arithmetic, bool TransposedB, TimedPlan Best, TimedPlan? RunnerUp)
{
    /// <summary>Whether B is there in packed form besides.</summary>
    public bool Packed { get; init; }
}
