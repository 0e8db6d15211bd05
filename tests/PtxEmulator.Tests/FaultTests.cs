using Gradpath.Kernels.Cuda.Driver;
using static Gradpath.PtxEmulator.Tests.PtxRun;

namespace Gradpath.PtxEmulator.Tests;

/// <summary>Each fault provoked once.</summary>
public sealed class FaultTests
{
    private static void Check(CudaException fault, CudaResult result, params string[] words)
    {
        Assert.Equal(result, fault.Result);
        Assert.Contains("kernel kernel, test.ptx", fault.Message, StringComparison.Ordinal);
        foreach (string word in words) Assert.Contains(word, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Global_memory_out_of_bounds_names_line_block_thread_and_allocation()
    {
        string ptx = Kernel("mul.wide.u32 %rd2, %r0, 4;\nadd.s64 %rd3, %rd1, %rd2;\nst.global.u32 [%rd3], %r0;");
        int line = 1 + ptx[..ptx.IndexOf("st.global", StringComparison.Ordinal)].Count(c => c == '\n');
        Check(Fault(ptx, outputBytes: 40, threads: 32), CudaResult.IllegalAddress, $"line {line} (st.global.u32)",
            "block (0, 0, 0), thread 10", "out-of-bounds write", "0 bytes behind the end of an allocation of 40 bytes");
    }

    [Fact]
    public void A_read_out_of_bounds_is_found() =>
        Check(Fault(Kernel("ld.global.u32 %r1, [%rd0+64];")), CudaResult.IllegalAddress, "out-of-bounds read");

    [Fact]
    public void A_null_pointer_is_found() => Check(Fault(Kernel("mov.u64 %rd2, 0; ld.global.u32 %r1, [%rd2];")), CudaResult.IllegalAddress,
        "out-of-bounds read of 4 bytes at global address 0x0");

    [Fact]
    public void A_misaligned_access_is_found()
    {
        Check(Fault(Kernel("ld.global.u32 %r1, [%rd0+2];")), CudaResult.MisalignedAddress, "misaligned read of 4 bytes");
        Check(
            Fault(Kernel("ld.global.v4.u32 {%r1, %r2, %r3, %r4}, [%rd0+8];")), CudaResult.MisalignedAddress, "misaligned read of 16 bytes");
        Check(Fault(Kernel("st.shared.u64 [s+4], %rd0;", ".shared .align 8 .b8 s[16];")), CudaResult.MisalignedAddress,
            "misaligned write of 8 bytes at shared address 0x4");
    }

    [Fact]
    public void Shared_memory_out_of_bounds_is_found()
    {
        Check(Fault(Kernel("st.shared.u32 [s+16], %r0;", ".shared .align 4 .b8 s[16];")), CudaResult.IllegalAddress,
            "out-of-bounds write of 4 bytes at shared address 0x10", "the block has 16 bytes");
        Check(Fault(Kernel("mov.u32 %r1, s; ld.shared.u32 %r2, [%r1+32];", outside: ".extern .shared .align 16 .b8 s[];"), sharedBytes: 32),
            CudaResult.IllegalAddress, "shared address 0x20");
    }

    [Fact]
    public void Local_memory_out_of_bounds_is_found() =>
        Check(Fault(Kernel("st.local.u32 [stack+8], %r0;", ".local .align 8 .b8 stack[8];")), CudaResult.IllegalAddress,
            "out-of-bounds write of 4 bytes at local address");

    [Fact]
    public void Memory_that_was_never_written_is_found()
    {
        Check(Fault(Kernel("ld.shared.u32 %r1, [s];", ".shared .align 4 .b8 s[16];")), CudaResult.LaunchFailed, "never written",
            "shared address 0x0");
        Check(Fault(Kernel("ld.local.u32 %r1, [stack];", ".local .align 8 .b8 stack[8];")), CudaResult.LaunchFailed, "never written");
        Check(Fault(Kernel("st.shared.u16 [s], %h0; ld.shared.u32 %r1, [s];", ".shared .align 4 .b8 s[16];")), CudaResult.LaunchFailed,
            "never written");
    }

    [Fact]
    public void Local_memory_and_generic_addresses_hold_what_was_put_there() => Assert.Equal(
        77u, Word("""
            { .local .align 8 .b8 stack[8]; .reg .b64 a, b; mov.u64 a, stack; cvta.local.u64 b, a; mov.u32 %r5, 77; st.u32 [b+4], %r5;
            ld.local.u32 %r4, [stack+4]; }
            """));

    [Fact]
    public void Part_of_a_warp_at_another_barrier_is_found() => Check(
        Fault(Kernel("setp.lt.u32 %p1, %r0, 5; @%p1 bra A; bar.sync 0; bra.uni E; A: bar.sync 0; E:"), threads: 32),
        CudaResult.LaunchFailed, "divergent barrier", "of the same warp waits at line");

    [Fact]
    public void A_barrier_after_some_threads_have_ended_is_found() =>
        Check(Fault(Kernel("setp.lt.u32 %p1, %r0, 32; @%p1 ret; bar.sync 0;"), threads: 64), CudaResult.LaunchFailed, "divergent barrier",
            "thread 0 has ended", "thread 32");

    [Fact]
    public void Barriers_that_wait_for_each_other_are_a_deadlock() =>
        Check(Fault(Kernel("setp.lt.u32 %p1, %r0, 32; @%p1 bra A; bar.sync 1; bra.uni E; A: bar.sync 2; E:"), threads: 64),
            CudaResult.LaunchFailed, "deadlock", "waits at line");

    [Fact]
    public void A_shuffle_that_waits_for_a_lane_elsewhere_is_found() =>
        Check(Fault(Kernel("setp.eq.u32 %p1, %r0, 3; @%p1 ret; shfl.sync.bfly.b32 %r1, %r0, 1, 31, -1;"), threads: 32),
            CudaResult.LaunchFailed, "divergent warp", "waits for lane 3, which has ended");

    [Fact]
    public void A_shuffle_from_a_lane_outside_the_mask_is_found() =>
        Check(Fault(Kernel("setp.ge.u32 %p1, %r0, 8; @%p1 ret; shfl.sync.idx.b32 %r1, %r0, 9, 31, 255;"), threads: 32),
            CudaResult.LaunchFailed, "shfl reads lane 9");

    [Fact]
    public void A_trap_is_reported() => Check(Fault(Kernel("trap;")), CudaResult.LaunchFailed, "(trap)", "gave up");

    [Fact]
    public void A_loop_without_end_is_ended() => Check(
        Fault(Kernel("L: add.u32 %r1, %r1, 1; bra.uni L;"), options: new EmulatorOptions { InstructionLimit = 5_000_000 }),
        CudaResult.LaunchTimeout, "does not end");

    [Fact]
    public void Threads_that_wait_for_another_by_looking_at_memory_get_on()
    {
        // Thread 0 waits until thread 40 has set the flag.
        byte[] result = Run(Kernel("""
            setp.eq.u32 %p1, %r0, 0; setp.eq.u32 %p2, %r0, 40; mov.u32 %r2, 9;
            @%p2 st.volatile.global.u32 [%rd1+4], %r2; @!%p1 ret;
            L: ld.volatile.global.u32 %r1, [%rd1+4]; setp.eq.u32 %p3, %r1, 0; @%p3 bra L; st.global.u32 [%rd1], %r1;
            """), [], 8, 64, options: new EmulatorOptions { Races = false });
        Assert.Equal(9, result[0]);
    }

    [Fact]
    public void A_source_line_is_named_where_the_PTX_tells_it() => Check(
        Fault(Kernel(".loc 1 42 7\n ld.global.u32 %r1, [%rd0+64];", outside: ".file 1 \"/somewhere/Sum.cu\"")), CudaResult.IllegalAddress,
        "Sum.cu:42");

    [Theory]
    [InlineData("frobnicate.u32 %r1, %r2;", "unknown instruction 'frobnicate.u32'")]
    [InlineData("add.rq.f32 %f1, %f2, %f3;", "the emulator does not know .rq")]
    [InlineData("add.u32 %r1, %r2, %q9;", "'%q9'")]
    [InlineData("bra NOWHERE;", "the label 'NOWHERE' is missing")]
    [InlineData("ld.global.u32 %r1, [nothing];", "'nothing' is not declared")]
    [InlineData("add.u64 %r1, %rd1, %rd1;", "narrower")]
    [InlineData("ld.param.u64 %rd2, [out+4];", "only a place within a parameter can be read")]
    [InlineData("mov.u32 %r1 %r2;", "',' expected")]
    public void A_module_that_is_not_understood_does_not_load(string instruction, string words)
    {
        string ptx = Kernel($"\n\n{instruction}");
        int line = 1 + ptx[..ptx.IndexOf(instruction, StringComparison.Ordinal)].Count(c => c == '\n');
        CudaException e = Fault(ptx);
        Assert.Equal(CudaResult.InvalidPtx, e.Result);
        Assert.Contains($"test.ptx: line {line}: ", e.Message, StringComparison.Ordinal);
        Assert.Contains(words, e.Message, StringComparison.Ordinal);
    }
}
