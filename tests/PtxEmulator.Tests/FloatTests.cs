using static Gradpath.PtxEmulator.Tests.PtxRun;

namespace Gradpath.PtxEmulator.Tests;

public sealed class FloatTests
{
    private const float Tiny = 1e-40f, Inf = float.PositiveInfinity, Nan = float.NaN;

    public static IEnumerable<object[]> Cases() => new (string, float, float, float, float)[]
    {
        ("add.f32 %f4, %f1, %f2;", 1, 2e-8f, 0, 1f + 2e-8f),
        ("add.rz.f32 %f4, %f1, %f2;", 1, 1e-7f, 0, 1),
        ("add.rp.f32 %f4, %f1, %f2;", 1, 1e-12f, 0, MathF.BitIncrement(1)),
        ("add.rm.f32 %f4, %f1, %f2;", 1, -1e-12f, 0, MathF.BitDecrement(1)),
        ("add.rz.f32 %f4, %f1, %f2;", 1, -1e-12f, 0, MathF.BitDecrement(1)),
        ("add.rz.f32 %f4, %f1, %f2;", -1, 1e-25f, 0, MathF.BitIncrement(-1)),
        ("sub.f32 %f4, %f1, %f2;", Inf, Inf, 0, Nan),
        ("sub.rm.f32 %f4, %f1, %f2;", 1, 1e-12f, 0, MathF.BitDecrement(1)),
        ("mul.f32 %f4, %f1, %f2;", 1e-30f, 1e-10f, 0, 1e-30f * 1e-10f),
        ("mul.ftz.f32 %f4, %f1, %f2;", 1e-30f, -1e-10f, 0, -0.0f),
        ("add.ftz.f32 %f4, %f1, %f2;", Tiny, 2e-38f, 0, 2e-38f),
        ("mul.rz.f32 %f4, %f1, %f2;", 1.1f, 1.1f, 0, MathF.Min(1.1f * 1.1f, Below(1.1f * 1.1f, 1.1f * (double)1.1f))),
        ("mul.rp.f32 %f4, %f1, %f2;", 3e38f, 3e38f, 0, Inf),
        ("mul.rz.f32 %f4, %f1, %f2;", 3e38f, 3e38f, 0, float.MaxValue),
        ("mul.sat.f32 %f4, %f1, %f2;", 3, 4, 0, 1),
        ("add.sat.f32 %f4, %f1, %f2;", Nan, 4, 0, 0),
        ("fma.rn.f32 %f4, %f1, %f2, %f3;", 1.0001f, 1.0001f, -1.0002f, MathF.FusedMultiplyAdd(1.0001f, 1.0001f, -1.0002f)),
        ("fma.rz.f32 %f4, %f1, %f2, %f3;", 1, 1, -1e-20f, MathF.BitDecrement(1)),
        ("fma.rn.sat.f32 %f4, %f1, %f2, %f3;", 1, -2, 1, 0),
        ("mad.rn.f32 %f4, %f1, %f2, %f3;", 2, 3, 4, 10),
        ("div.rn.f32 %f4, %f1, %f2;", 1, 3, 0, 1f / 3),
        ("div.full.f32 %f4, %f1, %f2;", 1, 0, 0, Inf),
        ("div.approx.f32 %f4, %f1, %f2;", -1, Inf, 0, -0.0f),
        ("sqrt.rn.f32 %f4, %f1;", 2, 0, 0, MathF.Sqrt(2)),
        ("sqrt.approx.f32 %f4, %f1;", -1, 0, 0, Nan),
        ("rsqrt.approx.f32 %f4, %f1;", -0.0f, 0, 0, -Inf),
        ("rsqrt.approx.ftz.f32 %f4, %f1;", Tiny, 0, 0, Inf),
        ("rcp.rn.f32 %f4, %f1;", 3, 0, 0, 1f / 3),
        ("rcp.approx.ftz.f32 %f4, %f1;", Inf, 0, 0, 0),
        ("ex2.approx.f32 %f4, %f1;", 3, 0, 0, 8),
        ("ex2.approx.ftz.f32 %f4, %f1;", -140, 0, 0, 0),
        ("lg2.approx.f32 %f4, %f1;", 8, 0, 0, 3),
        ("lg2.approx.f32 %f4, %f1;", 0, 0, 0, -Inf),
        ("sin.approx.f32 %f4, %f1;", 1, 0, 0, (float)Math.Sin(1)),
        ("cos.approx.f32 %f4, %f1;", 1, 0, 0, (float)Math.Cos(1)),
        ("tanh.approx.f32 %f4, %f1;", 0.5f, 0, 0, (float)Math.Tanh(0.5)),
        ("min.f32 %f4, %f1, %f2;", Nan, 3, 0, 3),
        ("min.f32 %f4, %f1, %f2;", 0.0f, -0.0f, 0, -0.0f),
        ("max.f32 %f4, %f1, %f2;", -0.0f, 0.0f, 0, 0.0f),
        ("max.f32 %f4, %f1, %f2;", Nan, Nan, 0, Nan),
        ("max.NaN.f32 %f4, %f1, %f2;", Nan, 3, 0, Nan),
        ("min.NaN.f32 %f4, %f1, %f2;", 2, 3, 0, 2),
        ("abs.f32 %f4, %f1;", -0.0f, 0, 0, 0.0f),
        ("abs.ftz.f32 %f4, %f1;", -Tiny, 0, 0, 0.0f),
        ("neg.f32 %f4, %f1;", 0.0f, 0, 0, -0.0f),
        ("copysign.f32 %f4, %f1, %f2;", -1, 5, 0, -5),
        ("cvt.rni.f32.f32 %f4, %f1;", 2.5f, 0, 0, 2),
        ("cvt.rpi.f32.f32 %f4, %f1;", -2.5f, 0, 0, -2),
        ("cvt.rmi.f32.f32 %f4, %f1;", -2.5f, 0, 0, -3),
        ("cvt.sat.f32.f32 %f4, %f1;", -2.5f, 0, 0, 0),
        ("mov.f32 %f4, 0f3FC00000;", 0, 0, 0, 1.5f),
        ("selp.f32 %f4, %f1, %f2, 1;", 1, 2, 0, 1),
    }.Select(c => new object[] { c.Item1, c.Item2, c.Item3, c.Item4, c.Item5 });

