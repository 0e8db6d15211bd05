using Gradpath.Kernels.Cuda.Driver;
using static Gradpath.PtxEmulator.Tests.Sm90a.Sm90aPtx;

namespace Gradpath.PtxEmulator.Tests.Sm90a;

/// <summary>mbarriers: phases, what they order, and their misuse.</summary>
public sealed class Sm90aMbarrierTests
{
    private const string Arrive = "mbarrier.arrive.shared::cta.b64 _, [full];\n";

    // %r3: the thread's word in shared memory, %r4: that of the thread in the other warp, %rd3: its word of the output.
    private const string Mine = """
        mov.u32 %r1, tile; shl.b32 %r2, %r0, 2; add.u32 %r3, %r1, %r2; xor.b32 %r4, %r2, 132; add.u32 %r4, %r1, %r4;
        cvt.u64.u32 %rd2, %r2; add.s64 %rd3, %rd1, %rd2;

        """;

    private static string Counting(int arrivals) => Init.Replace("[full], 1;", $"[full], {arrivals};", StringComparison.Ordinal);

    private static string Exchange(bool first = true, bool second = true) => $"""
        {Counting(64)} {Mine}
        st.shared.u32 [%r3], %r0;
        {Arrive} {(first ? Wait("full", 0, "A") : "")}
        ld.shared.u32 %r5, [%r4];
        {Arrive} {(second ? Wait("full", 1, "B") : "")}
        add.u32 %r5, %r5, 100;
        st.shared.u32 [%r3], %r5;
        {Arrive} {Wait("full", 0, "C")}
        ld.shared.u32 %r6, [%r4];
        st.global.u32 [%rd3], %r6;
        """;

    [Fact]
    public void A_phase_ends_when_all_have_arrived_and_orders_what_they_did()
    {
        byte[] result = Runs(Exchange(), threads: 64);
        for (int i = 0; i < 64; i++) Assert.Equal(i + 100, BitConverter.ToInt32(result, 4 * i));
    }

    /// <summary>Warp 1's threads, which run after warp 0's, read what those write, and write what those read.</summary>
    [Fact]
    public void Without_the_wait_there_is_a_race()
    {
        string read = $"setp.lt.u32 %p1, %r0, 32; @%p1 st.shared.u32 [%r3], %r0; {Arrive} @!%p1 ld.shared.u32 %r5, [%r4];";
        Fails($"{Counting(64)} {Mine} {read}", "neither a barrier nor a phase of an mbarrier stands between", threads: 64);
        Fails(Exchange(second: false), "race: ", threads: 64);
    }

    [Fact]
    public void An_arrival_may_count_several_times()
    {
        Runs($"{Counting(5)} {Only(0, "mbarrier.arrive.release.cta.shared::cta.b64 _, [full], 5;\n", "A")} {Wait("full", 0, "B")}");
    }

    [Fact]
    public void An_mbarrier_may_be_made_anew_after_its_end()
    {
        Runs(Init + Only(0, $"""
            mbarrier.inval.shared::cta.b64 [full];
            mbarrier.init.shared::cta.b64 [full], 2;
            {Arrive}{Arrive}
            """, "A") + "bar.sync 0;\n" + Wait("full", 0, "B"));
    }

    private static string Poll(bool arrives) => $"""
        {Init}
        setp.ne.u32 %p1, %r0, 0;
        @%p1 bra OTHERS;
        ASK:
        mbarrier.test_wait.parity.shared::cta.b64 %p2, [full], 0;
        @!%p2 bra ASK;
        ld.shared.u32 %r6, [tile];
        st.global.u32 [%rd1], %r6;
        bra.uni END;
        OTHERS:
        setp.ne.u32 %p3, %r0, 32;
        @%p3 bra END;
        st.shared.u32 [tile], %r0;
        {(arrives ? Arrive : "")}
        END:
        """;

    [Fact]
    public void Test_wait_asks_and_does_not_wait()
    {
        Assert.Equal(32, BitConverter.ToInt32(Runs(Poll(arrives: true), threads: 64)));
        Fails(Poll(arrives: false), "does not end", threads: 64, CudaResult.LaunchTimeout);
    }

    [Theory]
    [InlineData("mbarrier.init.shared::cta.b64 [full], 1;", "there is an mbarrier at shared address 0x0 already")]
    [InlineData("mbarrier.init.shared::cta.b64 [tile], 0;", "an mbarrier cannot count 0 arrivals")]
    [InlineData("mbarrier.init.shared::cta.b64 [tile], 1048576;", "an mbarrier cannot count 1048576 arrivals")]
    [InlineData("mbarrier.arrive.shared::cta.b64 _, [full], 2;", "2 arrive where 1 are missing")]
    [InlineData("mbarrier.arrive.shared::cta.b64 _, [full], 0;", "0 arrive where 1 are missing")]
    [InlineData("mbarrier.arrive.shared::cta.b64 _, [tile];", "mbarrier.init has not run for it")]
    [InlineData("mbarrier.inval.shared::cta.b64 [tile];", "mbarrier.init has not run for it")]
    [InlineData("mbarrier.inval.shared::cta.b64 [full]; mbarrier.arrive.shared::cta.b64 _, [full];", "mbarrier.init has not run for it")]
    [InlineData("mbarrier.arrive.expect_tx.shared::cta.b64 _, [full], 1048576;", "an mbarrier cannot expect 1048576 bytes")]
    [InlineData("st.shared.u32 [full], %r0; mbarrier.arrive.shared::cta.b64 _, [full];", "0x0 was written over")]
    public void Misuse_is_found(string code, string words) => Fails(Init + Only(0, code + "\n", "A"), words);

    [Theory]
    [InlineData("mbarrier.init.shared::cta.b64 [tile+4], 1;")]
    [InlineData("mbarrier.arrive.shared::cta.b64 _, [full+4];")]
    public void An_mbarrier_lies_at_a_multiple_of_eight(string code) =>
        Fails(Init + Only(0, code + "\n", "A"), "misaligned", result: CudaResult.MisalignedAddress);

    [Fact]
    public void A_phase_that_does_not_end_is_a_deadlock()
    {
        Fails(Init + Wait("full", 0, "A"), "deadlock: the thread waits for phase 0 of the mbarrier at shared address 0x0: 1 of 1 arrivals");
        // The phase that was meant is over; this is the next one's parity.
        Fails(Init + Only(0, Arrive, "A") + "bar.sync 0;\n" + Wait("full", 1, "B"), "deadlock: the thread waits for phase 1");
        Fails(Init + Only(0, "mbarrier.arrive.expect_tx.shared::cta.b64 _, [full], 48;\n" + CopyAlone("tile", 16), "A")
            + Wait("full", 0, "B"), "0 of 1 arrivals are missing; expect_tx told it of 48 bytes, of which 32 are missing");
    }

    [Fact]
    public void An_mbarrier_is_made_before_others_use_it() =>
        Fails(Init.Replace("bar.sync 0;", "", StringComparison.Ordinal) + Only(40, Arrive, "A"), "no barrier stands between");
}
