using static Gradpath.PtxEmulator.Tests.PtxRun;

namespace Gradpath.PtxEmulator.Tests;

public sealed class WarpTests
{
    private const string Mine =
        "mul.wide.u32 %rd2, %r0, 4; add.s64 %rd3, %rd0, %rd2; add.s64 %rd4, %rd1, %rd2; ld.global.u32 %r1, [%rd3];\n";
    private const string Give = "\nst.global.u32 [%rd4], %r4;";

    private static uint[] Lanes(string body, Func<int, uint> input, int threads = 32) => Words(Run(
        Kernel(Mine + body + Give), [.. Enumerable.Range(0, threads).SelectMany(i => BitConverter.GetBytes(input(i)))], 4 * threads,
        threads));

    private static uint[] Words(byte[] bytes) => System.Runtime.InteropServices.MemoryMarshal.Cast<byte, uint>(bytes).ToArray();

    [Fact]
    public void Shuffles_give_the_lane_that_each_mode_names_within_its_segment()
    {
        Check("bfly.b32 %r4|%p1, %r1, 5, 31", l => l ^ 5);
        Check("idx.b32 %r4, %r1, 7, 31", _ => 7);
        Check("down.b32 %r4, %r1, 3, 31", l => l + 3 < 32 ? l + 3 : l);
        Check("up.b32 %r4, %r1, 3, 0", l => l - 3 >= 0 ? l - 3 : l);
        // Segments of 8: the mask of segments is 24 << 8, the clamp 7 for all but up.
        Check("down.b32 %r4, %r1, 3, 0x1807", l => l % 8 + 3 < 8 ? l + 3 : l);
        Check("up.b32 %r4, %r1, 3, 0x1800", l => l % 8 >= 3 ? l - 3 : l);
        Check("idx.b32 %r4, %r1, 2, 0x1807", l => (l / 8 * 8) + 2);

        static void Check(string mode, Func<int, int> source)
        {
            uint[] actual = Lanes($"shfl.sync.{mode}, -1;", l => (uint)(100 + l));
            for (int lane = 0; lane < 32; lane++) Assert.Equal((uint)(100 + source(lane)), actual[lane]);
        }
    }

    [Fact]
    public void A_shuffle_tells_whether_its_source_was_inside()
    {
        uint[] actual = Lanes("shfl.sync.down.b32 %r2|%p1, %r1, 4, 31, -1; selp.u32 %r4, 1, 0, %p1;", l => (uint)l);
        for (int lane = 0; lane < 32; lane++) Assert.Equal(lane < 28 ? 1u : 0u, actual[lane]);
    }

    [Fact]
    public void Halves_of_a_warp_that_branch_apart_shuffle_each_for_itself()
    {
        uint[] actual = Lanes(
            "setp.lt.u32 %p1, %r0, 16; @%p1 bra A; shfl.sync.idx.b32 %r4, %r1, 20, 31, 0xffff0000; bra.uni E; A: shfl.sync.idx.b32 %r4, "
                + "%r1, 3, 31, 0xffff; E:", l => (uint)l);
        for (int lane = 0; lane < 32; lane++) Assert.Equal(lane < 16 ? 3u : 20u, actual[lane]);
    }

    [Fact]
    public void Votes_and_reductions_are_over_the_lanes_of_the_mask()
    {
        const string odd = "and.b32 %r2, %r0, 1; setp.eq.u32 %p1, %r2, 1; ";
        Assert.All(Lanes(odd + "vote.sync.ballot.b32 %r4, %p1, -1;", _ => 0), v => Assert.Equal(0xAAAAAAAAu, v));
        Assert.All(Lanes(odd + "vote.sync.any.pred %p2, %p1, -1; selp.u32 %r4, 1, 0, %p2;", _ => 0), v => Assert.Equal(1u, v));
        Assert.All(Lanes(odd + "vote.sync.all.pred %p2, %p1, -1; selp.u32 %r4, 1, 0, %p2;", _ => 0), v => Assert.Equal(0u, v));
        Assert.All(Lanes(odd + "vote.sync.uni.pred %p2, !%p1, -1; selp.u32 %r4, 1, 0, %p2;", _ => 0), v => Assert.Equal(0u, v));
        Assert.All(Lanes("redux.sync.add.s32 %r4, %r1, -1;", l => (uint)l), v => Assert.Equal(496u, v));
        Assert.All(Lanes("redux.sync.min.s32 %r4, %r1, -1;", l => (uint)(l - 5)), v => Assert.Equal(unchecked((uint)-5), v));
        Assert.All(Lanes("redux.sync.max.u32 %r4, %r1, -1;", l => (uint)(l - 5)), v => Assert.Equal(uint.MaxValue, v));
        Assert.All(Lanes("redux.sync.xor.b32 %r4, %r1, -1;", l => 1u << l), v => Assert.Equal(uint.MaxValue, v));
        uint[] same = Lanes("match.any.sync.b32 %r4, %r1, -1;", l => (uint)(l % 3));
        for (int lane = 0; lane < 32; lane++)
            Assert.Equal(Enumerable.Range(0, 32).Where(o => o % 3 == lane % 3).Aggregate(0u, (m, o) => m | (1u << o)), same[lane]);
    }

