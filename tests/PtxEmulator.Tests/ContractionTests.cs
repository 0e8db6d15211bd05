using System.Runtime.InteropServices;
using static Gradpath.PtxEmulator.Tests.PtxRun;

namespace Gradpath.PtxEmulator.Tests;

/// <summary>What an assembler may round once in place of twice.</summary>
public sealed class ContractionTests
{
    private const float A = 1 + (1f / 4096), B = A, C = -1 - (1f / 2048);

    // a b is 1 + 2^-11 + 2^-24, whose last bit rounding takes: 0 with c where the product is rounded.
    private const float Once = 1f / (1 << 24);

    private const string Load = "ld.global.f32 %f1, [%rd0]; ld.global.f32 %f2, [%rd0+4]; ld.global.f32 %f3, [%rd0+8];\n";

    private static float Result(string body, bool fuse, float c = C)
    {
        byte[] input = MemoryMarshal.AsBytes<float>([A, B, c]).ToArray();
        var options = new EmulatorOptions { Fuse = fuse };
        return BitConverter.ToSingle(Run(Kernel($"{Load}{body}\nst.global.f32 [%rd1], %f4;"), input, 4, options: options));
    }

    [Theory]
    [InlineData("mul.f32 %f5, %f1, %f2; add.f32 %f4, %f5, %f3;", C, Once)]
    [InlineData("mul.f32 %f5, %f1, %f2; add.f32 %f4, %f3, %f5;", C, Once)]
    [InlineData("mul.f32 %f5, %f1, %f2; sub.f32 %f4, %f5, %f3;", -C, Once)]
    [InlineData("mul.f32 %f5, %f1, %f2; sub.f32 %f4, %f3, %f5;", -C, -Once)]
    [InlineData("mul.f32 %f5, %f1, %f2; mov.f32 %f6, %f3; add.f32 %f4, %f5, %f6;", C, Once)]
    [InlineData("mul.f32 %f5, %f1, %f2; add.f32 %f6, %f5, %f5; add.f32 %f4, %f5, %f3;", C, Once)] // another user
    [InlineData("mul.ftz.f32 %f5, %f1, %f2; add.ftz.f32 %f4, %f5, %f3;", C, Once)]
    public void A_sum_that_says_nothing_of_rounding_may_be_contracted(string body, float c, float once)
    {
        Assert.Equal(0, Result(body, fuse: false, c));
        Assert.Equal(once, Result(body, fuse: true, c));
    }

    [Theory]
    [InlineData("mul.rn.f32 %f5, %f1, %f2; add.f32 %f4, %f5, %f3;")]
    [InlineData("mul.f32 %f5, %f1, %f2; add.rn.f32 %f4, %f5, %f3;")]
    [InlineData("mul.ftz.f32 %f5, %f1, %f2; add.f32 %f4, %f5, %f3;")]
    [InlineData("mul.f32 %f5, %f1, %f2; bra N; N: add.f32 %f4, %f5, %f3;")] // two blocks
    [InlineData("mul.f32 %f5, %f1, %f2; setp.eq.u32 %p1, %r0, %r0; mov.f32 %f4, %f1; @%p1 add.f32 %f4, %f5, %f3;")]
    public void Others_may_not(string body)
    {
        byte[] input = MemoryMarshal.AsBytes<float>([A, B, C]).ToArray();
        byte[] Both(bool fuse) => Run(
            Kernel($"{Load}{body}\nst.global.f32 [%rd1], %f4;"), input, 8, options: new EmulatorOptions { Fuse = fuse });
        Assert.Equal(0, BitConverter.ToSingle(Both(fuse: true)));
        Assert.Equal(Both(fuse: false), Both(fuse: true));
    }

    /// <summary>The factors that the product had, not those that are in its registers by then.</summary>
    [Fact]
    public void A_factor_that_changes_keeps_the_product()
    {
        const string body = "mul.f32 %f5, %f1, %f2; mov.f32 %f1, %f3; add.f32 %f4, %f5, %f3; add.f32 %f4, %f4, %f1;";
        Assert.Equal(C, Result(body, fuse: true));
    }

    /// <summary>One of two equal products is rounded with the difference, the other before it.</summary>
    [Fact]
    public void A_kernel_that_counts_on_two_roundings_is_found_out()
    {
        const string body = """
            mul.f32 %f5, %f1, %f2; mul.f32 %f6, %f1, %f2; st.global.f32 [%rd1+4], %f6; sub.f32 %f7, %f5, %f6;
            setp.neu.f32 %p1, %f7, 0f00000000; selp.f32 %f4, 0f3f800000, 0f00000000, %p1;
            """;
        byte[] input = MemoryMarshal.AsBytes<float>([A, B, C]).ToArray();
        float Answer(bool fuse) => BitConverter.ToSingle(
            Run(Kernel($"{Load}{body}\nst.global.f32 [%rd1], %f4;"), input, 8, options: new EmulatorOptions { Fuse = fuse }));
        Assert.Equal(0, Answer(fuse: false));
        Assert.Equal(1, Answer(fuse: true));
    }
}
