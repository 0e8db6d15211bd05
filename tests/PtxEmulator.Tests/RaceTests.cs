using Gradpath.Kernels.Cuda.Driver;
using static Gradpath.PtxEmulator.Tests.PtxRun;

namespace Gradpath.PtxEmulator.Tests;

public sealed class RaceTests
{
    private const string Shared = ".shared .align 16 .b8 s[1024];";

    // %r1: address of this thread's word in shared memory; %rd4: address of its word in the output.
    private const string Mine =
        "mov.u32 %r2, s; shl.b32 %r3, %r0, 2; add.u32 %r1, %r2, %r3; mul.wide.u32 %rd2, %r0, 4; add.s64 %rd4, %rd1, %rd2;\n";

    private static void IsRace(string body, int threads = 64, Grid? grid = null, string words = "race: ")
    {
        string ptx = Kernel(Mine + body, Shared);
        CudaException fault = Fault(ptx, threads: threads, grid: grid);
        Assert.Equal(CudaResult.LaunchFailed, fault.Result);
        Assert.Contains("race: ", fault.Message, StringComparison.Ordinal);
        Assert.Contains(words, fault.Message, StringComparison.Ordinal);
        Run(ptx, new byte[64], 1024, threads, grid, options: new EmulatorOptions { Races = false });
    }

    private static byte[] IsNone(string body, int threads = 64, Grid? grid = null) =>
        Run(Kernel(Mine + body, Shared), new byte[64], 1024, threads, grid);

    [Fact]
    public void A_missing_barrier_between_writing_and_reading_shared_memory_is_found()
    {
        const string write = "st.shared.u32 [%r1], %r0;",
            read = "xor.b32 %r4, %r3, 128; add.u32 %r4, %r4, %r2; ld.shared.u32 %r5, [%r4]; st.global.u32 [%rd4], %r5;";
        IsRace($"mov.u32 %r6, 0; st.shared.u32 [%r1], %r6; bar.sync 0; {write} {read}", words: "shared address");
        byte[] result = IsNone($"{write} bar.sync 0; {read}");
        for (int i = 0; i < 64; i++) Assert.Equal(i ^ 32, BitConverter.ToInt32(result, 4 * i));
    }

    [Fact]
    public void A_missing_barrier_between_reading_and_writing_again_is_found()
    {
        const string start = "st.shared.u32 [%r1], %r0; bar.sync 0; ld.shared.u32 %r5, [s];", end = "st.shared.u32 [%r1], %r5;";
        IsRace(start + end);
        IsNone(start + "bar.sync 0;" + end);
    }

    [Fact]
    public void Two_threads_that_write_one_word_are_found() => IsRace("st.shared.u32 [s], %r0;", words: "written by thread 0");

    [Fact]
    public void Lanes_of_a_warp_need_a_warp_barrier()
    {
        const string write = "st.shared.u32 [%r1], %r0;", read = "xor.b32 %r4, %r3, 4; add.u32 %r4, %r4, %r2; ld.shared.u32 %r5, [%r4];";
        const string zero = "mov.u32 %r6, 0; st.shared.u32 [%r1], %r6; bar.sync 0;";
        IsRace($"{zero} {write} {read}", threads: 32);
        IsRace($"{zero} {write} shfl.sync.bfly.b32 %r7, %r0, 1, 31, -1; {read}", threads: 32);
        IsNone($"{zero} {write} bar.warp.sync -1; {read}", threads: 32);
        // A meeting of lanes orders reads before it and writes behind it.
        IsNone($"{zero} {read} shfl.sync.bfly.b32 %r7, %r0, 1, 31, -1; {write}", threads: 32);
        IsRace($"{zero} {read} {write}", threads: 32);
        // Other warps are not ordered by it.
        IsRace($"{zero} {write} bar.warp.sync -1; xor.b32 %r4, %r3, 128; add.u32 %r4, %r4, %r2; ld.shared.u32 %r5, [%r4];", threads: 64);
    }