    [Theory]
    [MemberData(nameof(Cases))]
    public void Floats(string instruction, float a, float b, float c, float expected)
    {
        float actual = Float(instruction, a, b, c);
        if (float.IsNaN(expected)) Assert.True(float.IsNaN(actual));
        else Assert.Equal(Bits(expected), Bits(actual));
    }

    [Theory]
    [InlineData("cvt.rzi.s32.f32 %r4, %f1;", -2.9f, 0xFFFFFFFEu)]
    [InlineData("cvt.rni.s32.f32 %r4, %f1;", 3.5f, 4u)]
    [InlineData("cvt.rmi.s32.f32 %r4, %f1;", -0.5f, 0xFFFFFFFFu)]
    [InlineData("cvt.rpi.s32.f32 %r4, %f1;", 0.5f, 1u)]
    [InlineData("cvt.rzi.s32.f32 %r4, %f1;", 1e20f, 0x7FFFFFFFu)]
    [InlineData("cvt.rzi.s32.f32 %r4, %f1;", -1e20f, 0x80000000u)]
    [InlineData("cvt.rzi.s32.f32 %r4, %f1;", Nan, 0u)]
    [InlineData("cvt.rzi.u32.f32 %r4, %f1;", -5f, 0u)]
    [InlineData("cvt.rzi.u32.f32 %r4, %f1;", 4e9f, 4000000000u)]
    [InlineData("cvt.rna.tf32.f32 %r4, %f1;", 1.0f, 0x3F800000u)]
    [InlineData("cvt.rn.bf16.f32 %h4, %f1;", 1.0f, 0x3F80u)]
    [InlineData("cvt.rn.f16.f32 %h4, %f1;", 65520f, 0x7C00u)]
    [InlineData("cvt.rz.f16.f32 %h4, %f1;", 65520f, 0x7BFFu)]
    [InlineData("cvt.rn.f16.f32 %h4, %f1;", 1.0f, 0x3C00u)]
    [InlineData("cvt.rn.bf16x2.f32 %r4, %f1, 0f40000000;", 1.0f, 0x3F804000u)]
    [InlineData("cvt.rn.f16.f32 %h4, %f1;", 1.00048828125f, 0x3C00u)] // A tie goes to even.
    [InlineData("cvt.rn.f16.f32 %h4, %f1;", 1.00146484375f, 0x3C02u)]
    [InlineData("cvt.rn.f16.f32 %h4, %f1;", 5.9604645e-8f, 1u)] // 2^-24, the least above 0.
    [InlineData("cvt.rn.f16.f32 %h4, %f1;", 2.9802322e-8f, 0u)]
    [InlineData("cvt.rn.f16x2.f32 %r4, %f1, 0f40000000;", 1.0f, 0x3C004000u)]
    [InlineData("cvt.rn.f16x2.f32 %r4, %f1, %f1;", -1.00146484375f, 0xBC02BC02u)]
    public void From_floats(string instruction, float a, uint expected) => Assert.Equal(expected, Word(instruction, Bits(a)));

