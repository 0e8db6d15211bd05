using Gradpath.Kernels.Cuda.Driver;
using static Gradpath.PtxEmulator.Tests.Sm90a.Sm90aPtx;

namespace Gradpath.PtxEmulator.Tests.Sm90a;

/// <summary>What must not happen around a product of a warpgroup that is under way.</summary>
public sealed class Sm90aPendingTests
{
    private const string Fence = "wgmma.fence.sync.aligned;\n", Commit = "wgmma.commit_group.sync.aligned;\n";
    private const string InRegisters = "{x0, x1, x2, x3}";

    // Registers, two operands of 64 rows of 128 bytes one behind the other, twice, brought by one copy, and their descriptors.
    private static readonly string s_start = $$"""
        {{Names}}
        {{Init}} {{Only(0, Copy("tile", 32768), "START")}}
        """;

    private static readonly string s_ready = s_start + Wait("full", 0, "READY") + Descriptors;

    private static string Names => ".reg .f32 sum<32>; .reg .f32 other<32>; .reg .b32 x<4>;\n"
        + string.Concat(Enumerable.Range(0, 32).Select(i => $"mov.f32 sum{i}, 0f00000000; mov.f32 other{i}, 0f00000000;\n"))
        + string.Concat(Enumerable.Range(0, 4).Select(i => $"mov.u32 x{i}, 0;\n"));

    private static string Descriptors => Descriptor("%rd4", "tile") + Descriptor("%rd5", "tile", 8192) + Descriptor("%rd6", "tile", 16384)
        + Descriptor("%rd7", "tile", 24576);

    private static string WaitFor(int groups = 0) => $"wgmma.wait_group.sync.aligned {groups};\n";

    private static string Again(int offset) => Only(0, Copy($"tile+{offset}", 8192), "AGAIN") + Wait("full", 1, "LANDED");

    [Fact]
    public void A_product_that_is_fenced_and_waited_for_is_well() =>
        Runs(s_ready + Fence + Product64(adds: true) + Commit + WaitFor() + "add.f32 sum0, sum0, sum1;\n");

    [Theory]
    [InlineData("add.f32 %f1, sum3, sum3;", "a sum of wgmma (line ")]
    [InlineData("@%p7 st.global.f32 [%rd1], sum31;", "is read here before wgmma.wait_group has waited for it")]
    [InlineData("mov.f32 sum3, 0f00000000;", "is written here before wgmma.wait_group has waited for it")]
    public void Sums_are_not_touched(string code, string words)
    {
        string product = Fence + Product64(adds: true) + Commit;
        Fails($"{s_ready} {product} {code}\n{WaitFor()}", words);
        Runs($"{s_ready} {product} {WaitFor()} {code}");
        // Of two groups the first is waited for, the second is not.
        string second = Product64(adds: true, sums: "other") + Commit;
        Runs($"{s_ready} {product} {second} {WaitFor(1)} {code}\n{WaitFor()}");
        Fails($"{s_ready} {Fence} {second} {Product64(adds: true)} {Commit} {WaitFor(1)} {code}\n{WaitFor()}", words);
    }

    [Fact]
    public void Factors_in_registers_are_not_written()
    {
        string product = Fence + Product64(adds: true, InRegisters) + Commit;
        Fails(s_ready + product + "mov.u32 x1, 5;\n" + WaitFor(), "A's register of wgmma");
        Runs(s_ready + product + "mov.u32 %r1, x1;\n" + WaitFor() + "mov.u32 x1, 5;\n");
    }

    [Fact]
    public void Registers_that_were_touched_need_a_fence()
    {
        const string words = "wgmma.fence is missing: '";
        string product = Product64(adds: true) + Commit + WaitFor();
        Fails(s_ready + product, words);
        Fails(s_ready + Fence + product + "mul.f32 sum0, sum0, sum0;\n" + product, words);
        Runs(s_ready + Fence + product + "mul.f32 sum0, sum0, sum0;\n" + Fence + product);
        Fails(s_ready + Fence + "mov.u32 x2, 1;\n" + Product64(adds: true, InRegisters) + Commit + WaitFor(), words);
    }

    [Fact]
    public void Operands_are_not_copied_over()
    {
        const string words = "race: a bulk copy writes what wgmma of warpgroup 0";
        string product = Fence + Product64(adds: true) + Commit, second = Product64(adds: true, "%rd6", "%rd7", "other") + Commit;
        Fails(s_ready + product + Again(0) + WaitFor(), words);
        Fails(s_ready + product + Again(8192) + WaitFor(), words);
        Runs(s_ready + product + WaitFor() + Again(8192));
        // Where none is waited for, and of two groups the first.
        Runs(s_ready + product + Again(16384) + WaitFor());
        Runs(s_ready + product + second + WaitFor(1) + Again(8192) + WaitFor());
        Fails(s_ready + product + second + WaitFor(1) + Again(16384) + WaitFor(), words);
    }

