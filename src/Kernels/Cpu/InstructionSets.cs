using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Gradpath.Kernels.Cpu;

/// <summary>
/// What each instruction set needs of the processor, in one place: the loops of the matrix product name theirs (<see cref="GemmKernel"/>),
/// the device takes the widest and says so, and a test of loops that this processor cannot run is skipped by it.
/// </summary>
/// <remarks>
/// The environment variables of .NET narrow it for a process: DOTNET_EnableAVX512=0 leaves 256-bit vectors, DOTNET_EnableAVX2=0 leaves
/// 128-bit ones without fused multiply-add, DOTNET_EnableHWIntrinsic=0 leaves none.
/// </remarks>
internal static class InstructionSets
{
    /// <summary>The widest set that this processor runs at its full rate.</summary>
    public static InstructionSet Widest =>
        Vector512.IsHardwareAccelerated ? InstructionSet.Avx512
        : Vector256.IsHardwareAccelerated ? InstructionSet.Avx2
        : Vector128.IsHardwareAccelerated ? InstructionSet.Vector128
        : InstructionSet.Scalar;

    /// <summary>
    /// Whether loops written for a set run here. A processor may have AVX-512 and yet be faster with narrower vectors, which is why this
    /// asks for the instructions and <see cref="Widest"/> for the rate.
    /// </summary>
    /// <param name="set">The set.</param>
    /// <returns>The answer.</returns>
    public static bool RunsHere(this InstructionSet set) => set switch
    {
        InstructionSet.Avx512 => Avx512F.IsSupported,
        InstructionSet.Avx2 => Avx2.IsSupported && Fma.IsSupported,
        InstructionSet.Vector128 => Vector128.IsHardwareAccelerated,
        _ => true,
    };

    /// <summary>The set as a device's description states it.</summary>
    /// <param name="set">The set.</param>
    /// <returns>A few words.</returns>
    public static string Description(this InstructionSet set) => set switch
    {
        InstructionSet.Avx512 => "512-bit SIMD",
        InstructionSet.Avx2 => "256-bit SIMD",
        InstructionSet.Vector128 => "128-bit SIMD",
        _ => "scalar",
    };
}
