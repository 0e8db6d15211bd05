namespace Gradpath.PtxEmulator.Compile;

/// <summary>
/// Float instructions. The approximate ones are computed in double and rounded: closer than the hardware, whose errors the PTX
/// manual bounds, so a kernel must not lean on their last bits.
/// </summary>
internal static class Floats
{
    /// <summary>Denormals become zeros of their sign.</summary>
    public static float Flush(float a)
    {
        uint bits = BitConverter.SingleToUInt32Bits(a);
        return (bits & 0x7F800000) == 0 ? BitConverter.UInt32BitsToSingle(bits & 0x80000000) : a;
    }

    /// <summary>Into [0, 1]; NaN becomes 0.</summary>
    public static float SaturateF(float a) => a > 0 ? a < 1 ? a : 1 : 0;

    public static double SaturateD(double a) => a > 0 ? a < 1 ? a : 1 : 0;

    public static float FmaF(float a, float b, float c) => MathF.FusedMultiplyAdd(a, b, c);

    public static double FmaD(double a, double b, double c) => Math.FusedMultiplyAdd(a, b, c);

    // A NaN gives way to the other operand; -0 is less than +0.
    public static float MinF(float a, float b) => float.MinNumber(a, b);

    public static float MaxF(float a, float b) => float.MaxNumber(a, b);

    public static double MinD(double a, double b) => double.MinNumber(a, b);

    public static double MaxD(double a, double b) => double.MaxNumber(a, b);

    public static float MinNanF(float a, float b) => float.IsNaN(a) || float.IsNaN(b) ? Canonical : MathF.Min(a, b);

    public static float MaxNanF(float a, float b) => float.IsNaN(a) || float.IsNaN(b) ? Canonical : MathF.Max(a, b);

    private static float Canonical => BitConverter.UInt32BitsToSingle(0x7FFFFFFF);

    public static float AbsF(float a) => MathF.Abs(a);

    public static double AbsD(double a) => Math.Abs(a);

    public static float CopySignF(float size, float sign) => MathF.CopySign(size, sign);

    public static double CopySignD(double size, double sign) => Math.CopySign(size, sign);

    public static float RcpF(float a) => 1 / a;

    public static double RcpD(double a) => 1 / a;

    public static float SqrtF(float a) => MathF.Sqrt(a);

    public static double SqrtD(double a) => Math.Sqrt(a);

    public static float RsqrtF(float a) => (float)(1 / Math.Sqrt(a));

    public static double RsqrtD(double a) => 1 / Math.Sqrt(a);

    public static float Ex2F(float a) => (float)Math.Pow(2, a);

    public static float Lg2F(float a) => (float)Math.Log2(a);

    public static float SinF(float a) => (float)Math.Sin(a);

    public static float CosF(float a) => (float)Math.Cos(a);

    public static float TanhF(float a) => (float)Math.Tanh(a);

    public static bool EqualOrNanF(float a, float b) => !(a < b || a > b);

    public static bool EqualOrNanD(double a, double b) => !(a < b || a > b);

    public static bool UnequalF(float a, float b) => a < b || a > b;

    public static bool UnequalD(double a, double b) => a < b || a > b;

    public static bool BothNumbersF(float a, float b) => !float.IsNaN(a) && !float.IsNaN(b);

    public static bool BothNumbersD(double a, double b) => !double.IsNaN(a) && !double.IsNaN(b);

    public static bool AnyNanF(float a, float b) => float.IsNaN(a) || float.IsNaN(b);

    public static bool AnyNanD(double a, double b) => double.IsNaN(a) || double.IsNaN(b);

    public static bool IsFiniteF(float a) => float.IsFinite(a);

    public static bool IsFiniteD(double a) => double.IsFinite(a);

    public static bool IsInfiniteF(float a) => float.IsInfinity(a);

    public static bool IsInfiniteD(double a) => double.IsInfinity(a);

    public static bool IsNumberF(float a) => !float.IsNaN(a);

    public static bool IsNumberD(double a) => !double.IsNaN(a);

    public static bool IsNanF(float a) => float.IsNaN(a);

    public static bool IsNanD(double a) => double.IsNaN(a);

    public static bool IsNormalF(float a) => float.IsNormal(a);

    public static bool IsNormalD(double a) => double.IsNormal(a);

    public static bool IsSubnormalF(float a) => float.IsSubnormal(a);

    public static bool IsSubnormalD(double a) => double.IsSubnormal(a);
}