    [Theory]
    [InlineData("cvt.rn.f32.s32 %f4, %r1;", 0x80000001u, -2147483648f)]
    [InlineData("cvt.rz.f32.s32 %f4, %r1;", 0x80000001u, -2147483520f)]
    [InlineData("cvt.rn.f32.u32 %f4, %r1;", 0xFFFFFFFFu, 4294967296f)]
    [InlineData("cvt.rz.f32.u32 %f4, %r1;", 0xFFFFFFFFu, 4294967040f)]
    [InlineData("cvt.f32.f16 %f4, %h1;", 0x3C00u, 1f)]
    [InlineData("cvt.f32.f16 %f4, %h1;", 0x8001u, -5.9604645e-8f)]
    [InlineData("cvt.f32.f16 %f4, %h1;", 0x7C00u, float.PositiveInfinity)]
    [InlineData("mov.b32 {%h2, %h3}, %r1; cvt.f32.f16 %f4, %h3;", 0x40003C00u, 2f)]
    [InlineData("cvt.rn.f32.s8 %f4, %r1;", 0xFFu, -1f)]
    public void To_floats(string instruction, uint a, float expected) => Assert.Equal(Bits(expected), Word(instruction, a));

    [Theory]
    [InlineData(0x3F801000u, 0x3F802000u)] // A tie goes away from zero.
    [InlineData(0x3F800FFFu, 0x3F800000u)]
    [InlineData(0xBF801000u, 0xBF802000u)]
    [InlineData(0x7F800000u, 0x7F800000u)]
    public void Tf32_rounds_to_the_nearest_away_from_zero(uint a, uint expected) =>
        Assert.Equal(expected, Word("cvt.rna.tf32.f32 %r4, %f1;", a));

    [Theory]
    [InlineData(0x3F808000u, 0x3F80u)] // A tie goes to even.
    [InlineData(0x3F818000u, 0x3F82u)]
    [InlineData(0x7F7FFFFFu, 0x7F80u)]
    [InlineData(0x7FC12345u, 0x7FFFu)]
    public void Bf16_rounds_to_even(uint a, uint expected) => Assert.Equal(expected, Word("cvt.rn.bf16.f32 %h4, %f1;", a));

    [Theory]
    [InlineData("cvt.u8.u32 %r4, %r1;", 0x1FFu, 0xFFu)]
    [InlineData("cvt.s8.s32 %r4, %r1;", 0x1FFu, 0xFFFFFFFFu)]
    [InlineData("cvt.sat.s8.s32 %r4, %r1;", 0x1FFu, 127u)]
    [InlineData("cvt.sat.u8.s32 %r4, %r1;", 0xFFFFFFFFu, 0u)]
    [InlineData("cvt.sat.u16.u32 %r4, %r1;", 0x1FFFFu, 0xFFFFu)]
    [InlineData("cvt.s32.s16 %r4, %h1;", 0x8000u, 0xFFFF8000u)]
    [InlineData("cvt.u32.u16 %r4, %h1;", 0x8000u, 0x8000u)]
    public void Between_whole_numbers(string instruction, uint a, uint expected) => Assert.Equal(expected, Word(instruction, a));