    [Fact]
    public void Blocks_of_one_launch_are_never_ordered()
    {
        IsRace("st.global.u32 [%rd4], %r0; bar.sync 0;", threads: 32, grid: 2,
            words: "written by thread 0 of block 0; blocks of one launch are not ordered");
        IsRace("mov.u32 %r5, %ctaid.x; setp.eq.u32 %p1, %r5, 0; @%p1 bra A; st.global.u32 [%rd4], %r0; A: ld.global.u32 %r6, [%rd4];",
            threads: 32, grid: 2, words: "was read by");
        IsNone("ld.global.u32 %r6, [%rd4];", threads: 32, grid: 2);
    }

    // The last of two blocks to arrive reads what the other has written: the sum of parts at the end of a launch.
    [Theory]
    [InlineData("bar.sync 0;", "membar.gl;", "membar.gl;", "bar.sync 0;", true)]
    [InlineData("bar.sync 0;", "fence.acq_rel.gpu;", "fence.acq_rel.gpu;", "bar.sync 0;", true)]
    [InlineData("", "membar.gl;", "membar.gl;", "bar.sync 0;", false)]
    [InlineData("bar.sync 0;", "", "membar.gl;", "bar.sync 0;", false)]
    [InlineData("bar.sync 0;", "membar.cta;", "membar.gl;", "bar.sync 0;", false)]
    [InlineData("bar.sync 0;", "membar.gl;", "", "bar.sync 0;", false)]
    [InlineData("bar.sync 0;", "membar.gl;", "membar.gl;", "", false)]
    public void Blocks_are_ordered_by_barriers_fences_and_an_atomic_operation(
        string first, string release, string acquire, string last, bool ordered)
    {
        // Each thread writes its word of the block's row behind a counter; of the last block it reads the other block's words.
        string body = $"""
            mov.u32 %r5, %ctaid.x; shl.b32 %r6, %r5, 8; add.u32 %r6, %r6, %r3; cvt.u64.u32 %rd2, %r6; add.s64 %rd3, %rd1, %rd2;
            st.global.u32 [%rd3+64], %r0; {first}
            setp.ne.u32 %p1, %r0, 0; @%p1 bra A;
            {release} atom.global.inc.u32 %r7, [%rd1], 1; {acquire} st.shared.u32 [s], %r7;
            A: {last} ld.shared.u32 %r7, [s]; setp.eq.u32 %p1, %r7, 0; @%p1 bra B;
            xor.b32 %r6, %r6, 256; xor.b32 %r6, %r6, 128; cvt.u64.u32 %rd2, %r6; add.s64 %rd3, %rd1, %rd2; ld.global.u32 %r6, [%rd3+64]; B:
            """;
        if (ordered) IsNone(body, threads: 64, grid: 2);
        else IsRaceAlone(body);

        static void IsRaceAlone(string body)
        {
            CudaException fault = Fault(Kernel(Mine + body, Shared), threads: 64, grid: 2);
            string[] words = ["race: ", "nothing has written"];
            Assert.True(words.Any(w => fault.Message.Contains(w, StringComparison.Ordinal)), fault.Message);
        }
    }

    [Fact]
    public void Atomic_operations_do_not_race_with_each_other_but_with_plain_ones()
    {
        byte[] result = IsNone(
            "red.global.add.u32 [%rd1], 1; atom.global.max.u32 %r5, [%rd1+4], %r0; atom.global.inc.u32 %r6, [%rd1+8], 1000;", grid: 3);
        Assert.Equal(
            [192, 63, 192], new[] { BitConverter.ToInt32(result, 0), BitConverter.ToInt32(result, 4), BitConverter.ToInt32(result, 8) });
        IsRace("red.global.add.u32 [%rd1], 1; ld.global.u32 %r5, [%rd1];");
        IsRace("setp.eq.u32 %p1, %r0, 0; @%p1 ld.global.u32 %r5, [%rd1]; @!%p1 red.global.add.u32 [%rd1], 1;",
            words: "changed atomically here and was read by thread 0");
    }

    [Fact]
    public void Halves_of_a_word_are_told_apart()
    {
        const string address = "shl.b32 %r4, %r0, 1; add.u32 %r4, %r4, %r2; cvt.u16.u32 %h1, %r0;";
        IsNone($"{address} st.shared.u16 [%r4], %h1;");
        IsRace($"{address} st.shared.u16 [%r4], %h1; xor.b32 %r5, %r4, 2; ld.shared.u16 %h2, [%r4]; st.shared.u16 [%r5], %h2;", threads: 2);
    }

