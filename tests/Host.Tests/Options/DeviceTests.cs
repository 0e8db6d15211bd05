using System.Text.Json;
using Gradpath.Kernels;
using Gradpath.Kernels.Cuda;
using Gradpath.Kernels.Cuda.Driver;
using Gradpath.PtxEmulator;

namespace Gradpath.Host.Tests;

/// <summary><c>--device</c> and what goes with it; GPUs are emulated.</summary>
[Trait("About", "emulator")]
public sealed class DeviceTests : IClassFixture<TinyModel>, IDisposable
{
    private readonly TinyModel _model;

    public DeviceTests(TinyModel model) => _model = model;

    public void Dispose() => CudaDrivers.Replace(null);

    [Fact]
    public void Scores_of_a_GPU_are_those_of_the_CPU()
    {
        Emulate(new EmulatorOptions());
        Cli run = Score("gpu.json", "--device", "cuda:0");
        Assert.Equal("", run.Error);
        run.Succeeds("device: Emulated GPU (compute capability 9.0");
        Score("cpu.json", "--device", "cpu").Succeeds();
        JsonElement gpu = Read("gpu.json"), cpu = Read("cpu.json");
        foreach (JsonProperty edge in cpu.GetProperty("edges").EnumerateObject())
        {
            Assert.Equal(edge.Value.GetProperty("score").GetDouble(),
                gpu.GetProperty("edges").GetProperty(edge.Name).GetProperty("score").GetDouble(), 1e-4);
        }
        JsonElement made = gpu.GetProperty("gradpath");
        Assert.StartsWith("Emulated GPU", made.GetProperty("device").GetString(), StringComparison.Ordinal);
        Assert.Equal(("fp32", "fp16x3"), (made.GetProperty("precision").GetString(), made.GetProperty("gemm").GetString()));
    }

    [Fact]
    public void Products_without_tensor_cores_can_be_chosen()
    {
        EmulatedDriver driver = Emulate(new EmulatorOptions());
        Score("ffma.json", "--device", "cuda", "--gemm", "ffma").Succeeds();
        Assert.Equal(("fp32", "ffma"), (Provenance("ffma.json", "precision"), Provenance("ffma.json", "gemm")));
        Assert.Contains(driver.Statistics.Keys, k => k.StartsWith("gemmFfma", StringComparison.Ordinal));
        Assert.DoesNotContain(driver.Statistics.Keys, k => k.StartsWith("gemmFp16", StringComparison.Ordinal)
            || k.StartsWith("gemmTf32", StringComparison.Ordinal)
            || k.StartsWith("contractEdges", StringComparison.Ordinal));
        Cli.Run("circuit", "--scores", _model.Path("ffma.json"), "--top-n", "12", "--out", _model.Path("ffma-circuit.json")).Succeeds();
        Cli.Run(
            "evaluate", "--circuit", _model.Path("ffma-circuit.json"), "--model", _model.ModelDirectory, "--data", _model.Pairs, "--metric",
            "logit-diff", "--device", "cuda", "--gemm", "ffma",
            "--out", _model.Path("ffma-evaluation.json")).Succeeds();
        Assert.Contains("\"ffma\"", File.ReadAllText(_model.Path("ffma-evaluation.json")), StringComparison.Ordinal);
    }

    [Fact]
    public void Auto_takes_the_GPU_and_says_so_in_one_line()
    {
        Emulate(new EmulatorOptions());
        Cli run = Score("auto.json", "--precision", "bf16");
        Assert.Equal(0, run.ExitCode);
        Assert.StartsWith("device: cuda:0, Emulated GPU", run.Error, StringComparison.Ordinal);
        Assert.Single(run.Error.TrimEnd().Split('\n'));
        Assert.Contains(", bf16, batch of", run.Out, StringComparison.Ordinal);
        Assert.Equal("bf16", Read("auto.json").GetProperty("gradpath").GetProperty("precision").GetString());

        // A number of threads is a wish for the CPU.
        Score("threads.json", "--threads", "1").Succeeds("device: CPU");
    }

    [Fact]
    public void A_circuit_is_evaluated_on_a_GPU()
    {
        Emulate(new EmulatorOptions());
        Score("scores.json", "--device", "cpu").Succeeds();
        Cli.Run("circuit", "--scores", _model.Path("scores.json"), "--top-n", "12", "--out", _model.Path("circuit.json")).Succeeds();
        string[] line = ["evaluate", "--circuit", _model.Path("circuit.json"), "--model", _model.ModelDirectory, "--data", _model.Pairs,
            "--metric", "logit-diff", "--device"];
        string gpu = Cli.Run([.. line, "cuda"]).Succeeds("faithfulness", "Emulated GPU").Out;
        string cpu = Cli.Run([.. line, "cpu"]).Succeeds("faithfulness").Out;
        Assert.Equal(cpu.Split('\n')[..3], gpu.Split('\n')[..3]);
    }

