namespace Gradpath.Kernels.Cuda;

/// <summary>All that the plan of a product depends on, beside the GPU.</summary>
/// <param name="Shape">The product.</param>
/// <param name="Arithmetic">How to multiply.</param>
/// <param name="TransposedB">Whether B is stored with k contiguous.</param>
/// <param name="WorkspaceBytes">Room for partial sums.</param>
/// <param name="Packed">Whether B is there in packed form besides, and A is as products with that want it.</param>
internal readonly record struct GemmPlanKey(
    GemmShape Shape, GemmArithmetic Arithmetic, bool TransposedB, long WorkspaceBytes, bool Packed = false)
{
    /// <summary>Of the extents and the layout alone: within a run the others are nearly always the same.</summary>
    /// <returns>The hash.</returns>
    public override int GetHashCode()
    {
        uint hash = ((uint)Shape.M * 0x9E3779B1u) ^ ((uint)Shape.N * 0x85EBCA77u) ^ ((uint)Shape.K * 0xC2B2AE3Du);
        hash ^= ((uint)Shape.Batch * 0x27D4EB2Fu) ^ (TransposedB ? 0x165667B1u : 0) ^ (Packed ? 0x5BD1E995u : 0);
        return (int)(hash ^ (hash >> 15));
    }
}
