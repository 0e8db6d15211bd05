using Gradpath.Diagnostics.KernelRuns;
using Gradpath.PtxEmulator.Survey;
using Xunit.Abstractions;

namespace Gradpath.Cuda.Tests;

/// <summary>No kernel of the products needs more registers than its launch bounds leave it, as far as the PTX tells.</summary>
public sealed class RegisterTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("Gemm")]
    [InlineData("GemmFfma")]
    [InlineData("GemmTf32x3")]
    [InlineData("GemmFp16x3")]
    [InlineData("GemmTf32")]
    [InlineData("GemmBf16")]
    [InlineData("EdgeContraction")]
    [InlineData("AttentionShort")]
    [InlineData("Grouped")]
    public void Live_values_fit_the_registers(string file)
    {
        KernelResources[] kernels = [.. KernelSurvey.Resources.Values.Where(k => k.File == $"{file}.ptx")];
        Assert.NotEmpty(kernels);
        foreach (KernelResources kernel in kernels)
        {
            // Those without launch bounds are launched with 256 threads.
            int most = LiveRegisters.Allowed(kernel.Threads > 0 ? kernel.Threads : 256, kernel.Blocks);
            output.WriteLine($"{kernel.Name}: {kernel.Registers} of {most}");
            Assert.True(kernel.Registers <= most, $"{kernel.Name} has {kernel.Registers} live registers, of {most}");
        }
    }

    [Fact]
    public void Counts_what_is_live_around_a_loop()
    {
        const string ptx = """
            .visible .entry k(
                .param .u64 k_param_0
            )
            .maxntid 64, 1, 1
            .minnctapersm 2
            {
                .reg .b32 %r<9>;
                ld.param.u64 %rd1, [k_param_0];
                ld.global.f32 %f1, [%rd1];
                mov.u32 %r1, %tid.x;
                mov.b32 %r2, 0;
            $L1:
                fma.rn.f32 %f1, %f1, %f1, %f1;
                add.s32 %r2, %r2, %r1;
                cvt.u64.u32 %rd2, %r2;
                setp.lt.s32 %p1, %r2, 9;
                st.global.u64 [%rd1], %rd2;
                @%p1 bra $L1;
                st.global.f32 [%rd1], %f1;
                ret;
            }
            """;
        Assert.Equal([("k", 64, 2, 4)], LiveRegisters.Of(ptx));
    }
}
