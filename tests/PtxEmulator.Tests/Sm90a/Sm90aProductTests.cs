using System.Runtime.InteropServices;
using System.Text;
using Gradpath.PtxEmulator.Execution;
using static Gradpath.PtxEmulator.Tests.PtxRun;
using static Gradpath.PtxEmulator.Tests.Sm90a.Sm90aPtx;

namespace Gradpath.PtxEmulator.Tests.Sm90a;

/// <summary>wgmma against a plain product.</summary>
public sealed class Sm90aProductTests
{
    public static IEnumerable<object[]> Shapes()
    {
        foreach (string type in (string[])["f16", "bf16", "tf32"])
        {
            foreach (int width in (int[])[64, 128, 192, 256])
            {
                foreach (int swizzle in (int[])[128, 64])
                {
                    yield return [type, width, swizzle, false, false];
                    yield return [type, width, swizzle, true, false];
                    if (type != "tf32") yield return [type, width, swizzle, width % 128 == 0, true];
                }
            }
            yield return [type, 64, 32, false, false];
            yield return [type, 64, 0, false, false];
            yield return [type, 8, 128, true, false];
        }
        yield return ["f16", 64, 32, false, true];
        yield return ["f16", 64, 0, false, true];
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void A_product_is_that_of_its_operands(string type, int width, int swizzle, bool inRegisters, bool transposed)
    {
        var random = new Random(width + swizzle);
        int depth = type == "tf32" ? 16 : 32;
        if (swizzle == 128 && !transposed) depth *= 2;
        if (swizzle == 32 && !transposed) depth /= 2;
        Sm90aTile a = new Sm90aTile(type, 64, depth, swizzle == 0 || transposed ? 0 : swizzle, false).Fill(random);
        Sm90aTile b = new Sm90aTile(type, width, depth, swizzle, transposed).Fill(random);
        foreach (bool adds in (bool[])[false, true])
        {
            float[] before = [.. Enumerable.Range(0, 64 * width).Select(_ => random.Next(-64, 65) / 8f)];
            float[] after = Run(a, b, before, inRegisters, adds, new EmulatorOptions());
            for (int row = 0; row < 64; row++)
            {
                for (int n = 0; n < width; n++)
                {
                    double sum = adds ? before[(row * width) + n] : 0;
                    for (int k = 0; k < depth; k++) sum += a[row, k] * b[n, k];
                    Assert.True(sum == after[(row * width) + n], $"({row}, {n}): {sum} expected, {after[(row * width) + n]} found");
                }
            }
        }
    }

    [Fact]
    public void A_may_lie_transposed_too()
    {
        var random = new Random(1);
        Sm90aTile a = new Sm90aTile("f16", 64, 32, 128, true).Fill(random), b = new Sm90aTile("f16", 64, 32, 64, false).Fill(random);
        float[] after = Run(a, b, new float[64 * 64], inRegisters: false, adds: false, new EmulatorOptions());
        for (int i = 0; i < after.Length; i++)
        {
            double sum = 0;
            for (int k = 0; k < 32; k++) sum += a[i / 64, k] * b[i % 64, k];
            Assert.Equal(sum, after[i]);
        }
    }

    /// <summary>What is told of a tensor core's rounding for mma.sync is told of wgmma.</summary>
    [Theory]
    [InlineData("tf32", 8)]
    [InlineData("bf16", 16)]
    [InlineData("f16", 16)]
    public void Terms_below_the_last_bit_kept_are_lost(string type, int terms)
    {
        double small = Math.ScaleB(1, -25), root = Math.ScaleB(1, -12);
        Assert.Equal(1 + (float)(terms * small), Sum(null));
        Assert.Equal(1, Sum(TensorRounding.Ampere));
        Assert.Equal(1 + (float)(terms * small), Sum(TensorRounding.Hopper));

        float Sum(TensorRounding? rounding)
        {
            Sm90aTile a = new Sm90aTile(type, 64, terms, 32, false).Fill(root);
            Sm90aTile b = new Sm90aTile(type, 64, terms, 32, false).Fill(root / 2);
            float[] ones = [.. Enumerable.Repeat(1f, 64 * 64)];
            float[] after = Run(a, b, ones, inRegisters: false, adds: true, new EmulatorOptions { TensorCores = rounding });
            Assert.All(after, v => Assert.Equal(after[0], v));
            return after[0];
        }
    }

    [Fact]
    public void Flops_are_counted()
    {
        using var driver = new EmulatedDriver(new EmulatorOptions { Count = true });
        Sm90aTile a = new Sm90aTile("f16", 64, 64, 128, false).Fill(1), b = new Sm90aTile("f16", 128, 64, 128, false).Fill(1);
        driver.CreateContext(0);
        nint function = driver.GetFunction(driver.LoadModule("test.ptx", Encoding.ASCII.GetBytes(Ptx(a, b, false, false))), "kernel");
        nint stream = driver.CreateStream(), from = driver.Allocate(65536), to = driver.Allocate(65536);
        driver.FillBytes(from, 0, 65536, stream);
        Launch(driver, function, 1, 128, 0, stream, from, to);
        driver.Synchronize(stream);
        Assert.Equal(2L * 64 * 128 * 64, driver.Statistics["kernel"].MatrixFlops);
        Assert.Equal((64 * 128) + (128 * 128) + (64 * 128 * 4), driver.Statistics["kernel"].GlobalBytesRead);
    }

    private static float[] Run(Sm90aTile a, Sm90aTile b, float[] before, bool inRegisters, bool adds, EmulatorOptions options)
    {
        byte[] input = [.. inRegisters ? a.Plain() : a.Laid(), .. b.Laid(), .. MemoryMarshal.AsBytes<float>(before)];
        byte[] output = PtxRun.Run(Ptx(a, b, inRegisters, adds), input, before.Length * 4, threads: 128, options: options);
        return MemoryMarshal.Cast<byte, float>(output).ToArray();
    }

    // The input has A, B and what there is before; one bulk copy brings A and B.
    private static string Ptx(Sm90aTile a, Sm90aTile b, bool inRegisters, bool adds)
    {
        int width = b.Rows, pairs = width / 4, tiles = a.Bytes + b.Bytes;
        var body = new StringBuilder($$"""
            {
            .reg .f32 sum<{{2 * pairs}}>; .reg .b32 x<4>; .reg .pred adds; .reg .b64 rowIn, rowOut;
            setp.ne.u32 adds, {{(adds ? 1 : 0)}}, 0;
            {{Init}}
            @!%p7 bra COPIED;
            mbarrier.arrive.expect_tx.shared::cta.b64 _, [full], {{tiles}};
            mov.u32 %r1, tile;
            cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%r1], [%rd0], {{tiles}}, [full];
            COPIED:
            {{Wait("full", 0, "READY")}}
            // The row and the first column of the thread's sums.
            shr.u32 %r2, %r0, 5; and.b32 %r3, %r0, 31; shr.u32 %r4, %r3, 2; mad.lo.u32 %r5, %r2, 16, %r4; and.b32 %r6, %r3, 3;
            mul.lo.u32 %r7, %r5, {{width * 4}}; mad.lo.u32 %r7, %r6, 8, %r7; cvt.u64.u32 %rd2, %r7;
            add.s64 rowIn, %rd0, %rd2; add.s64 rowIn, rowIn, {{tiles}}; add.s64 rowOut, %rd1, %rd2;

            """);
        for (int i = 0; i < pairs; i++)
            body.Append($"ld.global.nc.v2.f32 {{sum{2 * i}, sum{(2 * i) + 1}}}, [rowIn+{(i % 2 * 32 * width) + (i / 2 * 32)}];\n");
        for (int step = 0; step < a.Steps; step++)
        {
            string left = "%rd4";
            if (inRegisters)
            {
                left = List("x", 4);
                body.Append($"mul.lo.u32 %r8, %r5, {a.Depth * a.Element}; mad.lo.u32 %r8, %r6, 4, %r8; cvt.u64.u32 %rd6, %r8;\n");
                body.Append("add.s64 %rd6, %rd0, %rd6;\n");
                for (int i = 0; i < 4; i++)
                    body.Append($"ld.global.b32 x{i}, [%rd6+{(i % 2 * 8 * a.Depth * a.Element) + (i / 2 * 16) + (step * 32)}];\n");
            }
            body.Append(Descriptor("%rd4", a, step * a.StepBytes)).Append(Descriptor("%rd5", b, a.Bytes + (step * b.StepBytes)));
            string transposes = a.Type == "tf32" ? "" : $"{(inRegisters ? "" : a.Transposed ? ", 1" : ", 0")}, {(b.Transposed ? 1 : 0)}";
            string scale = step == 0 ? "adds" : "1";
            body.Append("wgmma.fence.sync.aligned;\n");
            body.Append($"wgmma.mma_async.sync.aligned.m64n{width}k{32 / a.Element}.f32.{a.Type}.{a.Type} {List("sum", 2 * pairs)}, ");
            body.Append($"{left}, %rd5, {scale}, 1, 1{transposes};\nwgmma.commit_group.sync.aligned;\n");
            if (inRegisters) body.Append("wgmma.wait_group.sync.aligned 0;\n");
        }
        body.Append("wgmma.wait_group.sync.aligned 0;\n");
        for (int i = 0; i < pairs; i++)
            body.Append($"st.global.v2.f32 [rowOut+{(i % 2 * 32 * width) + (i / 2 * 32)}], {{sum{2 * i}, sum{(2 * i) + 1}}};\n");
        return Sm90aKernel(body.Append('}').ToString(), Shared.Replace("tile[32768]", "tile[45056]", StringComparison.Ordinal));

        static string Descriptor(string register, Sm90aTile tile, int offset) =>
            $"mov.u32 %r9, tile; add.u32 %r9, %r9, {offset}; shr.u32 %r9, %r9, 4; cvt.u64.u32 %rd7, %r9; "
            + $"or.b64 {register}, %rd7, 0x{tile.Descriptor:x};\n";
    }
}
