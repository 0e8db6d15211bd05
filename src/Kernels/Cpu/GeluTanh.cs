using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using static Gradpath.Kernels.KernelConstants;

namespace Gradpath.Kernels.Cpu;

/// <summary>
/// gelu_new: (1 + tanh u) / 2 = s = 1 / (1 + exp(-2u)), so f = x s and f' = s + x s (1 - s) 2u', without cancellation anywhere.
/// </summary>
internal readonly struct GeluTanh : IElementFunction
{
    /// <inheritdoc />
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void At(Vector512<float> x, out Vector512<float> value, out Vector512<float> slope)
    {
        Vector512<float> square = x * x;
        Vector512<float> exponent = x * Vector512.MultiplyAddEstimate(
            square, Vector512.Create(-2 * GeluRoot * GeluCubic), Vector512.Create(-2 * GeluRoot));
        Vector512<float> s = Vector512<float>.One / (Vector512<float>.One + VectorExp.Exp(exponent));
        Vector512<float> inner = Vector512.MultiplyAddEstimate(
            square, Vector512.Create(6 * GeluRoot * GeluCubic), Vector512.Create(2 * GeluRoot));
        value = x * s;
        slope = Vector512.MultiplyAddEstimate(x * s * (Vector512<float>.One - s), inner, s);
    }

    /// <inheritdoc />
    public static (float Value, float Slope) At(float x)
    {
        float square = x * x;
        float s = 1 / (1 + MathF.Exp(x * ((square * (-2 * GeluRoot * GeluCubic)) - (2 * GeluRoot))));
        return (x * s, (x * s * (1 - s) * ((square * (6 * GeluRoot * GeluCubic)) + (2 * GeluRoot))) + s);
    }
}
