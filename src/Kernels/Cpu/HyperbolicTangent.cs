using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Gradpath.Kernels.Cpu;

/// <summary>
/// tanh: with e = exp(-2 |x|), f = sign(x) (1 - e) / (1 + e) and f' = 4 e / (1 + e)^2. Near 0, where 1 - e would cancel, f is the fraction
/// of polynomials that the continued fraction x / (1 + x^2 / (3 + x^2 / (5 + ...))) gives after five terms, within 1e-10 of tanh.
/// </summary>
internal readonly struct HyperbolicTangent : IElementFunction
{
    /// <inheritdoc />
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void At(Vector512<float> x, out Vector512<float> value, out Vector512<float> slope)
    {
        Vector512<float> magnitude = Vector512.Abs(x), square = x * x;
        Vector512<float> e = VectorExp.Exp(magnitude * Vector512.Create(-2f));
        Vector512<float> sum = Vector512<float>.One + e;
        Vector512<float> far = Vector512.CopySign((Vector512<float>.One - e) / sum, x);
        Vector512<float> above = Vector512.MultiplyAddEstimate(square, square + Vector512.Create(105f), Vector512.Create(945f));
        Vector512<float> below = Vector512.MultiplyAddEstimate(
            square, Vector512.MultiplyAddEstimate(square, Vector512.Create(15f), Vector512.Create(420f)), Vector512.Create(945f));
        Vector512<float> isSmall = Vector512.LessThan(magnitude, Vector512.Create(KernelConstants.TanhSmall));
        value = Vector512.ConditionalSelect(isSmall, x * above / below, far);
        slope = Vector512.Create(4f) * e / (sum * sum);
    }

    /// <inheritdoc />
    public static (float Value, float Slope) At(float x)
    {
        float e = MathF.Exp(-2 * MathF.Abs(x));
        return (MathF.Tanh(x), 4 * e / ((1 + e) * (1 + e)));
    }
}
