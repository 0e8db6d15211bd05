namespace Gradpath.Kernels;

/// <summary>Who multiplies matrices on a device.</summary>
public enum MatrixProvider
{
    /// <summary>
    /// The project's own kernels; for float32 on a GPU the fastest there of <see cref="Ffma"/>, <see cref="Tf32x3"/> and
    /// <see cref="Fp16x3"/>, and what a GPU's device states is that one.
    /// </summary>
    Own,

    /// <summary>The project's own kernels for a GPU's ordinary units: one fused multiply-add per product.</summary>
    Ffma,

    /// <summary>cuBLAS.</summary>
    Cublas,

    /// <summary>
    /// The project's own kernels for a GPU's tensor cores, which keep float32's accuracy by three TF32 products.
    /// </summary>
    Tf32x3,

    /// <summary>
    /// The project's own kernels for a GPU's tensor cores, which keep float32's accuracy by three products of halves, but for factors
    /// below 2^-14 of the largest of their row of A, or column of B, which keep 2^-37 of that largest.
    /// </summary>
    Fp16x3,
}