    [Fact]
    public void Barriers_that_reduce_count_all_threads()
    {
        Assert.All(Lanes("setp.lt.u32 %p1, %r0, 40; bar.red.popc.u32 %r4, 0, %p1;", _ => 0, 96), v => Assert.Equal(40u, v));
        Assert.All(
            Lanes("setp.lt.u32 %p1, %r0, 40; bar.red.or.pred %p2, 0, %p1; selp.u32 %r4, 1, 0, %p2;", _ => 0, 96), v => Assert.Equal(1u, v));
        Assert.All(Lanes("setp.lt.u32 %p1, %r0, 40; bar.red.and.pred %p2, 0, %p1; selp.u32 %r4, 1, 0, %p2;", _ => 0, 96), v =>
            Assert.Equal(0u, v));
    }

    [Fact]
    public void Special_registers_tell_place_and_shape()
    {
        const string body = """
            mov.u32 %r1, %ctaid.x; mov.u32 %r2, %ntid.x; mad.lo.u32 %r3, %r1, %r2, %r0; mul.wide.u32 %rd2, %r3, 4; add.s64 %rd4, %rd1, %rd2;
            mov.u32 %r5, %laneid; mov.u32 %r6, %warpid; mov.u32 %r7, %nctaid.x; mov.u32 %r8, %ctaid.y; mov.u32 %r9, %lanemask_lt;
            popc.b32 %r9, %r9; mad.lo.u32 %r4, %r5, 100, %r6; mad.lo.u32 %r4, %r4, 10, %r7; mad.lo.u32 %r4, %r4, 100, %r9;
            add.u32 %r4, %r4, %r8; st.global.u32 [%rd4], %r4;
            """;
        uint[] actual = Words(Run(Kernel(body), [], 4 * 80 * 3, threads: 80, grid: 3));
        for (int i = 0; i < actual.Length; i++)
        {
            uint lane = (uint)(i % 80 % 32), warp = (uint)(i % 80 / 32);
            Assert.Equal((((lane * 100) + warp) * 10 + 3) * 100 + lane, actual[i]);
        }
    }

