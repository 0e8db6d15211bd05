using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Gradpath.Kernels.Cpu;

/// <summary>
/// exp for a vector of float32, short enough to be inlined into a loop: exp x = 2^n exp r with n = round(x / ln 2) and |r| at most
/// ln 2 / 2, where a polynomial of degree 6 is good to 2 ulp. Below -87.3 the result is 0 (no denormals), above 88.7 infinite.
/// </summary>
/// <remarks>
/// Multiply-adds are fused where the processor can. The error is the same without: the one product that must be exact is so either way.
/// To insist on fused ones would have other processors compute them element by element, thirty times slower.
/// </remarks>
internal static class VectorExp
{
    private const float Smallest = -87.3f;
    private const float Largest = 88.72283f;

    /// <summary>exp, element by element.</summary>
    /// <param name="x">Any numbers; NaN gives NaN.</param>
    /// <returns>exp x.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Exp(Vector512<float> x)
    {
        Vector512<float> n = Vector512.Round(x * Vector512.Create(1.442695041f));

        // ln 2 in two parts, so that n times the first one is exact.
        Vector512<float> r = Vector512.MultiplyAddEstimate(n, Vector512.Create(-0.693359375f), x);
        r = Vector512.MultiplyAddEstimate(n, Vector512.Create(2.12194440e-4f), r);
        Vector512<float> p = Vector512.MultiplyAddEstimate(r, Vector512.Create(1.393365249e-03f), Vector512.Create(8.363181545e-03f));
        p = Vector512.MultiplyAddEstimate(p, r, Vector512.Create(4.166646490e-02f));
        p = Vector512.MultiplyAddEstimate(p, r, Vector512.Create(1.666657697e-01f));
        p = Vector512.MultiplyAddEstimate(p, r, Vector512.Create(0.500000001f));
        p = Vector512.MultiplyAddEstimate(p, r * r, r) + Vector512<float>.One;

        // Times 2^n in two halves: 2^n itself may be beyond the range where the result is not.
        Vector512<int> exponent = Vector512.ConvertToInt32Native(n);
        Vector512<int> half = exponent >> 1;
        p = p * PowerOfTwo(half) * PowerOfTwo(exponent - half);
        p = Vector512.ConditionalSelect(Vector512.LessThan(x, Vector512.Create(Smallest)), Vector512<float>.Zero, p);
        return Vector512.ConditionalSelect(
            Vector512.GreaterThan(x, Vector512.Create(Largest)), Vector512.Create(float.PositiveInfinity), p);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> PowerOfTwo(Vector512<int> n) => ((n + Vector512.Create(127)) << 23).AsSingle();
}
