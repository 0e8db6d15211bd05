namespace Gradpath.PtxEmulator.Compile;

/// <summary>f32 arithmetic rounded toward zero (Rz), down (Rm) and up (Rp).</summary>
/// <remarks>A result is held as a double and the sign of what the double leaves out; from both the float on the wanted side
/// follows.</remarks>
internal static class Rounded
{
    public static float AddRzF(float a, float b) => Zero(Sum(a, b, out double rest), rest);

    public static float AddRmF(float a, float b) => Down(Sum(a, b, out double rest), rest);

    public static float AddRpF(float a, float b) => Up(Sum(a, b, out double rest), rest);

    public static float SubRzF(float a, float b) => AddRzF(a, -b);

    public static float SubRmF(float a, float b) => AddRmF(a, -b);

    public static float SubRpF(float a, float b) => AddRpF(a, -b);

    public static float MulRzF(float a, float b) => Zero((double)a * b, 0);

    public static float MulRmF(float a, float b) => Down((double)a * b, 0);

    public static float MulRpF(float a, float b) => Up((double)a * b, 0);

    public static float FmaRzF(float a, float b, float c) => Zero(Sum((double)a * b, c, out double rest), rest);

    public static float FmaRmF(float a, float b, float c) => Down(Sum((double)a * b, c, out double rest), rest);

    public static float FmaRpF(float a, float b, float c) => Up(Sum((double)a * b, c, out double rest), rest);

    /// <summary>The sum in double and the exact rest (Knuth's two-sum).</summary>
    private static double Sum(double a, double b, out double rest)
    {
        double sum = a + b, part = sum - a;
        rest = double.IsFinite(sum) ? (a - (sum - part)) + (b - part) : 0;
        return sum;
    }

    public static float Zero(double value, double rest) => value > 0 || (value == 0 && rest > 0) ? Down(value, rest) : Up(value, rest);

    public static float Down(double value, double rest)
    {
        float near = (float)value;
        if (double.IsInfinity(value) || double.IsNaN(value)) return near;
        // A sum of numbers that cancel is -0 when it is rounded down.
        if (near > value || (near == value && rest < 0)) return MathF.BitDecrement(near);
        return near;
    }

    public static float Up(double value, double rest)
    {
        float near = (float)value;
        if (double.IsInfinity(value) || double.IsNaN(value)) return near;
        if (near < value || (near == value && rest > 0)) return MathF.BitIncrement(near);
        return near;
    }
}
