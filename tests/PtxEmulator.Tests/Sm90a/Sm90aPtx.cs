using Gradpath.Kernels.Cuda.Driver;
using static Gradpath.PtxEmulator.Tests.PtxRun;

namespace Gradpath.PtxEmulator.Tests.Sm90a;

/// <summary>Hand-written PTX for sm_90a.</summary>
internal static class Sm90aPtx
{
    /// <summary>Registers as <see cref="Kernel"/> has them, and mbarriers and tiles in shared memory.</summary>
    public const string Shared = ".shared .align 8 .b64 full; .shared .align 8 .b64 empty; .shared .align 1024 .b8 tile[32768];";

    /// <summary>Thread 0 makes two mbarriers that count one arrival, and all know of them.</summary>
    public const string Init = """
        setp.eq.u32 %p7, %r0, 0;
        @!%p7 bra MADE;
        mbarrier.init.shared::cta.b64 [full], 1;
        mbarrier.init.shared::cta.b64 [empty], 1;
        fence.mbarrier_init.release.cluster;
        MADE:
        bar.sync 0;

        """;

    /// <summary>A kernel of two pointers around a body, as <see cref="PtxRun.Kernel"/> makes it, for sm_90a and so many threads.</summary>
    /// <param name="body">The body.</param>
    /// <param name="declarations">What it declares beside.</param>
    /// <param name="threads">Threads of its bounds.</param>
    public static string Sm90aKernel(string body, string declarations = Shared, int threads = 128) => Kernel(body, declarations)
        .Replace(".version 7.8\n.target sm_80", ".version 8.0\n.target sm_90a", StringComparison.Ordinal)
        .Replace(".param .u64 out)\n", $".param .u64 out)\n.maxntid {threads}, 1, 1\n", StringComparison.Ordinal);

    /// <summary>Waits for a phase in a loop.</summary>
    /// <param name="barrier">The mbarrier.</param>
    /// <param name="parity">The phase's parity.</param>
    /// <param name="label">A label of its own.</param>
    public static string Wait(string barrier, int parity, string label) =>
        $"{label}:\nmbarrier.try_wait.parity.shared::cta.b64 %p6, [{barrier}], {parity};\n@!%p6 bra {label};\n";

    /// <summary>Makes one thread run code, and lets all meet behind it.</summary>
    /// <param name="thread">The thread.</param>
    /// <param name="code">The code.</param>
    /// <param name="label">A label of its own.</param>
    public static string Only(int thread, string code, string label) =>
        $"setp.ne.u32 %p5, %r0, {thread};\n@%p5 bra {label};\n{code}{label}:\nbar.warp.sync -1;\n";

    /// <summary>Arrives with bytes to expect, and copies them.</summary>
    /// <param name="target">Where to: a variable, a register, and an offset.</param>
    /// <param name="bytes">How much.</param>
    /// <param name="source">Where from.</param>
    /// <param name="expected">Bytes to expect where they are others.</param>
    public static string Copy(string target, int bytes, string source = "%rd0", int? expected = null) =>
        $"mbarrier.arrive.expect_tx.shared::cta.b64 _, [full], {expected ?? bytes};\n{CopyAlone(target, bytes, source)}";

    /// <summary>A bulk copy of which the mbarrier `full` is told.</summary>
    /// <param name="target">Where to.</param>
    /// <param name="bytes">How much.</param>
    /// <param name="source">Where from.</param>
    public static string CopyAlone(string target, int bytes, string source = "%rd0") =>
        $"cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [{target}], [{source}], {bytes}, [full];\n";

    /// <summary>Runs a body and gives the output.</summary>
    /// <param name="body">The body.</param>
    /// <param name="threads">Threads.</param>
    /// <param name="declarations">What it declares beside registers.</param>
    public static byte[] Runs(string body, int threads = 128, string declarations = Shared) =>
        Run(Sm90aKernel(body, declarations, threads), new byte[65536], 4096, threads);

    /// <summary>Runs a body that ends in a fault.</summary>
    /// <param name="body">The body.</param>
    /// <param name="words">What the report says.</param>
    /// <param name="threads">Threads.</param>
    /// <param name="result">The driver's code.</param>
    /// <param name="declarations">What it declares beside registers.</param>
    public static void Fails(string body, string words, int threads = 128, CudaResult result = CudaResult.LaunchFailed,
        string declarations = Shared)
    {
        var options = new EmulatorOptions { InstructionLimit = 100_000 };
        CudaException fault = Fault(Sm90aKernel(body, declarations, threads), 65536, 4096, threads, options: options);
        Assert.True(fault.Message.Contains(words, StringComparison.Ordinal), $"'{words}' expected in: {fault.Message}");
        Assert.Equal(result, fault.Result);
    }

    /// <summary>Names of registers in braces.</summary>
    /// <param name="prefix">What they begin with.</param>
    /// <param name="count">Their number.</param>
    public static string List(string prefix, int count) =>
        "{" + string.Join(", ", Enumerable.Range(0, count).Select(i => $"{prefix}{i}")) + "}";

    /// <summary>A product of f16.</summary>
    /// <param name="adds">Whether it adds.</param>
    /// <param name="a">A: a register with a descriptor, or four in braces.</param>
    /// <param name="b">The register with B's descriptor.</param>
    /// <param name="sums">The sums' names without their numbers.</param>
    public static string Product64(bool adds, string a = "%rd4", string b = "%rd5", string sums = "sum") =>
        $"wgmma.mma_async.sync.aligned.m64n64k16.f32.f16.f16 {List(sums, 32)}, {a}, {b}, {(adds ? 1 : 0)}, 1, 1, "
        + (a.StartsWith('{') ? "0;\n" : "0, 0;\n");

    /// <summary>Puts a descriptor of rows of 128 bytes into a register.</summary>
    /// <param name="register">The register.</param>
    /// <param name="address">The address in shared memory, a 32-bit register or a variable.</param>
    /// <param name="offset">Bytes behind it.</param>
    public static string Descriptor(string register, string address, int offset = 0) => $$"""
        { .reg .b32 at; .reg .b64 low; mov.u32 at, {{address}}; add.u32 at, at, {{offset}}; shr.u32 at, at, 4; and.b32 at, at, 0x3fff;
        cvt.u64.u32 low, at; or.b64 {{register}}, low, 0x4000004000010000; }

        """;

    /// <summary>The line of the first place where a text stands.</summary>
    /// <param name="ptx">The file.</param>
    /// <param name="text">The text.</param>
    public static int LineOf(string ptx, string text) => 1 + ptx[..ptx.IndexOf(text, StringComparison.Ordinal)].Count(c => c == '\n');
}
