namespace Gradpath.PtxEmulator.Compile;

/// <summary>The conversions of cvt that IL has no equal of.</summary>
internal static class Conversions
{
    /// <summary>To ten fraction bits, ties away from zero; the other bits become zero.</summary>
    public static uint ToTf32(float a)
    {
        uint bits = BitConverter.SingleToUInt32Bits(a);
        if ((bits & 0x7F800000) == 0x7F800000) return (bits & 0x7FFFFF) == 0 ? bits : 0x7FFFFFFF;
        return (bits + 0x1000) & 0xFFFFE000;
    }

    public static double NearestD(double a) => Math.Round(a, MidpointRounding.ToEven);

    public static double TruncateD(double a) => Math.Truncate(a);

    public static double FloorD(double a) => Math.Floor(a);

    public static double CeilingD(double a) => Math.Ceiling(a);

    public static float NearestF(float a) => MathF.Round(a, MidpointRounding.ToEven);

    public static float TruncateF(float a) => MathF.Truncate(a);

    public static float FloorF(float a) => MathF.Floor(a);

    public static float CeilingF(float a) => MathF.Ceiling(a);

    public static int ToS8(double a) => double.IsNaN(a) ? 0 : (int)Math.Clamp(a, sbyte.MinValue, sbyte.MaxValue);

    public static int ToU8(double a) => double.IsNaN(a) ? 0 : (int)Math.Clamp(a, 0, byte.MaxValue);

    public static int ToS16(double a) => double.IsNaN(a) ? 0 : (int)Math.Clamp(a, short.MinValue, short.MaxValue);

    public static int ToU16(double a) => double.IsNaN(a) ? 0 : (int)Math.Clamp(a, 0, ushort.MaxValue);

    public static int ToS32(double a) => double.IsNaN(a) ? 0 : (int)Math.Clamp(a, int.MinValue, int.MaxValue);

    public static uint ToU32(double a) => double.IsNaN(a) ? 0 : (uint)Math.Clamp(a, 0, uint.MaxValue);

    public static long ToS64(double a) =>
        double.IsNaN(a) ? 0 : a >= 9223372036854775808.0 ? long.MaxValue : a <= -9223372036854775808.0 ? long.MinValue : (long)a;

    public static ulong ToU64(double a) => double.IsNaN(a) || a <= 0 ? 0 : a >= 18446744073709551616.0 ? ulong.MaxValue : (ulong)a;

    public static long ClampSignedToS8(long a) => Math.Clamp(a, sbyte.MinValue, sbyte.MaxValue);

    public static long ClampSignedToU8(long a) => Math.Clamp(a, 0, byte.MaxValue);

    public static long ClampSignedToS16(long a) => Math.Clamp(a, short.MinValue, short.MaxValue);

    public static long ClampSignedToU16(long a) => Math.Clamp(a, 0, ushort.MaxValue);

    public static long ClampSignedToS32(long a) => Math.Clamp(a, int.MinValue, int.MaxValue);

    public static long ClampSignedToU32(long a) => Math.Clamp(a, 0, uint.MaxValue);

    public static long ClampSignedToS64(long a) => a;

    public static long ClampSignedToU64(long a) => Math.Max(a, 0);

    public static long ClampUnsignedToS8(ulong a) => (long)Math.Min(a, (ulong)sbyte.MaxValue);

    public static long ClampUnsignedToU8(ulong a) => (long)Math.Min(a, byte.MaxValue);

    public static long ClampUnsignedToS16(ulong a) => (long)Math.Min(a, (ulong)short.MaxValue);

    public static long ClampUnsignedToU16(ulong a) => (long)Math.Min(a, ushort.MaxValue);

    public static long ClampUnsignedToS32(ulong a) => (long)Math.Min(a, int.MaxValue);

    public static long ClampUnsignedToU32(ulong a) => (long)Math.Min(a, uint.MaxValue);

    public static long ClampUnsignedToS64(ulong a) => (long)Math.Min(a, long.MaxValue);

    public static long ClampUnsignedToU64(ulong a) => (long)a;

    public static float SignedToFloat(long a) => a;

    public static double SignedToDouble(long a) => a;

    // Halved with the lost bit kept, so that the conversion rounds once.
    public static float UnsignedToFloat(ulong a) => (long)a >= 0 ? (long)a : 2 * (float)(long)((a >> 1) | (a & 1));

    public static double UnsignedToDouble(ulong a) => (long)a >= 0 ? (long)a : 2 * (double)(long)((a >> 1) | (a & 1));

    public static float DoubleToFloatRz(double a) => Rounded.Zero(a, 0);

    public static float DoubleToFloatRm(double a) => Rounded.Down(a, 0);

    public static float DoubleToFloatRp(double a) => Rounded.Up(a, 0);

    public static ushort FloatToH(float a) => BitConverter.HalfToUInt16Bits((Half)a);

    public static ushort DoubleToH(double a) => BitConverter.HalfToUInt16Bits((Half)a);

    public static ushort FloatToHRelu(float a) => FloatToH(Relu(a));

    public static ushort FloatToHRz(float a)
    {
        if (float.IsNaN(a)) return 0x7FFF;
        ushort near = FloatToH(a);
        bool beyond = MathF.Abs((float)BitConverter.UInt16BitsToHalf(near)) > MathF.Abs(a);
        return beyond ? (ushort)(near - 1) : near;
    }

    public static ushort FloatToB(float a) => Halves.ToB(a);

    public static ushort FloatToBRelu(float a) => Halves.ToB(Relu(a));

    public static ushort FloatToBRz(float a) => float.IsNaN(a) ? (ushort)0x7FFF : (ushort)(BitConverter.SingleToUInt32Bits(a) >> 16);

    private static float Relu(float a) => float.IsNaN(a) ? a : MathF.Max(a, 0);
}
