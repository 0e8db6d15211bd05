namespace Gradpath.Kernels;

/// <summary>Who multiplies matrices on a device.</summary>
public enum MatrixProvider
{
    /// <summary>The project's own kernels; on a GPU those for tensor cores, which keep float32's accuracy by three TF32 products.</summary>
    Own,

    /// <summary>The project's own kernels for a GPU's ordinary units: one fused multiply-add per product.</summary>
    Ffma,

    /// <summary>cuBLAS.</summary>
    Cublas,
}