    [Theory]
    [InlineData("m16n8k8", "tf32", 8)]
    [InlineData("m16n8k4", "tf32", 4)]
    [InlineData("m16n8k16", "bf16", 16)]
    [InlineData("m16n8k8", "bf16", 8)]
    [InlineData("m16n8k16", "f16", 16)]
    public void Matrix_products_are_those_of_the_operands_as_the_hardware_reads_them(string shape, string type, int depth)
    {
        var random = new Random(depth);
        float[,] a = new float[16, depth], b = new float[depth, 8], c = new float[16, 8];
        foreach (float[,] m in (float[][,])[a, b, c])
        {
            for (int i = 0; i < m.GetLength(0); i++)
            {
                for (int j = 0; j < m.GetLength(1); j++) m[i, j] = (random.NextSingle() * 2) - 1;
            }
        }
        bool tf32 = type == "tf32";
        int aWords = tf32 ? depth / 2 : depth / 4, bWords = aWords / 2;
        var input = new List<byte>();
        for (int lane = 0; lane < 32; lane++)
        {
            int g = lane / 4, t = lane % 4;
            for (int w = 0; w < aWords; w++)
                input.AddRange(BitConverter.GetBytes(tf32 ? Bits(a[g + (w % 2 * 8), t + (w / 2 * 4)])
                    : Two(a[g + (w % 2 * 8), (t * 2) + (w / 2 * 8)], a[g + (w % 2 * 8), (t * 2) + (w / 2 * 8) + 1])));
            for (int w = 0; w < bWords; w++)
                input.AddRange(
                    BitConverter.GetBytes(tf32 ? Bits(b[t + (w * 4), g]) : Two(b[(t * 2) + (w * 8), g], b[(t * 2) + (w * 8) + 1, g])));
            for (int w = 0; w < 4; w++) input.AddRange(BitConverter.GetBytes(c[g + (w / 2 * 8), (t * 2) + (w % 2)]));
        }
        int words = aWords + bWords + 4;
        string loads = string.Concat(Enumerable.Range(0, words).Select(w => $"ld.global.b32 %r{w + 1}, [%rd3+{4 * w}];"));
        string A = List(1, aWords), B = List(1 + aWords, bWords), C = string.Join(
            ", ", Enumerable.Range(words - 3, 4).Select(w => $"f{w}"));
        string body = $$"""
            {
            .reg .f32 f<20>;
            mul.lo.u32 %r20, %r0, {{words * 4}}; cvt.u64.u32 %rd2, %r20; add.s64 %rd3, %rd0, %rd2; mul.wide.u32 %rd2, %r0, 16;
            add.s64 %rd4, %rd1, %rd2;
            {{loads}}
            {{string.Concat(Enumerable.Range(words - 3, 4).Select(w => $"mov.b32 f{w}, %r{w};"))}}
            mma.sync.aligned.{{shape}}.row.col.f32.{{type}}.{{type}}.f32 {%f0, %f1, %f2, %f3}, {{{A}}}, {{{B}}}, {{{C}}};
            st.global.v4.f32 [%rd4], {%f0, %f1, %f2, %f3};
            }
            """;
        float[] d = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(Run(Kernel(body), [.. input], 512, 32)).ToArray();
        for (int lane = 0; lane < 32; lane++)
        {
            for (int w = 0; w < 4; w++)
            {
                int row = (lane / 4) + (w / 2 * 8), column = (lane % 4 * 2) + (w % 2);
                double sum = c[row, column];
                for (int k = 0; k < depth; k++) sum += Read(a[row, k]) * Read(b[k, column]);
                Assert.Equal(sum, d[(lane * 4) + w], 1e-6);
            }
        }

        string List(int first, int count) => string.Join(", ", Enumerable.Range(first, count).Select(w => $"%r{w}"));

        uint Two(float low, float high) => type == "bf16"
            ? (Bits(low) >> 16) | (Bits(high) & 0xFFFF0000)
            : BitConverter.HalfToUInt16Bits((Half)low) | ((uint)BitConverter.HalfToUInt16Bits((Half)high) << 16);

        double Read(float v) => type switch
        {
            "tf32" => BitConverter.UInt32BitsToSingle(Bits(v) & 0xFFFFE000),
            "bf16" => BitConverter.UInt32BitsToSingle(Bits(v) & 0xFFFF0000),
            _ => (double)(Half)v,
        };
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Ldmatrix_gives_each_lane_its_pairs(bool transpose)
    {
        // Shared memory holds 32 rows of 8 halves; row r column c holds 8 r + c.
        string body = $$"""
            mov.u32 %r1, tile; shl.b32 %r2, %r0, 4; add.u32 %r3, %r1, %r2; mov.u32 %r4, 0; shl.b32 %r5, %r0, 3;
            L: shl.b32 %r6, %r4, 1; add.u32 %r7, %r3, %r6; add.u32 %r8, %r5, %r4; cvt.u16.u32 %h0, %r8; st.shared.u16 [%r7], %h0;
            add.u32 %r4, %r4, 1; setp.lt.u32 %p0, %r4, 8; @%p0 bra L;
            bar.warp.sync -1;
            ldmatrix.sync.aligned.m8n8.x4{{(transpose ? ".trans" : "")}}.shared.b16 {%r10, %r11, %r12, %r13}, [%r3];
            mul.wide.u32 %rd2, %r0, 16; add.s64 %rd4, %rd1, %rd2; st.global.v4.b32 [%rd4], {%r10, %r11, %r12, %r13};
            """;
        uint[] actual = Words(Run(Kernel(body, ".shared .align 16 .b8 tile[512];"), [], 512, 32));
        for (int lane = 0; lane < 32; lane++)
        {
            for (int m = 0; m < 4; m++)
            {
                int row = lane / 4, column = lane % 4 * 2;
                int low = transpose
                    ? (column * 8) + row
                    : (row * 8) + column, high = transpose ? ((column + 1) * 8) + row : (row * 8) + column + 1;
                Assert.Equal((uint)(low + (64 * m)) | ((uint)(high + (64 * m)) << 16), actual[(lane * 4) + m]);
            }
        }
    }
}
