using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Gradpath.Kernels.Cpu;

/// <summary>quick_gelu: x times the sigmoid of 1.702 x.</summary>
internal readonly struct QuickGelu : IElementFunction
{
    /// <inheritdoc />
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void At(Vector512<float> x, out Vector512<float> value, out Vector512<float> slope) =>
        SigmoidGate.At(x, KernelConstants.QuickGelu, out value, out slope);

    /// <inheritdoc />
    public static (float Value, float Slope) At(float x) => SigmoidGate.At(x, KernelConstants.QuickGelu);
}