    [Theory]
    [InlineData("fma.rn.bf16 %h4, %h1, %h2, %h3;", 0x4000u, 0x4040u, 0x3F80u, 0x40E0u)]
    [InlineData("fma.rn.f16 %h4, %h1, %h2, %h3;", 0x4000u, 0x4200u, 0x3C00u, 0x4700u)]
    [InlineData("add.f16 %h4, %h1, %h2;", 0x4000u, 0x4200u, 0u, 0x4500u)]
    [InlineData("fma.rn.bf16x2 %r4, %r1, %r2, %r3;", 0x40003F80u, 0x40403F80u, 0x3F803F80u, 0x40E04000u)]
    [InlineData("fma.rn.f16x2 %r4, %r1, %r2, %r3;", 0x40003C00u, 0x42003C00u, 0x3C003C00u, 0x47004000u)]
    [InlineData("add.rn.f16x2 %r4, %r1, %r2;", 0x40003C00u, 0x42003C00u, 0u, 0x45004000u)]
    [InlineData("sub.rn.f16x2 %r4, %r1, %r2;", 0x40003C00u, 0x42003C00u, 0u, 0xBC000000u)]
    [InlineData("mul.rn.f16x2 %r4, %r1, %r2;", 0x40003C00u, 0x42003C00u, 0u, 0x46003C00u)]
    [InlineData("abs.f16x2 %r4, %r1;", 0xC0003C00u, 0u, 0u, 0x40003C00u)]
    [InlineData("neg.f16x2 %r4, %r1;", 0xC0003C00u, 0u, 0u, 0x4000BC00u)]
    [InlineData("max.f16x2 %r4, %r1, %r2;", 0x40003C00u, 0x42000000u, 0u, 0x42003C00u)]
    [InlineData("neg.bf16x2 %r4, %r1;", 0x40003C00u, 0u, 0u, 0xC000BC00u)]
    public void Halves(string instruction, uint a, uint b, uint c, uint expected) => Assert.Equal(expected, Word(instruction, a, b, c));

    [Theory]
    [InlineData("add.f64 %d5, %d2, %d3;", 1.0, 1e-17, 0, 1.0)]
    [InlineData("fma.rn.f64 %d5, %d2, %d3, %d4;", 3.0, 1 / 3.0, -1.0, -5.551115123125783E-17)]
    [InlineData("div.rn.f64 %d5, %d2, %d3;", 1.0, 3.0, 0, 1 / 3.0)]
    [InlineData("sqrt.rn.f64 %d5, %d2;", 2.0, 0, 0, 1.4142135623730951)]
    [InlineData("rcp.rn.f64 %d5, %d2;", 3.0, 0, 0, 1 / 3.0)]
    [InlineData("min.f64 %d5, %d2, %d3;", double.NaN, 3.0, 0, 3.0)]
    [InlineData("neg.f64 %d5, %d2;", 3.0, 0, 0, -3.0)]
    [InlineData("{ .reg .f32 t; cvt.rn.f32.f64 t, %d2; cvt.f64.f32 %d5, t; }", 1 + 1e-10, 0, 0, 1.0)]
    [InlineData("{ .reg .f32 t; cvt.rp.f32.f64 t, %d2; cvt.f64.f32 %d5, t; }", 1 + 1e-10, 0, 0, 1.00000011920928955)]
    public void Doubles(string instruction, double a, double b, double c, double expected) => Assert.Equal(
        BitConverter.DoubleToUInt64Bits(expected),
        Long(instruction, BitConverter.DoubleToUInt64Bits(a), BitConverter.DoubleToUInt64Bits(b), BitConverter.DoubleToUInt64Bits(c)));

    [Theory]
    [InlineData("cvt.rzi.s64.f64 %rd5, %d2;", 1e300, 0x7FFFFFFFFFFFFFFFul)]
    [InlineData("cvt.rzi.u64.f64 %rd5, %d2;", 1.8e19, 18000000000000000000ul)]
    [InlineData("cvt.rni.s64.f64 %rd5, %d2;", -2.5, 0xFFFFFFFFFFFFFFFEul)]
    public void From_doubles(string instruction, double a, ulong expected) =>
        Assert.Equal(expected, Long(instruction, BitConverter.DoubleToUInt64Bits(a)));

