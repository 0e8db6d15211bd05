namespace Gradpath.Kernels.Cpu;

/// <summary>
/// The vector instructions that the CPU's loops are written for, narrowest first. <see cref="InstructionSets"/> says what each needs.
/// </summary>
internal enum InstructionSet
{
    /// <summary>No vectors. Every processor can.</summary>
    Scalar,

    /// <summary>128-bit vectors of any kind (SSE, NEON), multiply-adds fused where the processor can.</summary>
    Vector128,

    /// <summary>AVX2 with fused multiply-add: 256-bit vectors.</summary>
    Avx2,

    /// <summary>AVX-512: 512-bit vectors.</summary>
    Avx512,
}
