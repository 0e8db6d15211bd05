namespace Gradpath.Kernels.Cuda;

/// <summary>How the tile kernels multiply and add. <c>kernels/GemmMma.cuh</c> states the errors.</summary>
internal enum GemmArithmetic
{
    /// <summary>float32 on the ordinary units: one fused multiply-add per k.</summary>
    Ffma,

    /// <summary>
    /// float32's accuracy on tensor cores: three products of TF32 halves. Operands must be finite: an infinity gives NaN.
    /// </summary>
    Tf32x3,

    /// <summary>
    /// float32's accuracy on tensor cores at twice their rate of TF32: three products of halves, after each row of A and each column of B
    /// was multiplied by a power of two. An infinity gives NaN. <c>kernels/GemmFp16x3.cuh</c> states the error.
    /// </summary>
    Fp16x3,

    /// <summary>Factors rounded to TF32.</summary>
    Tf32,

    /// <summary>Factors rounded to bfloat16.</summary>
    Bf16,
}
