using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Gradpath.Kernels.Cpu;

/// <summary>x times a sigmoid: with s = 1 / (1 + exp(-k x)), f = x s and f' = s + k x s (1 - s).</summary>
internal static class SigmoidGate
{
    /// <summary>Sixteen elements.</summary>
    /// <param name="x">Where.</param>
    /// <param name="k">The factor of x in the sigmoid.</param>
    /// <param name="value">f(x).</param>
    /// <param name="slope">f'(x).</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void At(Vector512<float> x, float k, out Vector512<float> value, out Vector512<float> slope)
    {
        Vector512<float> s = Vector512<float>.One / (Vector512<float>.One + VectorExp.Exp(x * Vector512.Create(-k)));
        value = x * s;
        slope = Vector512.MultiplyAddEstimate(value * (Vector512<float>.One - s), Vector512.Create(k), s);
    }

    /// <summary>One element.</summary>
    /// <param name="x">Where.</param>
    /// <param name="k">The factor of x in the sigmoid.</param>
    public static (float Value, float Slope) At(float x, float k)
    {
        float s = 1 / (1 + MathF.Exp(-k * x));
        return (x * s, (k * x * s * (1 - s)) + s);
    }
}