    [Fact]
    public void Operands_are_not_written_by_threads()
    {
        string product = Fence + Product64(adds: true) + Commit, write = Only(5, "st.shared.u32 [tile], %r0;\n", "WRITE");
        Fails(s_ready + product + write + WaitFor(), "nothing orders this behind its wgmma.wait_group");
        Runs(s_ready + product + WaitFor() + write);
    }

    [Fact]
    public void What_threads_wrote_is_read_behind_a_fence()
    {
        string write = Only(5, "st.shared.u32 [tile], %r0;\n", "WRITE"), product = Fence + Product64(adds: true) + Commit + WaitFor();
        Fails(s_ready + "bar.sync 0;\n" + write + "bar.sync 0;\n" + product, "fence.proxy.async between is missing");
        Fails(s_ready + "bar.sync 0;\n" + write + "fence.proxy.async;\n" + product, "race: the word at shared address 0x400");
        Runs(s_ready + "bar.sync 0;\n" + write + "fence.proxy.async;\nbar.sync 0;\n" + product);
    }

    [Fact]
    public void Operands_are_read_when_they_are_there() =>
        Fails(s_start + Descriptors + Fence + Product64(adds: true) + Commit + WaitFor() + Wait("full", 0, "LATE"),
            "a bulk copy to it (thread 0");

    [Theory]
    [InlineData(32768, "out-of-bounds read of 16 bytes at shared address", CudaResult.IllegalAddress)]
    [InlineData(28672, "out-of-bounds read of 16 bytes at shared address", CudaResult.IllegalAddress)]
    [InlineData(16, "misaligned descriptor of B: it begins 16 bytes into a pattern of 1024 bytes", CudaResult.MisalignedAddress)]
    [InlineData(128, "misaligned descriptor of B: it begins 128 bytes into a pattern", CudaResult.MisalignedAddress)]
    public void Descriptors_lie_where_they_may(int offset, string words, object result) =>
        Fails(s_ready + Descriptor("%rd5", "tile", offset) + Fence + Product64(adds: true) + Commit + WaitFor(), words,
            result: (CudaResult)result);

    [Theory]
    [InlineData("or.b64 %rd5, %rd5, 0xc000;", "bits that must be 0 are set")]
    [InlineData("or.b64 %rd5, %rd5, 0x2000000000000;", "a base offset is not emulated")]
    [InlineData("add.s64 %rd5, %rd5, 0x100000000;", "its stride of 1040 bytes is no multiple")]
    public void Descriptors_say_what_there_is(string code, string words) =>
        Fails($"{s_ready} {code} {Fence} {Product64(adds: true)} {Commit} {WaitFor()}", words, result: CudaResult.MisalignedAddress);

    [Fact]
    public void A_warpgroup_has_one_operand()
    {
        const string words = "the operands of wgmma are not those of thread 0";
        string product = Fence + Product64(adds: true) + Commit + WaitFor();
        Fails(s_ready + "setp.eq.u32 %p1, %r0, 127; selp.b64 %rd5, %rd7, %rd5, %p1;\n" + product, words);
        product = product.Replace(", 1, 1, 1, 0, 0", ", %p1, 1, 1, 0, 0", StringComparison.Ordinal);
        Fails(s_ready + "setp.ne.u32 %p1, %r0, 127;\n" + product, words);
    }

    [Fact]
    public void All_of_a_warpgroup_take_part()
    {
        string product = Fence + Product64(adds: true) + Commit + WaitFor();
        Fails(s_ready + "setp.eq.u32 %p1, %r0, 100;\n@%p1 ret;\n" + product,
            "divergent warpgroup: 'wgmma.fence.sync.aligned' waits for thread 100, which has ended");
        Fails(s_ready + product, "a warpgroup is four warps, and the block's last has fewer", threads: 96);
    }

    [Fact]
    public void Not_every_operand_has_a_product()
    {
        string product = Product64(adds: true), load = Sm90aKernel(s_ready + Fence + product + Commit + WaitFor());
        foreach ((string from, string to) in ((string, string)[])
        [
            ("n64k16", "n64k8"), ("n64k16", "n60k16"), (", 1, 1, 0, 0;", ", -1, 1, 0, 0;"), (", 0, 0;", ", 0;"),
            ("f16.f16 {", "f16.bf16 {"),
        ])
        {
            Assert.Contains(from, load, StringComparison.Ordinal);
            CudaException fault = PtxRun.Fault(load.Replace(from, to, StringComparison.Ordinal), threads: 128);
            Assert.Contains("wgmma", fault.Message, StringComparison.Ordinal);
        }
        Fails(s_ready + "@%p7 " + product, "under a predicate", result: CudaResult.InvalidPtx);
    }
}
