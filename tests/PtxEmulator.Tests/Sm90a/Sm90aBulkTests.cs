using Gradpath.Kernels.Cuda.Driver;
using static Gradpath.PtxEmulator.Tests.Sm90a.Sm90aPtx;

namespace Gradpath.PtxEmulator.Tests.Sm90a;

/// <summary>Bulk copies, both ways, and copies that an mbarrier is told of.</summary>
public sealed class Sm90aBulkTests
{
    // %r3: the thread's word in shared memory, %rd3: its word of the output.
    private const string Mine =
        "mov.u32 %r1, tile; shl.b32 %r2, %r0, 2; add.u32 %r3, %r1, %r2; cvt.u64.u32 %rd2, %r2; add.s64 %rd3, %rd1, %rd2;\n";

    private const string Store =
        "cp.async.bulk.global.shared::cta.bulk_group [%rd1], [tile], 512;\ncp.async.bulk.commit_group;\n";

    private static byte[] Numbers(int count) => [.. Enumerable.Range(0, count).SelectMany(BitConverter.GetBytes)];

    private static void IsCopied(string body)
    {
        byte[] result = PtxRun.Run(Sm90aKernel(body), Numbers(128), 512, 128);
        for (int i = 0; i < 128; i++) Assert.Equal(i, BitConverter.ToInt32(result, 4 * i));
    }

    [Fact]
    public void A_copy_is_there_when_the_phase_is_over() =>
        IsCopied(
            Init + Mine + Only(0, Copy("tile", 512), "A") + Wait("full", 0, "B") + "ld.shared.u32 %r4, [%r3]; st.global.u32 [%rd3], %r4;");

    [Fact]
    public void Before_it_is_not()
    {
        string start = Init + Mine + Only(0, Copy("tile", 512), "A");
        Fails(start + "ld.shared.u32 %r4, [%r3];\n" + Wait("full", 0, "B"), "a bulk copy to it (thread 0");
        // Who does not wait himself may read behind a barrier of those who did.
        string read = "ld.shared.u32 %r4, [%r3];\n";
        Runs(start + Only(0, Wait("full", 0, "B"), "C") + "bar.sync 0;\n" + read);
        // A wait may be in vain and must be asked for again.
        Fails(start + "mbarrier.try_wait.parity.shared::cta.b64 %p6, [full], 0;\n" + read, "the thread has not waited for the phase of");
        Fails(start, "the block ends while a bulk copy to shared address");
    }

    [Theory]
    [InlineData("tile+8", 16, "%rd0", "misaligned bulk copy: shared address", CudaResult.MisalignedAddress)]
    [InlineData("tile", 16, "%rd0+4", "misaligned bulk copy: global address", CudaResult.MisalignedAddress)]
    [InlineData("tile", 24, "%rd0", "a bulk copy of 24 bytes: their number must be a multiple of 16", CudaResult.LaunchFailed)]
    [InlineData("tile", 0, "%rd0", "a bulk copy of 0 bytes", CudaResult.LaunchFailed)]
    [InlineData("tile+32752", 32, "%rd0", "out-of-bounds bulk copy of 32 bytes at shared address", CudaResult.IllegalAddress)]
    [InlineData("tile", 32, "%rd0+65520", "out-of-bounds read", CudaResult.IllegalAddress)]
    [InlineData("full", 16, "%rd0", "a bulk copy writes over the mbarrier at 0x0", CudaResult.LaunchFailed)]
    public void A_copy_lies_where_it_may(string target, int bytes, string source, string words, object result) =>
        Fails(Init + Only(0, Copy(target, bytes, source), "A") + Wait("full", 0, "B"), words, result: (CudaResult)result);

    [Fact]
    public void Bytes_are_those_that_were_told_of()
    {
        string two = Copy("tile", 16) + CopyAlone("tile+16", 16);
        Fails(Init + Only(0, two, "A") + Wait("full", 0, "B"), "expect_tx told it of fewer bytes than there are");
        Fails(Init + Only(0, Copy("tile", 32, expected: 16), "A") + Wait("full", 0, "B"), "of 16 bytes, of which 32 have come");
    }

