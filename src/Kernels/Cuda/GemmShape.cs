using static Gradpath.Kernels.KernelConstants;

namespace Gradpath.Kernels.Cuda;

/// <summary>Extents of a product: C [M, N] = A [M, K] B [K, N], <paramref name="Batch"/> times.</summary>
internal readonly record struct GemmShape(int M, int N, int K, int Batch)
{
    /// <summary>Multiply-adds of one member.</summary>
    public double Work => (double)M * N * K;

    /// <summary>Distance between rows of partial sums: N rounded up to a multiple of <see cref="PartialUnit"/>.</summary>
    public int PartialPitch => (N + PartialUnit - 1) / PartialUnit * PartialUnit;
}
