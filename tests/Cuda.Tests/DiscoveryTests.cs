using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Kernels;
using Gradpath.Kernels.Cpu;
using Gradpath.Kernels.Cuda;

namespace Gradpath.Cuda.Tests;

/// <summary>
/// Circuit discovery on the emulated GPU: what the processor finds, the circuits that are known, and nothing left behind where a call
/// fails.
/// </summary>
public sealed class DiscoveryTests
{
    public static TheoryData<string> Works => [.. DiscoveryRuns.All.Keys];

    public static TheoryData<string, string, int> Failures
    {
        get
        {
            TheoryData<string, string, int> failures = [];
            foreach (string work in new[] { "path patching", "ACDC, KL", "edge pruning", "HAP", "evaluation, zero", "completeness" })
            {
                failures.Add(work, "Allocate", (int)Kernels.Cuda.Driver.CudaResult.OutOfMemory);
                failures.Add(work, "Launch", 719);
            }
            return failures;
        }
    }

    [Theory]
    [MemberData(nameof(Works))]
    public void The_gpu_finds_what_the_processor_finds(string work)
    {
        PromptPair[] pairs = TinyRuns.Pairs(4, 4, 4);
        using CpuDevice cpu = new(1);
        using Gpt2Weights expected = TinyRuns.Model(cpu);
        Findings wanted = DiscoveryRuns.All[work](expected, pairs);
        using EmulatedGpu gpu = new();
        using (Gpt2Weights model = TinyRuns.Model(gpu.Device))
        {
            long weights = gpu.Device.AllocatedBytes;
            Findings got = DiscoveryRuns.All[work](model, pairs);
            Assert.Equal(wanted.Decisions, got.Decisions);
            Assert.Equal(wanted.Values.Length, got.Values.Length);
            Assert.NotEmpty(wanted.Values);
            double largest = wanted.Values.Max(Math.Abs);
            Assert.InRange(largest, 1e-3, 100);
            for (int i = 0; i < wanted.Values.Length; i++) Assert.Equal(wanted.Values[i], got.Values[i], 1e-4 * Math.Max(1, largest));
            Assert.Equal(weights + gpu.Device.OwnScratchBytes, gpu.Device.AllocatedBytes);
        }
        gpu.Device.Dispose();
        Assert.Empty(gpu.Driver.Live);
    }

    /// <summary>Steps of edge pruning that are recorded and launched again give the bits of steps that run directly.</summary>
    [Fact]
    public void Recorded_steps_of_edge_pruning_give_the_same_bits()
    {
        PromptPair[] pairs = TinyRuns.Pairs(4, 4, 4);
        Findings[] found = [.. ((bool[])[false, true]).Select(graphs =>
        {
            using EmulatedGpu gpu = new(new CudaOptions { CacheMemory = false, Graphs = graphs });
            using Gpt2Weights model = TinyRuns.Model(gpu.Device);
            Findings findings = DiscoveryRuns.All["edge pruning, node masks, mean"](model, pairs);

            // Of each batch's turns the first is direct.
            Assert.Equal(graphs, gpu.Device.ReplayedPasses >= 10);
            return findings;
        })];
        Assert.Equal(found[0].Values, found[1].Values);
        Assert.Equal(found[0].Decisions, found[1].Decisions);
    }

    /// <summary>The masks of each step come from the same random numbers, so they agree from the first step to the last.</summary>
    [Fact]
    public void Masks_are_drawn_alike()
    {
        const int count = 3000;
        float[] logAlpha = [.. Enumerable.Range(0, count).Select(i => (i % 61 - 30) / 10f)];
        (float[] Z, float[] Slope) Draw(Device device, uint step)
        {
            using Tensor parameters = device.StoreTensor(logAlpha, count), z = device.Allocate(count), slope = device.Allocate(count);
            var host = new double[KernelConstants.MaskNumbers];
            host[KernelConstants.MaskStep] = step;
            using DeviceArray<double> numbers = device.Store<double>(host);
            device.SampleHardConcrete(parameters, count, 0xfedc_ba98_7654_3210, numbers, z, slope);
            return (z.ToArray(), slope.ToArray());
        }
        using CpuDevice cpu = new(1);
        using EmulatedGpu gpu = new();
        foreach (uint step in new uint[] { 0, 1, 2999 })
        {
            (float[] z, float[] slope) = Draw(cpu, step);
            (float[] gpuZ, float[] gpuSlope) = Draw(gpu.Device, step);
            for (int i = 0; i < count; i++)
            {
                Assert.Equal(z[i], gpuZ[i], 2e-6f);
                Assert.Equal(slope[i], gpuSlope[i], 2e-6f);
                Assert.Equal((z[i] == 0, z[i] == 1), (gpuZ[i] == 0, gpuZ[i] == 1));
            }
            Assert.Contains(z, v => v is > 0 and < 1);
        }
    }

