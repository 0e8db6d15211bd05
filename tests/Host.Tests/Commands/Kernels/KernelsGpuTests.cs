using System.Globalization;
using System.Text.Json.Nodes;
using Gradpath.Kernels.Cuda;
using Gradpath.Kernels.Cuda.Driver;
using Gradpath.PtxEmulator;

namespace Gradpath.Host.Tests;

/// <summary><c>gradpath kernels</c> on an emulated GPU.</summary>
[Trait("About", "emulator")]
public sealed class KernelsGpuTests : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(120);

    private readonly EmulatedDriver _driver = new(new EmulatorOptions { Races = false });
    private readonly TempFolder _folder = new();

    public KernelsGpuTests() => CudaDrivers.Replace(() => _driver, new KernelCache(_folder["cache"]));

    public void Dispose()
    {
        CudaDrivers.Replace(null);
        _driver.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void The_list_has_what_the_driver_made_of_them()
    {
        Cli run = Cli.Run("kernels", "list", "--device", "cuda", "--json");
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        JsonObject json = JsonOutputTests.Fits(run.Out);
        Assert.StartsWith("Emulated GPU", (string)json["facts"]!["device"]!, StringComparison.Ordinal);
        JsonArray kernels = json["tables"]!["kernels"]!.AsArray();
        Assert.Equal(CudaDevice.ModuleFiles.Sum(f => CudaDevice.EntryPoints(f).Count), kernels.Count);
        Assert.All(kernels, k => Assert.InRange((int)k!["resident_blocks"]!, 0, 32));
        Assert.All(kernels, k => Assert.True((int)k!["registers"]! > 0));
    }

    [Fact]
    public void Compiling_fills_the_cache_and_a_later_run_finds_it()
    {
        JsonObject first = Compiled();
        Assert.All(first["tables"]!["images"]!.AsArray(), i => Assert.False((bool)i!["from_cache"]!));
        Assert.Equal(_folder["cache"], (string)first["facts"]!["folder"]!);
        Assert.Equal(CudaDevice.ModuleFiles.Count, Directory.GetFiles(_folder["cache"], "*.cubin").Length);
        Assert.All(Compiled()["tables"]!["images"]!.AsArray(), i => Assert.True((bool)i!["from_cache"]!));
        Cli.Run("kernels", "dump", "fill", "--cubin", "--out", _folder["fill.cubin"], "--device", "cuda").Succeeds("image: ");
        Assert.Equal(CudaDevice.ShippedPtx("Rows"), File.ReadAllText(_folder["fill.cubin"]));

        // Where nothing can be kept there is nothing to do.
        Directory.Delete(_folder["cache"], recursive: true);
        File.WriteAllText(_folder["cache"], "");
        Cli.Run("kernels", "compile", "--device", "cuda").Fails(1, "--compile: ", "does not take the image of Activation.ptx");
        CudaDrivers.Replace(() => _driver);
        Cli.Run("kernels", "compile", "--device", "cuda").Fails(1, "GRADPATH_KERNEL_CACHE says that compiled kernels are kept nowhere");

        static JsonObject Compiled()
        {
            Cli run = Cli.Run("kernels", "compile", "--device", "cuda", "--json");
            Assert.Equal((0, ""), (run.ExitCode, run.Error));
            return JsonOutputTests.Fits(run.Out);
        }
    }

    [Theory]
    [InlineData("Gemm --plan 64x64x2 --layout tn", "gemmFp16x3Nn64x64", "64x64x2")]
    [InlineData("Gemm --plan 64x64x2 --gemm tf32x3", "gemmTf32x3Nn64x64", "64x64x2")]
    [InlineData("Gemm --plan 32x128 --precision bf16 --layout nt", "gemmBf16Nt32x128", "32x128x1")]
    [InlineData("gemmTf32Nt64x64", "gemmTf32Nt64x64", "64x64x1")]
    [InlineData("gemmSm90a128x192", "gemmSm90a128x192", "128x192x1")]
    [InlineData("packFactor", "gemmSm90a128x192", "128x192x1")]
    [InlineData("gemmFfma64x64 --plan 64x64x3", "gemmFfma64x64", "64x64x3")]
    [InlineData("gemmAddSplits --plan 64x64x20", "gemmAddSplits", "64x64x20")]
    [InlineData("gemmPlain", "gemmPlain", "plain")]
    public void A_product_runs_as_planned_and_agrees_with_the_CPU(string line, string kernel, string plan)
    {
        string shape = kernel == "gemmAddSplits" ? "40x24x640" : "40x24x200";
        Cli run = Cli.Run(["kernels", "run", .. line.Split(' '), "--shape", shape, "--device", "cuda", "--repeats", "1", "--json"]);
        Assert.True(run.ExitCode == 0, run.Error + run.Out);
        JsonObject json = JsonOutputTests.Fits(run.Out);
        JsonNode timing = Assert.Single(json["tables"]!["timings"]!.AsArray())!;
        Assert.Equal(plan, (string)timing["plan"]!);
        Assert.Equal(2.0 * 40 * 24 * int.Parse(shape[6..], CultureInfo.InvariantCulture), (double)timing["flops"]!);
        Assert.InRange((double)timing["seconds"]!, (double)timing["fastest_seconds"]!, 60);
        JsonNode check = Assert.Single(json["tables"]!["checks"]!.AsArray())!;
        Assert.InRange((double)check["error"]!, 0, (double)check["allowed"]!);
        Assert.Equal("12.8", (string)json["facts"]!["cuda"]!);

        // One call to warm up, seven rounds of one, and two to compare.
        Assert.Equal(10, _driver.Statistics[kernel].Launches);
    }

    /// <summary>Every command's last line is made in the same place.</summary>
    [Fact]
    public void A_fault_is_one_line_with_the_kernel_its_launch_and_what_to_try()
    {
        string[] line = ["kernels", "run", "pathStep", "--device", "cuda", "--repeats", "1"];
        _driver.FailNextLaunch = "pathStep";
        Cli run = Cli.Run(line).Fails(1, "pathStep", " threads with 0 bytes of shared memory", "; try CUDA_LAUNCH_BLOCKING=1");
        Assert.Single(run.Error.TrimEnd().Split('\n'));

        // Without a cache: what comes from one and is refused is compiled anew.
        CudaDrivers.Replace(() => _driver);
        _driver.FailNextModule = "ptxas error : line 3\nptxas fatal : no";
        run = Cli.Run(line).Fails(1, "could not be loaded", "Path.ptx: ptxas error : line 3 ptxas fatal : no; try a newer NVIDIA driver");
        Assert.Single(run.Error.TrimEnd().Split('\n'));
    }

    [Fact]
    public void A_kernel_stands_for_its_op()
    {
        Cli.Run("kernels", "run", "pathStep", "--device", "cuda", "--repeats", "1").Succeeds("against the CPU", "ok", "Emulated GPU");
        Assert.True(_driver.Statistics["pathStep"].Launches > 8);
    }

    /// <summary>The cache shows that a file was read again: each text has an image of its own.</summary>
    [Fact]
    public async Task An_edited_file_runs_again_and_a_broken_one_is_a_line()
    {
        string text = CudaDevice.ShippedPtx("Path"), file = _folder.Write("edited/Path.ptx", text);
        using CancellationTokenSource source = new();
        Task<Cli> running = Task.Run(() => Cli.RunWith(
            "", source.Token, "kernels", "run", "pathStep", "--watch", _folder["edited"], "--device", "cuda", "--repeats", "1"));
        await Images(1);
        _driver.FailNextModule = "ptxas error : line 3";
        File.WriteAllText(file, text + "// broken");
        await Until(() => _driver.FailNextModule is null);
        File.WriteAllText(file, text + "// mended");
        await Images(2);
        source.Cancel();
        Cli run = await running.WaitAsync(s_patience);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Contains("FAILED: cuda:0: the kernel ", run.Out, StringComparison.Ordinal);
        Assert.Contains("ptxas error : line 3", run.Out, StringComparison.Ordinal);
        Assert.Contains("watching ", run.Out, StringComparison.Ordinal);

        Directory.CreateDirectory(_folder["none"]);
        Cli.Run("kernels", "run", "pathStep", "--watch", _folder["none"]).Fails(2, "kernels dump Rows --out");
        _folder.Write("none/Path2.ptx", "");
        Cli.Run("kernels", "run", "pathStep", "--watch", _folder["none"]).Fails(2, "Path2.ptx", "did you mean Path?");

        async Task Images(int count) => await Until(
            () => Directory.Exists(_folder["cache"]) && Directory.GetFiles(_folder["cache"], "Path-*.cubin").Length == count);

        async Task Until(Func<bool> done)
        {
            long start = System.Diagnostics.Stopwatch.GetTimestamp();
            while (!done())
            {
                if (running.IsCompleted) Assert.Fail($"it has ended: {await running}");
                Assert.True(System.Diagnostics.Stopwatch.GetElapsedTime(start) < s_patience, "nothing happened");
                await Task.Delay(20);
            }
        }
    }
}