    [Fact]
    public void A_tree_reduction_with_its_barriers_passes()
    {
        const string body = """
            cvt.rn.f32.u32 %f1, %r0; st.shared.f32 [%r1], %f1; mov.u32 %r4, 32;
            L: bar.sync 0; setp.ge.u32 %p1, %r0, %r4; @%p1 bra N; shl.b32 %r5, %r4, 2; add.u32 %r6, %r1, %r5; ld.shared.f32 %f2, [%r6];
            ld.shared.f32 %f3, [%r1]; add.f32 %f4, %f2, %f3; st.shared.f32 [%r1], %f4;
            N: shr.u32 %r4, %r4, 1; setp.ne.u32 %p2, %r4, 0; @%p2 bra L;
            setp.eq.u32 %p3, %r0, 0; @!%p3 ret; st.global.f32 [%rd1], %f4;
            """;
        Assert.Equal(2016f, BitConverter.ToSingle(IsNone(body)));
        IsRace(body.Replace("L: bar.sync 0;", "bar.sync 0; L: ", StringComparison.Ordinal));
    }

    [Fact]
    public void Each_launch_begins_anew()
    {
        using var driver = new EmulatedDriver();
        driver.CreateContext(0);
        nint stream = driver.CreateStream(), module = driver.LoadModule(
            "test.ptx", System.Text.Encoding.ASCII.GetBytes(Kernel(Mine + "st.global.u32 [%rd4], %r0;", Shared)));
        nint function = driver.GetFunction(module, "kernel"), memory = driver.Allocate(1024);
        // More launches than stamps can number.
        for (int i = 0; i < 2100; i++) Launch(driver, function, 1, i % 2 == 0 ? 64 : 32, 0, stream, memory, memory);
        driver.Synchronize(stream);
    }

    [Fact]
    public void An_asynchronous_copy_may_be_read_after_waiting_and_by_others_after_a_barrier()
    {
        const string copy = "and.b32 %r7, %r0, 3; shl.b32 %r7, %r7, 4; cvt.u64.u32 %rd5, %r7; add.s64 %rd6, %rd0, %rd5; shl.b32 %r8, %r0, "
            + "4; add.u32 %r9, %r2, %r8; cp.async.cg.shared.global [%r9], [%rd6], 16; cp.async.commit_group;";
        const string readOwn = "ld.shared.u32 %r5, [%r9];",
            readOther = "xor.b32 %r10, %r8, 16; add.u32 %r10, %r10, %r2; ld.shared.u32 %r5, [%r10];";
        IsNone($"{copy} cp.async.wait_group 0; {readOwn}", 32);
        IsNone($"{copy} cp.async.wait_all; bar.sync 0; {readOther}", 32);
        IsRace($"{copy} cp.async.wait_group 0; setp.lt.u32 %p1, %r0, 32; @%p1 ret; xor.b32 %r10, %r8, 512; add.u32 %r10, %r10, %r2; "
            + "ld.shared.u32 %r5, [%r10];", 64, words: "was written by thread 0");
        CudaException early = Fault(Kernel(Mine + $"{copy} cp.async.wait_group 1; {readOwn}", Shared), threads: 32);
        Assert.Contains("never written", early.Message, StringComparison.Ordinal);
        Assert.Contains("has not waited for its cp.async", early.Message, StringComparison.Ordinal);
        CudaException other = Fault(Kernel(Mine + $"{copy} cp.async.wait_group 0; {readOther}", Shared), threads: 32);
        Assert.Contains("never written", other.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_asynchronous_copy_fills_up_with_zeros()
    {
        const string body = "cp.async.ca.shared.global [s], [%rd0], 16, 8; cp.async.wait_all; ld.shared.v4.u32 {%r4, %r5, %r6, %r7}, [s]; "
            + "st.global.v4.u32 [%rd1], {%r4, %r5, %r6, %r7};";
        byte[] result = Run(Kernel(body, Shared), [.. Enumerable.Range(1, 16).Select(i => (byte)i)], 16);
        Assert.Equal([1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0], result);
    }
}