    [Theory]
    [InlineData("cvt.rn.f64.s64 %d5, %rd2;", 0x8000000000000000ul, -9223372036854775808.0)]
    [InlineData("cvt.rn.f64.u64 %d5, %rd2;", 0xFFFFFFFFFFFFFFFFul, 18446744073709551616.0)]
    [InlineData("cvt.rn.f64.u64 %d5, %rd2;", 0x8000000000000401ul, 9223372036854777856.0)]
    [InlineData("{ .reg .f32 t; cvt.rn.f32.u64 t, %rd2; cvt.f64.f32 %d5, t; }", 0x8000008000000001ul, 9223373136366403584.0)]
    public void To_doubles(string instruction, ulong a, double expected) =>
        Assert.Equal(BitConverter.DoubleToUInt64Bits(expected), Long(instruction, a));

    [Theory]
    [InlineData("eq", 1f, 1f, true)]
    [InlineData("eq", Nan, 1f, false)]
    [InlineData("ne", Nan, 1f, false)]
    [InlineData("ne", 2f, 1f, true)]
    [InlineData("lt", 0.5f, 1f, true)]
    [InlineData("lt", Nan, 1f, false)]
    [InlineData("le", Nan, 1f, false)]
    [InlineData("le", 1f, 1f, true)]
    [InlineData("gt", Nan, 1f, false)]
    [InlineData("ge", Nan, 1f, false)]
    [InlineData("ge", 0f, -0f, true)]
    [InlineData("equ", Nan, 1f, true)]
    [InlineData("equ", 2f, 1f, false)]
    [InlineData("neu", Nan, 1f, true)]
    [InlineData("neu", 1f, 1f, false)]
    [InlineData("ltu", Nan, 1f, true)]
    [InlineData("ltu", 2f, 1f, false)]
    [InlineData("leu", Nan, 1f, true)]
    [InlineData("leu", 2f, 1f, false)]
    [InlineData("gtu", Nan, 1f, true)]
    [InlineData("gtu", 1f, 1f, false)]
    [InlineData("geu", Nan, 1f, true)]
    [InlineData("geu", 0f, 1f, false)]
    [InlineData("num", 1f, 2f, true)]
    [InlineData("num", 1f, Nan, false)]
    [InlineData("nan", 1f, Nan, true)]
    [InlineData("nan", 1f, Inf, false)]
    public void Comparisons(string comparison, float a, float b, bool expected)
    {
        Assert.Equal(expected, Predicate($"setp.{comparison}.f32 %p1, %f1, %f2;", Bits(a), Bits(b)));
        Assert.Equal(
            expected, Predicate($"cvt.f64.f32 %d1, %f1; cvt.f64.f32 %d2, %f2; setp.{comparison}.f64 %p1, %d1, %d2;", Bits(a), Bits(b)));
    }

    [Fact]
    public void A_comparison_that_flushes_takes_a_denormal_for_zero()
    {
        Assert.False(Predicate("setp.eq.f32 %p1, %f1, 0f00000000;", Bits(Tiny)));
        Assert.True(Predicate("setp.eq.ftz.f32 %p1, %f1, 0f00000000;", Bits(Tiny)));
    }

    [Theory]
    [InlineData("finite", 1f, Inf)]
    [InlineData("infinite", -Inf, 1f)]
    [InlineData("number", Inf, Nan)]
    [InlineData("notanumber", Nan, Inf)]
    [InlineData("normal", 1f, Tiny)]
    [InlineData("subnormal", Tiny, 0f)]
    public void Kinds_of_floats(string kind, float holds, float doesNot)
    {
        Assert.True(Predicate($"testp.{kind}.f32 %p1, %f1;", Bits(holds)));
        Assert.False(Predicate($"testp.{kind}.f32 %p1, %f1;", Bits(doesNot)));
    }

    private static float Below(float near, double exact) => near > exact ? MathF.BitDecrement(near) : near;
}
