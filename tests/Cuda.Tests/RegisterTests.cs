using Gradpath.Kernels.Cuda;
using Xunit.Abstractions;

namespace Gradpath.Cuda.Tests;

/// <summary>No kernel of the products needs more registers than its launch bounds leave it, as far as the PTX tells.</summary>
public sealed class RegisterTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("Gemm")]
    [InlineData("GemmFfma")]
    [InlineData("GemmTf32x3")]
    [InlineData("GemmTf32")]
    [InlineData("GemmBf16")]
    [InlineData("EdgeContraction")]
    public void Live_values_fit_the_registers(string file)
    {
        using var reader = new StreamReader(typeof(CudaDevice).Assembly.GetManifestResourceStream($"{file}.ptx")!);
        var kernels = LiveRegisters.Of(reader.ReadToEnd()).ToList();
        Assert.NotEmpty(kernels);
        foreach ((string name, int threads, int blocks, int registers) in kernels)
        {
            // 65,536 registers of a multiprocessor, given to warps eight by eight; at most 255 for a thread.
            int most = Math.Min(255, 65_536 / (threads * blocks) / 8 * 8);
            output.WriteLine($"{name}: {registers} of {most}");
            Assert.True(registers <= most, $"{name} has {registers} live registers, of {most}");
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
