using System.Runtime.InteropServices;
using Gradpath.PtxEmulator.Execution;
using static Gradpath.PtxEmulator.Tests.PtxRun;

namespace Gradpath.PtxEmulator.Tests;

/// <summary>What tensor cores cut off while they add.</summary>
public sealed unsafe class TensorRoundingTests
{
    // Every element of A is the first number of the input, of B the second and of C the third; the result's first element comes back.
    private static float Mma(string mode, float a, float b, float c, TensorRounding? rounding)
    {
        bool tf32 = mode.EndsWith("tf32", StringComparison.Ordinal);
        string pack = tf32 ? "" : mode == "f16"
            ? "mov.b32 %f1, %r1; mov.b32 %f2, %r2; cvt.rn.f16x2.f32 %r1, %f1, %f1; cvt.rn.f16x2.f32 %r2, %f2, %f2;"
            : "shr.u32 %r5, %r1, 16; or.b32 %r1, %r1, %r5; shr.u32 %r5, %r2, 16; or.b32 %r2, %r2, %r5;";
        string shape = tf32 ? "m16n8k8" : "m16n8k16", type = mode;
        string ptx = Kernel($$"""
            ld.global.b32 %r1, [%rd0]; ld.global.b32 %r2, [%rd0+4]; ld.global.f32 %f3, [%rd0+8]; {{pack}}
            mma.sync.aligned.{{shape}}.row.col.f32.{{type}}.{{type}}.f32 {%f4, %f5, %f6, %f7}, {%r1, %r1, %r1, %r1}, {%r2, %r2},
                {%f3, %f3, %f3, %f3};
            setp.eq.u32 %p1, %r0, 0;
            @%p1 st.global.f32 [%rd1], %f4;
            """);
        byte[] input = MemoryMarshal.AsBytes<float>([a, b, c]).ToArray();
        return BitConverter.ToSingle(Run(ptx, input, 4, 32, options: new EmulatorOptions { TensorCores = rounding }));
    }

    /// <summary>
    /// A kernel that adds a long sum within the tensor core loses all of it beside a large start, where one that is added exactly does not.
    /// </summary>
    [Theory]
    [InlineData("tf32", 8)]
    [InlineData("bf16", 16)]
    [InlineData("f16", 16)]
    public void Terms_below_the_last_bit_kept_are_lost(string mode, int terms)
    {
        float small = MathF.ScaleB(1, -25), root = MathF.ScaleB(1, -12);
        Assert.Equal(1 + (terms * small), Mma(mode, root, root / 2, 1, null));
        Assert.Equal(1, Mma(mode, root, root / 2, 1, TensorRounding.Ampere));
        Assert.Equal(1 + (terms * small), Mma(mode, root, root / 2, 1, TensorRounding.Hopper));
        Assert.Equal(1 + (terms * 2 * small), Mma(mode, root, root, 1, TensorRounding.Ampere));
    }

    /// <summary>Cut toward zero, whatever the sign: what is lost has the sum's sign.</summary>
    [Fact]
    public void Cuts_are_toward_zero()
    {
        float small = 1.5f * MathF.ScaleB(1, -24);
        Assert.Equal(1 + (8 * MathF.ScaleB(1, -24)), Mma("tf32", small, 1, 1, TensorRounding.Ampere));
        Assert.Equal(-1 - (8 * MathF.ScaleB(1, -24)), Mma("tf32", -small, 1, -1, TensorRounding.Ampere));
    }

    /// <summary>The exponent is that of the factors, so a product that carries keeps a bit more.</summary>
    [Fact]
    public void A_product_that_carries_is_aligned_by_its_factors()
    {
        double* a = stackalloc double[] { 1.5, Math.ScaleB(1, -24) }, b = stackalloc double[] { 1.5, 1 };
        Assert.Equal(2.25, TensorRounding.Ampere.Add(a, b, 1, 0, 2, 4, -126)); // cut to f32: 2.25's last bit is 2^-22
        Assert.Equal(0.25, TensorRounding.Ampere.Add(a, b, 1, -2, 2, 4, -126)); // -2 is aligned to, so 2^-24 is one bit too low
        a[0] = 1;
        b[0] = 1;
        Assert.Equal(Math.ScaleB(1, -24), TensorRounding.Ampere.Add(a, b, 1, -1, 2, 4, -126));
        a[1] = Math.ScaleB(1, -25);
        Assert.Equal(0, TensorRounding.Ampere.Add(a, b, 1, -1, 2, 4, -126));
        Assert.Equal(Math.ScaleB(1, -25), TensorRounding.Hopper.Add(a, b, 1, -1, 2, 4, -126));
    }

    [Fact]
    public void Numbers_beyond_the_range_stay()
    {
        Assert.Equal(float.PositiveInfinity, Mma("tf32", float.PositiveInfinity, 1, 1, TensorRounding.Ampere));
        Assert.True(float.IsNaN(Mma("tf32", float.PositiveInfinity, 0, 1, TensorRounding.Ampere)));
        Assert.Equal(0, Mma("tf32", 0, 0, 0, TensorRounding.Ampere));
        Assert.Equal(MathF.ScaleB(1, -128), Mma("tf32", MathF.ScaleB(1, -126), MathF.ScaleB(1, -5), 0, TensorRounding.Hopper));
    }
}