    [Fact]
    public void An_mbarrier_is_shown_to_copies_by_a_fence()
    {
        string init = Init.Replace("fence.mbarrier_init.release.cluster;", "", StringComparison.Ordinal), copy = Copy("tile", 16);
        Fails(init + Only(0, copy, "A") + Wait("full", 0, "B"), "fence.mbarrier_init behind its making is missing");
        Runs(init + Only(0, "fence.proxy.async;\n" + copy, "A") + Wait("full", 0, "B"));
    }

    [Fact]
    public void A_copy_over_what_threads_wrote_needs_a_fence()
    {
        string write = Mine + "st.shared.u32 [%r3], %r0;\n", copy = Only(0, Copy("tile", 512), "A") + Wait("full", 0, "B");
        Fails($"{Init} {write} bar.sync 0; {copy}", "fence.proxy.async between is missing");
        Fails($"{Init} {write} fence.proxy.async.shared::cta; {Only(127, Copy("tile", 512), "A")}", "race: the word at shared address");
        Runs($"{Init} {write} fence.proxy.async.shared::cta; bar.sync 0; {copy}");
    }

    /// <summary>The last thread's copy comes when all others have read.</summary>
    [Fact]
    public void A_copy_over_what_threads_read_needs_a_barrier()
    {
        string start = Init + Mine + Only(0, Copy("tile", 512), "A") + Wait("full", 0, "B") + "ld.shared.u32 %r4, [%r3];\n";
        string copy = Only(127, Copy("tile", 512), "C") + Wait("full", 1, "D");
        Fails(start + copy, "was read by thread");
        Runs(start + "bar.sync 0;\n" + copy);
    }

    [Fact]
    public void Bulk_stores_read_what_a_fence_shows_them()
    {
        string write = Mine + "st.shared.u32 [%r3], %r0;\n", fence = "fence.proxy.async.shared::cta;\nbar.sync 0;\n";
        const string wait = "cp.async.bulk.wait_group 0;\n", waitRead = "cp.async.bulk.wait_group.read 0;\n";
        IsCopied(write + fence + Only(0, Store + wait, "A"));
        IsCopied(write + fence + Only(0, Store + waitRead, "A") + "bar.sync 0;\n" + write);
        Fails(write + "bar.sync 0;\n" + Only(0, Store + wait, "A"), "fence.proxy.async between is missing");
        Fails(write + fence + Only(0, Store + "st.shared.u32 [tile], %r0;\n" + wait, "A"), "cp.async.bulk.wait_group.read has not waited");
        Fails(write + fence + Only(0, Store + "ret;\n", "A"), "the thread ends while its bulk store reads shared memory");
    }

    [Fact]
    public void An_mbarrier_may_be_told_of_other_copies()
    {
        string init = Init.Replace("[full], 1;", "[full], 128;", StringComparison.Ordinal) + Mine;
        const string copy = "add.s64 %rd4, %rd0, %rd2; cp.async.ca.shared.global [%r3], [%rd4], 4;\n";
        const string arrive = "cp.async.mbarrier.arrive.noinc.shared::cta.b64 [full];\n";
        // The word of a thread in another warp.
        const string read = "xor.b32 %r5, %r2, 256; add.u32 %r5, %r1, %r5; ld.shared.u32 %r4, [%r5]; add.s64 %rd5, %rd1, %rd2;\n"
            + "xor.b32 %r4, %r4, 64; st.global.u32 [%rd5], %r4;\n";
        IsCopied(init + copy + arrive + Wait("full", 0, "A") + read);
        Fails(init + arrive + copy + Wait("full", 0, "A") + read, "has not waited for its cp.async");
        Fails(init + copy + arrive + read, "never written");
    }
}
