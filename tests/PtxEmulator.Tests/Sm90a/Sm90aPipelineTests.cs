using System.Runtime.InteropServices;
using static Gradpath.PtxEmulator.Tests.Sm90a.Sm90aPtx;

namespace Gradpath.PtxEmulator.Tests.Sm90a;

/// <summary>A product as such kernels are written: one warpgroup copies, another multiplies, with two stages in between.</summary>
public sealed class Sm90aPipelineTests
{
    private const int Steps = 5, StageBytes = 16384;
    private const string Barriers = ".shared .align 8 .b64 full[2]; .shared .align 8 .b64 empty[2]; .shared .align 1024 .b8 tile[32768];";
    private const string Make = "mbarrier.init.shared::cta.b64 [full], 1; mbarrier.init.shared::cta.b64 [full+8], 1;\n"
        + "mbarrier.init.shared::cta.b64 [empty], 4; mbarrier.init.shared::cta.b64 [empty+8], 4;\nfence.mbarrier_init.release.cluster;\n";
    private const string WaitFull = "F:\nmbarrier.try_wait.parity.shared::cta.b64 %p2, [%r14], %r12;\n@!%p2 bra F;\n";
    private const string WaitEmpty = "E:\nmbarrier.try_wait.parity.shared::cta.b64 %p2, [%r15], %r12;\n@!%p2 bra E;\n";
    private const string Empty = "@%p3 mbarrier.arrive.shared::cta.b64 _, [%r15];\n";
    private const string WaitForProducts = "wgmma.wait_group.sync.aligned 0;\n";

    // %r11 is the stage, %r12 the parity; %r14 and %r15 are the stage's mbarriers, %r16 its memory.
    private const string Stage = "shl.b32 %r13, %r11, 3; mov.u32 %r14, full; add.u32 %r14, %r14, %r13; mov.u32 %r15, empty;\n"
        + "add.u32 %r15, %r15, %r13; mov.u32 %r16, tile; mad.lo.u32 %r16, %r11, 16384, %r16;\n";

    private const string Next = "xor.b32 %r11, %r11, 1; setp.eq.u32 %p4, %r11, 0; @%p4 xor.b32 %r12, %r12, 1; add.u32 %r10, %r10, 1;\n"
        + "setp.lt.u32 %p4, %r10, 5;\n";

    private static string Products()
    {
        var all = new System.Text.StringBuilder(Descriptor("%rd4", "%r16") + Descriptor("%rd5", "%r16", StageBytes / 2));
        all.Append("wgmma.fence.sync.aligned;\n");
        for (int k = 0; k < 4; k++)
        {
            all.Append(Product64(adds: true));
            if (k < 3) all.Append("add.s64 %rd4, %rd4, 2; add.s64 %rd5, %rd5, 2;\n");
        }
        return all.Append("wgmma.commit_group.sync.aligned;\n").ToString();
    }

    private static string Body(string full = WaitFull, string empty = WaitEmpty, string end = WaitForProducts + Empty) => $$"""
        .reg .f32 sum<32>;
        {{string.Concat(Enumerable.Range(0, 32).Select(i => $"mov.f32 sum{i}, 0f00000000;\n"))}}
        {{Only(0, Make, "MADE")}}
        bar.sync 0;
        mov.u32 %r10, 0; mov.u32 %r11, 0;
        and.b32 %r18, %r0, 31; setp.eq.u32 %p3, %r18, 0;
        setp.ge.u32 %p1, %r0, 128;
        @%p1 bra PRODUCER;
        setmaxnreg.inc.sync.aligned.u32 232;
        mov.u32 %r12, 0;
        MULTIPLY:
        {{Stage}} {{full}} {{Products()}} {{end}} {{Next}}
        @%p4 bra MULTIPLY;
        shr.u32 %r2, %r0, 5; and.b32 %r3, %r0, 31; shr.u32 %r4, %r3, 2; mad.lo.u32 %r5, %r2, 16, %r4; and.b32 %r6, %r3, 3;
        shl.b32 %r7, %r5, 8; mad.lo.u32 %r7, %r6, 8, %r7; cvt.u64.u32 %rd2, %r7; add.s64 %rd3, %rd1, %rd2;
        {{string.Concat(Enumerable.Range(0, 16).Select(i =>
            $"st.global.v2.f32 [%rd3+{(i % 2 * 2048) + (i / 2 * 32)}], {{sum{2 * i}, sum{(2 * i) + 1}}};\n"))}}
        bra.uni END;
        PRODUCER:
        setmaxnreg.dec.sync.aligned.u32 40;
        setp.ne.u32 %p1, %r0, 128;
        @%p1 bra END;
        mov.u32 %r12, 1;
        COPY:
        {{Stage}} {{empty}}
        mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r14], 16384;
        cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%r16], [%rd0], 16384, [%r14];
        add.s64 %rd0, %rd0, 16384;
        {{Next}}
        @%p4 bra COPY;
        END:
        """;

    // Bounds of three warpgroups, of which two run: their registers are what setmaxnreg trades.
    private static string Ptx(string body) => Sm90aKernel(body, Barriers, threads: 384);

    [Fact]
    public void A_producer_and_a_consumer_make_a_product()
    {
        var random = new Random(3);
        Sm90aTile[] a = new Sm90aTile[Steps], b = new Sm90aTile[Steps];
        var input = new List<byte>();
        for (int s = 0; s < Steps; s++)
        {
            a[s] = new Sm90aTile("f16", 64, 64, 128, false).Fill(random);
            b[s] = new Sm90aTile("f16", 64, 64, 128, false).Fill(random);
            input.AddRange(a[s].Laid());
            input.AddRange(b[s].Laid());
        }
        foreach (bool races in (bool[])[true, false])
        {
            byte[] output = PtxRun.Run(Ptx(Body()), [.. input], 64 * 64 * 4, 256, options: new EmulatorOptions { Races = races });
            float[] sums = MemoryMarshal.Cast<byte, float>(output).ToArray();
            for (int i = 0; i < sums.Length; i++)
            {
                double sum = 0;
                for (int s = 0; s < Steps; s++)
                {
                    for (int k = 0; k < 64; k++) sum += a[s][i / 64, k] * b[s][i % 64, k];
                }
                Assert.Equal(sum, sums[i]);
            }
        }
    }

    [Fact]
    public void What_is_left_out_is_found()
    {
        IsFound(Body(full: ""), "a bulk copy to it");
        IsFound(Body(empty: ""), "1 arrive where 0 are missing");
        // The producer waits for its own copy alone.
        IsFound(Body(empty: WaitEmpty.Replace("%r15", "%r14", StringComparison.Ordinal)), "bulk copy");
        // The stage is given back while products read it.
        IsFound(Body(end: Empty + WaitForProducts), "race: ", "wgmma of warpgroup 0");
        IsFound(Body(end: WaitForProducts), "deadlock: the thread waits for phase 1 of the mbarrier", "1 of 1 arrivals are missing");

        static void IsFound(string body, params string[] words)
        {
            string message = PtxRun.Fault(Ptx(body), Steps * StageBytes, 64 * 64 * 4, 256).Message;
            foreach (string word in words) Assert.Contains(word, message, StringComparison.Ordinal);
        }
    }
}
