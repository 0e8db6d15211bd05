using System.Text;
using Gradpath.Kernels.Cuda.Driver;
using static Gradpath.PtxEmulator.Tests.PtxRun;
using static Gradpath.PtxEmulator.Tests.Sm90a.Sm90aPtx;

namespace Gradpath.PtxEmulator.Tests.Sm90a;

/// <summary>What threads do with each other on sm_90a beside products: registers, elections, barriers of some, matrices' stores.</summary>
public sealed class Sm90aThreadsTests
{
    // 384 threads have 168 registers each, three warpgroups 504.
    private static string Trade(int less, int more) => $"""
        shr.u32 %r1, %r0, 7;
        setp.eq.u32 %p1, %r1, 0;
        @%p1 bra PRODUCER;
        setmaxnreg.inc.sync.aligned.u32 {more};
        bra.uni END;
        PRODUCER:
        setmaxnreg.dec.sync.aligned.u32 {less};
        END:
        """;

    [Fact]
    public void Warpgroups_trade_registers()
    {
        Runs(Trade(40, 232), threads: 384);
        Runs(Trade(24, 240), threads: 384);
        Fails(Trade(40, 240), "deadlock: setmaxnreg waits for 240 registers a thread; "
            + "the block's 3 warpgroups share 504 and hold 40 + 240 + 168", threads: 384);
        Fails(Trade(176, 232), "setmaxnreg.dec to 176 registers, where the warpgroup has 168", threads: 384);
        Fails(Trade(40, 160), "setmaxnreg.inc to 160 registers, where the warpgroup has 168", threads: 384);
    }

    [Fact]
    public void Only_a_kernel_with_bounds_trades_registers()
    {
        string ptx = Sm90aKernel("setmaxnreg.dec.sync.aligned.u32 40;"), bounds = ".maxntid 128, 1, 1\n";
        Run(ptx, new byte[4], 4, threads: 128);
        Run(ptx.Replace(bounds, ".maxnreg 64\n", StringComparison.Ordinal), new byte[4], 4, threads: 128);
        CudaException fault = Fault(ptx.Replace(bounds, "", StringComparison.Ordinal), threads: 128);
        Assert.Contains("setmaxnreg needs a kernel with bounds", fault.Message, StringComparison.Ordinal);
        foreach (int wrong in (int[])[20, 16, 264])
            Fails($"setmaxnreg.dec.sync.aligned.u32 {wrong};", "a multiple of 8 from 24 to 256", result: CudaResult.InvalidPtx);
    }

    [Fact]
    public void One_lane_is_elected()
    {
        byte[] result = Runs("""
            elect.sync %r1|%p1, 0xffffffff;
            elect.sync _|%p2, 0xffffffff;
            selp.u32 %r2, 1000, 0, %p1; add.u32 %r1, %r1, %r2;
            selp.u32 %r2, 100, 0, %p2; add.u32 %r1, %r1, %r2;
            mul.wide.u32 %rd2, %r0, 4; add.s64 %rd2, %rd1, %rd2; st.global.u32 [%rd2], %r1;
            """, threads: 64);
        for (int i = 0; i < 64; i++) Assert.Equal(i % 32 == 0 ? 1100 : 0, BitConverter.ToInt32(result, 4 * i));
    }

    private static string Handed(string arrive, string wait) => $"""
        mov.u32 %r1, tile; and.b32 %r2, %r0, 31; shl.b32 %r2, %r2, 2; add.u32 %r1, %r1, %r2;
        setp.ge.u32 %p1, %r0, 32;
        @%p1 bra WRITE;
        {wait}
        ld.shared.u32 %r3, [%r1];
        cvt.u64.u32 %rd2, %r2; add.s64 %rd2, %rd1, %rd2; st.global.u32 [%rd2], %r3;
        bra.uni END;
        WRITE:
        st.shared.u32 [%r1], %r0;
        {arrive}
        END:
        """;

    [Fact]
    public void Some_arrive_at_a_barrier_and_others_wait()
    {
        byte[] result = Runs(Handed("bar.arrive 1, 64;", "bar.sync 1, 64;"), threads: 64);
        for (int i = 0; i < 32; i++) Assert.Equal(32 + i, BitConverter.ToInt32(result, 4 * i));
        Runs(Handed("bar.sync 15, 64;", "bar.sync 15, 64;"), threads: 64);
        Fails(Handed("bar.arrive 1, 96;", "bar.sync 1, 96;"), "divergent barrier", threads: 64);
        Fails(Handed("bar.arrive 2, 64;", "bar.sync 1, 64;"), "divergent barrier", threads: 64);
        Fails(Handed("bar.arrive 1, 60;", "bar.sync 1, 64;"), "a barrier counts whole warps, not 60 threads", threads: 64);
        Fails(Handed("bar.arrive 16, 64;", "bar.sync 1, 64;"), "there is no barrier 16: they are 0 to 15", threads: 64);
        Fails(Handed("bar.arrive 1, 32;\nbar.arrive 1, 32;", "bra.uni END;"),
            "33 threads arrive at barrier 1, which counts 32", threads: 64);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Matrices_are_stored_as_they_are_loaded(bool transposed)
    {
        // Lane l holds of matrix m the elements 2 (l % 4) and the next of row l / 4, each of which is its own number.
        var values = new StringBuilder();
        for (int m = 0; m < 4; m++) values.Append($"add.u32 x{m}, %r4, {(m * 64) + (m * 64 << 16)};\n");
        byte[] result = Runs($$"""
            .reg .b32 x<4>;
            shr.u32 %r2, %r0, 2; and.b32 %r3, %r0, 3; shl.b32 %r2, %r2, 3; shl.b32 %r3, %r3, 1; add.u32 %r2, %r2, %r3;
            add.u32 %r3, %r2, 1; shl.b32 %r3, %r3, 16; or.b32 %r4, %r2, %r3;
            {{values}}
            mov.u32 %r5, tile; shl.b32 %r6, %r0, 4; add.u32 %r5, %r5, %r6;
            stmatrix.sync.aligned.m8n8.x4{{(transposed ? ".trans" : "")}}.shared.b16 [%r5], {x0, x1, x2, x3};
            bar.warp.sync -1;
            ld.shared.v4.u32 {%r10, %r11, %r12, %r13}, [%r5];
            cvt.u64.u32 %rd2, %r6; add.s64 %rd2, %rd1, %rd2; st.global.v4.u32 [%rd2], {%r10, %r11, %r12, %r13};
            """, threads: 32);
        for (int i = 0; i < 256; i++)
        {
            int row = i % 64 / 8, column = i % 8, expected = transposed ? (i / 64 * 64) + (column * 8) + row : i;
            Assert.Equal(expected, BitConverter.ToUInt16(result, 2 * i));
        }
    }

    [Fact]
    public void Code_for_one_gpu_alone_is_refused_by_others()
    {
        string ptx = Sm90aKernel("");
        Run(ptx, new byte[4], 4);
        Assert.Contains("it is for one alone",
            Fault(ptx, options: new EmulatorOptions { Major = 10 }).Message, StringComparison.Ordinal);
        Assert.Contains(".target 'sm_90a' is higher than the GPU's compute capability 8.0",
            Fault(ptx, options: new EmulatorOptions { Major = 8 }).Message, StringComparison.Ordinal);
    }
}
