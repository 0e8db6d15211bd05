namespace Gradpath.PtxEmulator.Compile;

/// <summary>Arithmetic of f16 (H) and bf16 (B), one or two in a word, held as bits. Each result is rounded once.</summary>
internal static class Halves
{
    public static float FromH(ushort a) => (float)BitConverter.UInt16BitsToHalf(a);

    public static float FromB(ushort a) => BitConverter.UInt32BitsToSingle((uint)a << 16);

    public static ushort ToH(double a) => BitConverter.HalfToUInt16Bits((Half)a);

    /// <summary>To the nearest bf16, ties to even; NaN becomes 0x7FFF.</summary>
    public static ushort ToB(float a)
    {
        if (float.IsNaN(a)) return 0x7FFF;
        uint bits = BitConverter.SingleToUInt32Bits(a);
        return (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }

    // Rounds a double whose exact value is value + rest once to bf16: an odd last bit of the float stands for what is left out.
    private static ushort ToB(double value, double rest)
    {
        if (double.IsNaN(value)) return 0x7FFF;
        float toward = Rounded.Zero(value, rest);
        if (float.IsFinite(toward) && (toward != value || rest != 0))
        {
            toward = BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits(toward) | 1);
        }
        return ToB(toward);
    }

    public static ushort AddH(ushort a, ushort b) => ToH((double)FromH(a) + FromH(b));

    public static ushort SubH(ushort a, ushort b) => ToH((double)FromH(a) - FromH(b));

    public static ushort MulH(ushort a, ushort b) => ToH((double)FromH(a) * FromH(b));

    public static ushort FmaH(ushort a, ushort b, ushort c) => ToH(((double)FromH(a) * FromH(b)) + FromH(c));

    public static ushort AddB(ushort a, ushort b) => FmaB(a, 0x3F80, b);

    public static ushort SubB(ushort a, ushort b) => FmaB(b, 0xBF80, a);

    public static ushort MulB(ushort a, ushort b) => ToB((double)FromB(a) * FromB(b), 0);

    public static ushort FmaB(ushort a, ushort b, ushort c)
    {
        double product = (double)FromB(a) * FromB(b), addend = FromB(c), sum = product + addend;
        double part = sum - product;
        return ToB(sum, double.IsFinite(sum) ? (product - (sum - part)) + (addend - part) : 0);
    }

    public static ushort FmaReluH(ushort a, ushort b, ushort c) => ReluH(FmaH(a, b, c));

    public static ushort FmaReluB(ushort a, ushort b, ushort c) => ReluB(FmaB(a, b, c));

    public static ushort ReluH(ushort a) => float.IsNaN(FromH(a)) ? (ushort)0x7FFF : FromH(a) > 0 ? a : (ushort)0;

    public static ushort ReluB(ushort a) => float.IsNaN(FromB(a)) ? (ushort)0x7FFF : FromB(a) > 0 ? a : (ushort)0;

    public static ushort MinH(ushort a, ushort b) => ToH(float.MinNumber(FromH(a), FromH(b)));

    public static ushort MaxH(ushort a, ushort b) => ToH(float.MaxNumber(FromH(a), FromH(b)));

    public static ushort MinB(ushort a, ushort b) => ToB(float.MinNumber(FromB(a), FromB(b)));

    public static ushort MaxB(ushort a, ushort b) => ToB(float.MaxNumber(FromB(a), FromB(b)));

    public static ushort AbsH(ushort a) => (ushort)(a & 0x7FFF);

    public static ushort AbsB(ushort a) => (ushort)(a & 0x7FFF);

    public static ushort NegH(ushort a) => (ushort)(a ^ 0x8000);

    public static ushort NegB(ushort a) => (ushort)(a ^ 0x8000);

    public static uint AddH2(uint a, uint b) => Both(AddH, a, b);

    public static uint SubH2(uint a, uint b) => Both(SubH, a, b);

    public static uint MulH2(uint a, uint b) => Both(MulH, a, b);

    public static uint MinH2(uint a, uint b) => Both(MinH, a, b);

    public static uint MaxH2(uint a, uint b) => Both(MaxH, a, b);

    public static uint FmaH2(uint a, uint b, uint c) =>
        Pack(FmaH((ushort)a, (ushort)b, (ushort)c), FmaH((ushort)(a >> 16), (ushort)(b >> 16), (ushort)(c >> 16)));

    public static uint AddB2(uint a, uint b) => Both(AddB, a, b);

    public static uint SubB2(uint a, uint b) => Both(SubB, a, b);

    public static uint MulB2(uint a, uint b) => Both(MulB, a, b);

    public static uint MinB2(uint a, uint b) => Both(MinB, a, b);

    public static uint MaxB2(uint a, uint b) => Both(MaxB, a, b);

    public static uint FmaB2(uint a, uint b, uint c) =>
        Pack(FmaB((ushort)a, (ushort)b, (ushort)c), FmaB((ushort)(a >> 16), (ushort)(b >> 16), (ushort)(c >> 16)));

    public static uint AbsH2(uint a) => a & 0x7FFF7FFF;

    public static uint AbsB2(uint a) => a & 0x7FFF7FFF;

    public static uint NegH2(uint a) => a ^ 0x80008000;

    public static uint NegB2(uint a) => a ^ 0x80008000;

    private static uint Pack(ushort low, ushort high) => ((uint)high << 16) | low;

    private static uint Both(Func<ushort, ushort, ushort> operation, uint a, uint b) =>
        Pack(operation((ushort)a, (ushort)b), operation((ushort)(a >> 16), (ushort)(b >> 16)));
}
