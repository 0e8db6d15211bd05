using System.Text.Json.Nodes;
using Gradpath.Kernels.Cuda.Driver;
using Gradpath.PtxEmulator;

namespace Gradpath.Host.Tests;

/// <summary>The stages of <c>gradpath selftest</c> on an emulated GPU, whole and with a fault in one of them.</summary>
[Trait("About", "emulator")]
public sealed class SelfTestStagesTests : IDisposable
{
    // A few checks of every stage: all of them take minutes on an emulated GPU. Each of the kernels below is launched first in the stage
    // that it stands for.
    private static readonly string[] s_line =
    [
        "selftest", "--device", "cuda", "--cases", "1", "--only", "Activation,Rows,Fill,gemmBf16Nt64x64,relp,eap-gp: the first,gpt2 eap-ig",
        "--shape", "tiny",
    ];

    private static readonly string[] s_stages = ["modules", "ops", "plans", "graphs", "identities", "methods", "gpt2"];

    private readonly EmulatedDriver _driver = new(new EmulatorOptions { Races = false });

    public SelfTestStagesTests() => CudaDrivers.Replace(() => _driver);

    public void Dispose()
    {
        CudaDrivers.Replace(null);
        _driver.Dispose();
    }

    [Fact]
    public void Stages_say_how_they_went_in_their_order()
    {
        Cli run = Cli.Run(s_line).Succeeds("device: Emulated GPU", "compared with: CPU", "blocks at once", "geluTanh", "checks passed");
        Assert.Equal(s_stages, Summaries(run).Select(l => l.Split(':')[0]));
        Assert.All(Summaries(run), l => Assert.Contains(" checks, ok, ", l, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("modules", null)]
    [InlineData("ops", "fill")]
    [InlineData("plans", "gemmBf16Nt64x64")]
    [InlineData("graphs", "layerNorm")]
    [InlineData("identities", "pathStep")]
    [InlineData("methods", "probabilityDifference")]
    [InlineData("gpt2", "layerNorm")]
    public void A_fault_is_a_line_and_the_other_stages_go_on(string stage, string? kernel)
    {
        if (kernel is null) _driver.FailNextModule = "ptxas error : line 3\nunknown symbol";
        else if (stage != "gpt2") _driver.FailNextLaunch = kernel;

        // What the last stage launches the others have launched before: it is made to fail once the CPU is at work for it.
        Cli run = Cli.StoppedWhen(
            p =>
            {
                if (stage == "gpt2" && p.Stage == "weights") _driver.FailNextLaunch = kernel;
                return false;
            },
            s_line);
        Assert.Equal((1, ""), (run.ExitCode, run.Error));
        string failure = Assert.Single(Lines(run), l => l.StartsWith("FAILED: ", StringComparison.Ordinal));
        Assert.Contains(kernel is null ? "ptxas error : line 3 unknown symbol; try a newer NVIDIA driver" : $"kernel {kernel}", failure,
            StringComparison.Ordinal);
        if (kernel is not null)
        {
            Assert.Contains(
                $"; try compute-sanitizer with the stage {stage} with the check", failure, StringComparison.Ordinal);
        }
        Assert.Equal(s_stages, Summaries(run).Select(l => l.Split(':')[0]));
        Assert.All(Summaries(run), l => Assert.Contains(
            l.StartsWith($"{stage}:", StringComparison.Ordinal) ? " checks, 1 FAILED, " : " checks, ok, ", l, StringComparison.Ordinal));
    }

    [Fact]
    public void Json_has_the_stages_and_the_fault()
    {
        _driver.FailNextLaunch = "gemmBf16Nt64x64";
        Cli run = Cli.Run("selftest", "--device", "cuda", "--stages", "plans,modules", "--only", "Gemm", "--json");
        Assert.Equal((1, ""), (run.ExitCode, run.Error));
        JsonObject tables = JsonOutputTests.Fits(run.Out)["tables"]!.AsObject();
        Assert.Equal(["modules", "plans"], tables["stages"]!.AsArray().Select(s => s!["name"]!.GetValue<string>()));
        Assert.Equal([0, 1], tables["stages"]!.AsArray().Select(s => s!["failed"]!.GetValue<int>()));
        JsonNode failed = tables["plans"]!.AsArray().Single(p => p!["fault"] is not null)!;
        Assert.Equal("gemmBf16Nt64x64", failed["name"]!.GetValue<string>());
        Assert.Null(failed["error"]);
        Assert.All(tables["modules"]!.AsArray(), m =>
        {
            Assert.False(m!["from_cache"]!.GetValue<bool>());
            Assert.Contains(" live registers", m["log"]!.GetValue<string>(), StringComparison.Ordinal);
            Assert.InRange(m["compiler_milliseconds"]!.GetValue<double>(), 0, m["milliseconds"]!.GetValue<double>());
        });
        Assert.All(tables["kernels"]!.AsArray(), k => Assert.InRange(k!["resident_blocks"]!.GetValue<int>(), 1, 32));
    }

    private static string[] Lines(Cli run) => run.Out.Split('\n');

    private static IEnumerable<string> Summaries(Cli run) =>
        Lines(run).Where(l => l.Contains(" checks, ", StringComparison.Ordinal) && s_stages.Contains(l.Split(':')[0]));
}