    [Theory]
    [InlineData("induction", "kl")]
    [InlineData("backup", "kl")]
    [InlineData("negative", "logit-diff")]
    public void Acdc_finds_the_known_circuits(string name, string objectiveName)
    {
        Metric objective = BuiltInMetrics.Find(objectiveName);
        KnownCircuit known = KnownCircuits.Make(name);
        using EmulatedGpu gpu = new(new CudaOptions());
        using Gpt2Weights model = EngineModels.Weights(known.Model, gpu.Device);
        bool kl = objective == BuiltInMetrics.KlDivergence;
        AcdcOptions options = new() { Metric = objective, Absolute = !kl };
        AcdcResult result = AcdcSweep.Search(model, PromptSet.Of(known.Pairs[..2]), [kl ? 0.01 : 0.1 * HandSetModel.LogitScale],
            options)[0];
        Assert.Equal(DiscoveryRuns.Names(known.Circuit()), DiscoveryRuns.Names(result.Circuit));
    }

    // Of "backup" so short a run may find the other circuit that does the task.
    [SkippableTheory]
    [InlineData("negative")]
    [InlineData("induction")]
    public void Edge_pruning_finds_known_circuits(string name)
    {
        Skip.IfNot(
            Environment.GetEnvironmentVariable("GRADPATH_LONG_TESTS") == "1",
            "takes a minute on an emulated GPU; GRADPATH_LONG_TESTS=1 runs it");
        KnownCircuit known = KnownCircuits.Make(name);
        using EmulatedGpu gpu = new(new CudaOptions());
        using Gpt2Weights model = EngineModels.Weights(known.Model, gpu.Device);
        double sparsity = 1 - (known.Circuit().EdgeCount / (double)known.Graph.EdgeCount);
        EdgePruningResult result = CircuitSearches.EdgePruning.Search(
            model, PromptSet.Of(known.Pairs[..3]), new EdgePruningOptions { Sparsity = sparsity, Steps = 150 });
        Assert.Equal(DiscoveryRuns.Names(known.Circuit()), DiscoveryRuns.Names(result.Circuit));
    }

    [Theory]
    [MemberData(nameof(Failures))]
    public void Failures_leave_nothing_behind(string work, string call, int code)
    {
        PromptPair[] pairs = TinyRuns.Pairs(4, 4);
        int calls = 0;
        const int samples = 4;
        for (int sample = -1; sample < samples; sample++)
        {
            using EmulatedGpu gpu = new();
            using (Gpt2Weights model = TinyRuns.Model(gpu.Device))
            {
                long weights = gpu.Device.AllocatedBytes;
                gpu.Driver.Reset();
                if (sample < 0)
                {
                    DiscoveryRuns.All[work](model, pairs);
                    calls = gpu.Driver.Calls(call);
                    continue;
                }
                Assert.True(calls > 0, "never called");
                int failing = (int)((sample + 0.5) * calls / samples);
                gpu.Driver.Fault = (name, count) => name == call && count >= failing ? (Kernels.Cuda.Driver.CudaResult)code : null;
                var e = Assert.Throws<DeviceException>(() => DiscoveryRuns.All[work](model, pairs));
                Assert.StartsWith("cuda:0", e.Message, StringComparison.Ordinal);
                Assert.Contains(call == "Allocate" ? "has no room for" : "the kernel ", e.Message, StringComparison.Ordinal);
                gpu.Driver.Fault = null;
                long left = gpu.Device.AllocatedBytes - weights - gpu.Device.OwnScratchBytes;
                Assert.True(left == 0, $"{left} bytes are left after call {failing} of {calls} of {call}");
            }
            gpu.Device.Dispose();
            Assert.Empty(gpu.Driver.Live);
        }
    }
}
