using CommandLine;
using CommandLine.Text;
using Gradpath.Programs.Files;

namespace Gradpath.Host.Commands;

/// <summary>The options of <c>gradpath kernels</c>.</summary>
[Verb("kernels", HelpText = "List the GPU's kernels, show one's code, run and time an op or a kernel, compile all of them ahead.")]
internal sealed class KernelsOptions : DeviceOptions
{
    private static readonly UnParserSettings s_short = new() { SkipDefault = true };

    [Option("list", HelpText = "Every entry point with its threads and registers; 'kernels list' is short for it.")]
    public bool List { get; set; }

    [Option("dump", MetaValue = "NAME", HelpText = "The PTX of a kernel or of a file of kernels; 'kernels dump NAME' is short for it.")]
    public string? Dump { get; set; }

    [Option("run", MetaValue = "NAME", HelpText =
        "Time an op (LayerNorm) or a kernel (gemmTf32x3Nn128x64) and compare it with the CPU; 'kernels run NAME' is short for it.")]
    public string? Run { get; set; }

    [Option("compile", HelpText = "Compile every file for the GPU at hand and keep it for later runs; 'kernels compile' is short for it.")]
    public bool Compile { get; set; }

    [Option("cubin", HelpText = "With --dump: the compiled image of the file in place of its PTX. Needs a GPU.")]
    public bool Cubin { get; set; }

    [Output]
    [Option("out", MetaValue = "FILE", HelpText = "With --dump: where the code goes (default: standard output).")]
    public string? Out { get; set; }

    [Option("shape", MetaValue = "SHAPE", HelpText =
        "With --run: a product's M x N x K, as 160x3072x768, or one of the op's own shapes (default: all of those).")]
    public string? Shape { get; set; }

    [Option("layout", MetaValue = "LAYOUT", HelpText =
        "With --run of a product: how A and B are stored, each n or t for transposed: nn, nt, tn or tt (default nn).")]
    public string? Layout { get; set; }

    [Option("plan", MetaValue = "TILE", HelpText =
        "With --run of a product on a GPU: its tile and the shares of K, as 128x64x2, or plain (default: the device's choice).")]
    public string? Plan { get; set; }

    [Option("repeats", MetaValue = "N", HelpText = "With --run: calls of a round, of which seven are timed (default 20).")]
    [Range(1, 100_000)]
    public int? Repeats { get; set; }

    [Input]
    [Option("watch", MetaValue = "DIR", HelpText =
        "With --run on a GPU: take PTX files of this folder in the place of those of the same name, and run again whenever one changes.")]
    public string? Watch { get; set; }

    [Usage(ApplicationAlias = "gradpath")]
    public static IEnumerable<Example> Examples =>
    [
        new("Every kernel", s_short, new KernelsOptions { List = true }),
        new("The PTX of one", s_short, new KernelsOptions { Dump = "standardize" }),
        new("An op's time beside the CPU's results", s_short, new KernelsOptions { Run = "LayerNorm" }),
        new("A product cut up by hand", s_short, new KernelsOptions { Run = "Gemm", Shape = "320x3072x768", Plan = "128x64x2" }),
    ];
}
