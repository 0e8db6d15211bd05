using System.Runtime.InteropServices;
using Gradpath.Cuda.Tests.Driver;
using Gradpath.Diagnostics.Ops;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Kernels;
using Gradpath.Kernels.Cpu;
using Gradpath.Kernels.Cuda;
using Gradpath.PtxEmulator;

namespace Gradpath.Cuda.Tests;

/// <summary>
/// The device with cuBLAS, for which a library of our own stands in: every kind of product against the processor's, recorded passes, and a
/// whole method whose kernels the emulator runs.
/// </summary>
public sealed unsafe class CublasDeviceTests : IDisposable
{
    private readonly string? _path;
    private readonly string _reason;
    private readonly nint _library;
    private readonly WatchedDriver _driver = new(new HostDriver());

    public CublasDeviceTests()
    {
        _path = CompiledC.Build("fakeblas.c", out _reason);
        if (_path is not null) _library = NativeLibrary.Load(_path);
    }

    public static TheoryData<string> Products =>
        [.. OpCatalog.All.Single(o => o.Name == "Gemm").Cases.Select(c => c.Check("Gemm", "Gemm").Op)];

    private CudaOptions Options => new() { UseCublas = true, CublasNames = [_path!] };

    private int Count => ((delegate* unmanaged<int, int>)NativeLibrary.GetExport(_library, "fakeState"))(6);

    public void Dispose()
    {
        if (_path is null) return;
        NativeLibrary.Free(_library);
        Directory.Delete(Path.GetDirectoryName(_path)!, recursive: true);
    }

    [SkippableTheory]
    [MemberData(nameof(Products))]
    public void Products_agree_with_the_processor(string op)
    {
        Skip.If(_path is null, _reason);
        using (CpuDevice reference = new(1))
        using (CudaDevice device = new(_driver, 0, Options))
        {
            Assert.Equal(MatrixProvider.Cublas, device.Multiplier);
            OpCheck check = OpCatalog.Checks.Single(c => c.Op == op);
            OpOutcome outcome = OpComparison.Run(check, reference, device, OpCatalog.Seeds(20, 4));
            Assert.True(outcome.Passed, $"{outcome.Fault} (largest error {outcome.LargestError:G3}, allowed {check.Allowed:G3})");
            Assert.InRange(Count, 48, 200);
            Assert.Equal(0, _driver.Calls("Launch"));
        }
        Assert.Empty(_driver.Live);
    }

    /// <summary>The stand-in works at once even in a recording, so it is counted what a pass asks of it and when.</summary>
    [SkippableFact]
    public void A_recorded_pass_asks_for_its_products_once_more_and_again_when_the_bias_has_moved()
    {
        Skip.If(_path is null, _reason);
        using (CudaDevice device = new(_driver, 0, Options))
        using (RecordedPass slot = new() { Repeats = true })
        {
            using Tensor x = device.Allocate(6, 6);
            using Tensor y = device.Allocate(6, 6);
            using Tensor bias = device.Allocate(6);
            using Tensor tall = device.Allocate(100, 6);
            using Tensor product = device.Allocate(100, 6);
            void Pass() => device.Replay(slot, 0, _ => device.Gemm(x.AsMatrix(), x.AsMatrix(), y.AsMatrix(), new GemmOptions(Bias: bias)));
            for (int i = 0; i < 4; i++) Pass();
            Assert.Equal((4, 1, 3), (Count, _driver.Calls("BeginCapture"), _driver.Calls("LaunchGraph")));

            // More rows need more ones; what is recorded points to those that are gone.
            device.Gemm(tall.AsMatrix(), x.AsMatrix(), product.AsMatrix(), new GemmOptions(Bias: bias));
            for (int i = 0; i < 3; i++) Pass();
            Assert.Equal((10, 2, 5), (Count, _driver.Calls("BeginCapture"), _driver.Calls("LaunchGraph")));
        }
        Assert.Empty(_driver.Live);
    }

    [SkippableFact]
    public void A_method_with_its_products_by_cublas_gives_what_the_processor_gives()
    {
        Skip.If(_path is null, _reason);
        AttributionOptions options = new() { Method = AttributionMethods.EapIg, Steps = 2 };
        PromptPair[] pairs = TinyRuns.Pairs(3, 5, 3);
        using CpuDevice cpu = new(1);
        using Gpt2Weights expected = TinyRuns.Model(cpu);
        float[] wanted = TinyRuns.Score(expected, options, pairs).Edges();

        // The emulator does not see what the library writes, so nothing may count as unwritten; and a recording would lack the products.
        using EmulatedDriver emulator = new(new EmulatorOptions { Races = false, HostThreads = 1 });
        WatchedDriver driver = new(emulator) { ClearsMemory = true };
        using (CudaDevice device = new(driver, 0, Options with { Graphs = false, CacheMemory = false }))
        {
            ((delegate* unmanaged<nint, void>)NativeLibrary.GetExport(_library, "fakeHost"))(emulator.DistanceToHost);
            using Gpt2Weights model = TinyRuns.Model(device);
            float[] got = TinyRuns.Score(model, options, pairs).Edges();
            double largest = wanted.Max(Math.Abs);
            for (int i = 0; i < wanted.Length; i++) Assert.Equal(wanted[i], got[i], 1e-4 * largest);
            Assert.InRange(Count, 20, 500);
            Assert.DoesNotContain(emulator.Statistics.Keys, k => k.StartsWith("gemm", StringComparison.Ordinal));
        }
        Assert.Empty(driver.Live);
    }
}