    // Every operation and every variant of every method takes minutes here; the CUDA tests compare operations and methods one by one.
    [SkippableFact]
    public void Selftest_compares_the_GPU_with_the_CPU()
    {
        Skip.IfNot(Environment.GetEnvironmentVariable("GRADPATH_LONG_TESTS") == "1",
            "takes minutes on an emulated GPU; GRADPATH_LONG_TESTS=1 runs it");
        Emulate(new EmulatorOptions { Races = false });
        Cli.Run("selftest", "--device", "cuda", "--cases", "1").Succeeds("compared with: CPU", "device: Emulated GPU", "checks passed");
    }

    [Fact]
    public void Info_names_the_GPU()
    {
        Emulate(new EmulatorOptions());
        Cli.Run("info", "--model", _model.ModelDirectory, "--device", "cuda").Succeeds("Emulated GPU (compute capability 9.0", "free");
    }

    [Fact]
    public void Auto_says_why_a_GPU_that_is_there_is_not_used()
    {
        Emulate(new EmulatorOptions { Major = 7, Minor = 5 });
        Cli run = Score("old.json");
        Assert.Equal(0, run.ExitCode);
        Assert.Equal("device: cpu, because no GPU can be used: a GPU of compute capability 8.0 or later is needed; there is Emulated GPU "
            + "(7.5)\n", run.Error);
        Assert.Contains("device: CPU", run.Out, StringComparison.Ordinal);
        Score("old.json", "--device", "cuda").Fails(1, "--device cuda: a GPU of compute capability 8.0 or later is needed");
        Score("old.json", "--precision", "tf32").Fails(2, "--precision tf32 needs a GPU");
    }

    [Fact]
    public void A_machine_without_a_GPU_is_told_what_is_missing()
    {
        Emulate(new EmulatorOptions { DeviceCount = 0 });
        Score("none.json", "--device", "cuda").Fails(1, "--device cuda: the NVIDIA driver finds no GPU");
        CudaDrivers.Replace(
            () => throw new DeviceException("the NVIDIA driver does not start: cuInit: the driver finds no GPU (CUDA error 100)"));
        Score("none.json", "--device", "cuda:1").Fails(1, "--device cuda:1: the NVIDIA driver does not start", "--device cpu needs no GPU");
    }

    [Fact]
    public void A_GPU_that_is_not_there_is_a_usage_error_that_names_those_there_are()
    {
        Emulate(new EmulatorOptions { DeviceCount = 2 });
        Score("two.json", "--device", "cuda:2").Fails(2, "--device cuda:2: this machine has 2 GPUs; choose cuda:0 or cuda:1.");
        Score("two.json", "--device", "cuda:1").Succeeds("Emulated GPU");
    }

    [Fact]
    public void Too_little_memory_names_the_option_that_helps()
    {
        Emulate(new EmulatorOptions { MemoryLimit = 64 << 10 });
        Score("small.json", "--device", "cuda", "--batch-size", "6").Fails(
            1, "6 pairs of up to 5 tokens need", "are free for it; --batch-size ");
    }

    [Theory]
    [InlineData("--device cuda:", "choose auto, cpu, cuda or cuda:N")]
    [InlineData("--device cuda:-1", "choose auto, cpu, cuda or cuda:N")]
    [InlineData("--device GPU", "choose auto, cpu, cuda or cuda:N")]
    [InlineData("--precision fp16", "choose fp32, tf32 or bf16")]
    [InlineData("--gemm mkl", "choose own, ffma, cublas, tf32x3 or fp16x3")]
    [InlineData("--gemm ffma --precision bf16", "--gemm ffma multiplies in fp32 only")]
    [InlineData("--device cpu --gemm ffma", "--gemm ffma needs a GPU")]
    [InlineData("--device cpu --precision tf32", "--precision tf32 needs a GPU")]
    [InlineData("--device cpu --gemm cublas", "--gemm cublas needs a GPU")]
    [InlineData("--device cuda --threads 2", "--threads is for the CPU device")]
    public void Options_that_do_not_go_together_are_named(string options, string mention) =>
        Cli.Run([.. "score --model nothing --task ioi".Split(' '), .. options.Split(' ')]).Fails(2, mention);

    [SkippableFact]
    public void CuBLAS_that_is_not_installed_is_named()
    {
        Skip.If(Cublas.Names.Any(n => System.Runtime.InteropServices.NativeLibrary.TryLoad(n, out _)), "cuBLAS is installed");
        Emulate(new EmulatorOptions());
        Score("blas.json", "--device", "cuda", "--gemm", "cublas").Fails(1, "cuBLAS is not installed", "own kernels");
    }

    private static EmulatedDriver Emulate(EmulatorOptions options)
    {
        EmulatedDriver driver = new(options);
        CudaDrivers.Replace(() => driver);
        return driver;
    }

    private string? Provenance(string file, string name) => Read(file).GetProperty("gradpath").GetProperty(name).GetString();

    private Cli Score(string file, params string[] options) => Cli.Run(
        [.. "score --metric logit-diff --method eap-ig --steps 2 --top 0".Split(' '), "--model", _model.ModelDirectory, "--data",
            _model.Pairs, "--out", _model.Path(file), .. options]);

    private JsonElement Read(string file) => JsonElement.Parse(File.ReadAllBytes(_model.Path(file)));
}
