using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Gradpath.Kernels.Cpu;

/// <summary>silu: x times its own sigmoid.</summary>
internal readonly struct Silu : IElementFunction
{
    /// <inheritdoc />
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void At(Vector512<float> x, out Vector512<float> value, out Vector512<float> slope) =>
        SigmoidGate.At(x, 1, out value, out slope);

    /// <inheritdoc />
    public static (float Value, float Slope) At(float x) => SigmoidGate.At(x, 1);
}
