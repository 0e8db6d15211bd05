namespace Gradpath.Kernels.Cuda;

/// <summary>How a <see cref="CudaDevice"/> computes.</summary>
public sealed record CudaOptions
{
    /// <summary>float32 products by our own kernels, graphs and memory cache on.</summary>
    public static CudaOptions Default { get; } = new();

    /// <summary>What the factors of matrix products are rounded to.</summary>
    public MatrixPrecision Precision { get; init; } = MatrixPrecision.Float32;

    /// <summary>
    /// Whether float32 products, and attention of at most 32 keys, run on tensor cores, as three products of halves or of TF32 that keep
    /// float32's accuracy, in place of the ordinary units; null for whichever is faster on the GPU: tensor cores on compute capability 8.0,
    /// 8.7, 9.0 and 10, whose halves are eight times as fast as float32 or more, ordinary units on 8.6, 8.9 and 12, where they are at most
    /// twice as fast.
    /// </summary>
    public bool? TensorCores { get; init; }

    /// <summary>
    /// Which products those of float32 on tensor cores are: <see cref="MatrixProvider.Fp16x3"/> or <see cref="MatrixProvider.Tf32x3"/>;
    /// null, or any other, for the faster. Attention and the contraction of edges have three TF32 products in either case.
    /// </summary>
    public MatrixProvider? TensorProducts { get; init; }

    /// <summary>Whether cuBLAS multiplies in place of our own kernels.</summary>
    public bool UseCublas { get; init; }

    /// <summary>Whether a pass that repeats is captured as a CUDA graph and replayed.</summary>
    public bool Graphs { get; init; } = true;

    /// <summary>Whether freed memory is kept for the next allocation of its size.</summary>
    public bool CacheMemory { get; init; } = true;

    /// <summary>Names of cuBLAS's library in place of those under which it is installed, for tests; null for those.</summary>
    internal IReadOnlyList<string>? CublasNames { get; init; }
}
