using Gradpath.Cuda.Tests.Driver;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Kernels;
using Gradpath.Kernels.Cuda;
using Gradpath.Kernels.Cuda.Driver;

namespace Gradpath.Cuda.Tests;

/// <summary>What a run needs is compiled side by side while its weights are read, and nothing else is.</summary>
public sealed class PreloadTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private readonly WatchedDriver _driver = new(new HostDriver());

    /// <summary>A scoring whose products are of both kinds uses every file, and no other.</summary>
    [Theory]
    [InlineData(MatrixPrecision.Float32, true, "GemmFp16x3")]
    [InlineData(MatrixPrecision.Float32, false, "GemmFfma")]
    [InlineData(MatrixPrecision.Tf32, true, "GemmTf32")]
    [InlineData(MatrixPrecision.BFloat16, true, "GemmBf16")]
    public void Scoring_uses_what_is_compiled_ahead(MatrixPrecision precision, bool tensorCores, string tiles)
    {
        using CudaDevice device = new(_driver, 0, new CudaOptions { Precision = precision, TensorCores = tensorCores });
        Assert.Contains(tiles, device.ScoringFiles);
        List<string> loaded = [];
        _driver.Loading = (name, _) => loaded.Add(Path.GetFileNameWithoutExtension(name));
        int products = 0;
        device.ForcedPlan = shape => products++ == 0
            ? new GemmPlan(null, 1, shape.K)
            : GemmPlan.Split(GemmTile.Of(device.Arithmetic)[0], shape.K, 1);
        using Gpt2Weights model = TinyRuns.Model(device);
        TinyRuns.Score(model, TinyRuns.Options(AttributionMethods.EapIg, 2), TinyRuns.Pairs(3));
        string[] attention = ["Attention", "AttentionShort"];
        Assert.Single(loaded.Intersect(attention));
        Assert.Equal(device.ScoringFiles.Except(attention).Order(), loaded.Except(attention).Order());
    }

    [Fact]
    public void Loading_a_model_compiles_each_file_once()
    {
        using CudaDevice device = new(_driver, 0);
        using Gpt2Checkpoint checkpoint = Gpt2Checkpoint.Open(Path.Combine(RepositoryFiles.Root, "models/demo"));
        using Gpt2Weights model = checkpoint.LoadWeights(device);
        foreach (string file in device.ScoringFiles) device.LoadModule(file);
        device.LoadModule("Masks");
        Assert.Equal([.. device.ScoringFiles.Append("Masks").Select(f => $"{f}.ptx").Order()], _driver.Compiled.Order());
    }

    [SkippableFact]
    public void Files_are_compiled_side_by_side_and_the_device_waits_for_none_but_its_own()
    {
        Skip.If(Environment.ProcessorCount < 2, "one processor compiles one file at a time");
        using CudaDevice device = new(_driver, 0);
        using ManualResetEventSlim go = new();
        using CountdownEvent begun = new(2);
        _driver.Compiling = name =>
        {
            if (name is not ("Attention.ptx" or "GemmTf32x3.ptx")) return;
            begun.Signal();
            Assert.True(go.Wait(s_patience));
        };
        device.Preload(["Attention", "GemmTf32x3"]);
        Assert.True(begun.Wait(s_patience));
        using Tensor tensor = device.Allocate(8);
        device.Fill(tensor, 1, 8);
        device.Synchronize();
        Assert.Contains("Rows.ptx", _driver.Compiled);
        go.Set();
        Assert.NotEmpty(device.LoadModule("Attention").Kernels);
        Assert.Equal(3, _driver.Compiled.Length);
    }

    /// <summary>A file that its user has made meanwhile is not compiled a second time when its turn comes.</summary>
    [Fact]
    public void What_is_loaded_before_its_turn_is_compiled_once()
    {
        using ManualResetEventSlim go = new();
        using (CudaDevice device = new(_driver, 0))
        {
            string[] slow = [.. CudaDevice.ModuleFiles.Where(f => f != "Rows")];
            _driver.Compiling = name =>
            {
                if (name != "Rows.ptx") Assert.True(go.Wait(s_patience));
            };
            device.Preload([.. slow, "Rows"]);
            device.LoadModule("Rows");
            go.Set();
            foreach (string file in slow) device.LoadModule(file);
        }
        Assert.Equal(CudaDevice.ModuleFiles.Count, _driver.Compiled.Length);
    }

    [Fact]
    public void A_failure_is_told_at_the_first_use_with_the_log_and_tried_again()
    {
        using CudaDevice device = new(_driver, 0);
        using CountdownEvent failed = new(1);
        _driver.Compiling = _ =>
        {
            if (!failed.IsSet) failed.Signal();
            throw new CudaException("cuLinkAddData_v2", CudaResult.InvalidPtx, "Rows.ptx: ptxas error : line 3");
        };
        device.Preload(["Rows"]);
        Assert.True(failed.Wait(s_patience));
        using Tensor tensor = device.Allocate(8);
        var e = Assert.Throws<DeviceException>(() => device.Fill(tensor, 1, 8));
        Assert.StartsWith("cuda:0: the kernel fill could not be loaded: cuLinkAddData_v2", e.Message, StringComparison.Ordinal);
        Assert.EndsWith("Rows.ptx: ptxas error : line 3", e.Message, StringComparison.Ordinal);
        Assert.Equal("a newer NVIDIA driver", e.Advice);
        Assert.False(device.HasFailed);
        _driver.Compiling = null;
        device.Fill(tensor, 1, 8);
    }

    [Fact]
    public void A_context_that_no_thread_can_enter_is_told_at_the_first_use()
    {
        using CudaDevice device = new(_driver, 0);
        _driver.Fault = (call, _) => call == "MakeCurrent" ? CudaResult.InvalidContext : null;
        device.Preload(["Rows", "Gemm"]);
        using Tensor tensor = device.Allocate(8);
        device.Fill(tensor, 1, 8);
        _driver.Fault = null;
    }

    [Fact]
    public async Task Disposal_waits_for_the_compiler_and_begins_nothing_more()
    {
        CudaDevice device = new(_driver, 0);
        using ManualResetEventSlim go = new(), begun = new();
        _driver.Compiling = _ =>
        {
            begun.Set();
            Assert.True(go.Wait(s_patience));
        };
        device.Preload(CudaDevice.ModuleFiles);
        Assert.True(begun.Wait(s_patience));
        Task closed = Task.Run(device.Dispose);
        while (!IsClosed(device)) await Task.Delay(1);
        Assert.NotSame(closed, await Task.WhenAny(closed, Task.Delay(300)));
        int before = _driver.Compiled.Length;
        go.Set();
        await closed.WaitAsync(s_patience);
        Assert.Equal(before, _driver.Compiled.Length);
        Assert.InRange(before, 1, 8);
        Assert.Empty(_driver.Live);
    }

    private static bool IsClosed(CudaDevice device)
    {
        try
        {
            device.Synchronize();
            return false;
        }
        catch (ObjectDisposedException)
        {
            return true;
        }
    }
}
