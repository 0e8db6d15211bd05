using Gradpath.Cuda.Tests.Driver;
using Gradpath.Diagnostics.Ops;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Kernels.Cpu;
using Gradpath.Kernels.Cuda;
using Gradpath.PtxEmulator;
using Gradpath.PtxEmulator.Compile;
using Gradpath.PtxEmulator.Ptx;
using Gradpath.PtxEmulator.Survey;
using Xunit.Abstractions;

namespace Gradpath.Cuda.Tests;

/// <summary>
/// Every op and the methods on an emulated GPU whose assembler rounds a product together with its sum wherever it may: the bounds are those
/// of one that does not.
/// </summary>
public sealed class FusedTests(ITestOutputHelper output)
{
    private static readonly EmulatorOptions s_fused = new() { Fuse = true, Races = false, HostThreads = 1 };

    public static TheoryData<string> Ops => [.. OpCatalog.Checks.Select(c => c.Op)];

    public static TheoryData<string> Methods => [.. AttributionMethods.All.Select(m => m.Name)];

    [Theory]
    [MemberData(nameof(Ops))]
    public void The_gpu_agrees_with_the_processor(string op)
    {
        using CpuDevice reference = new(1);
        using var driver = new EmulatedDriver(s_fused);
        using CudaDevice device = new(driver, 0);
        OpOutcome outcome = OpComparison.Run(OpCatalog.Checks.Single(c => c.Op == op), reference, device, OpCatalog.Seeds(4, 0));
        Assert.True(outcome.Passed, $"{outcome.Fault} (largest error {outcome.LargestError:G3}, allowed {outcome.Allowed:G3})");
    }

    [Theory]
    [MemberData(nameof(Methods))]
    public void Scores_agree_with_the_processor(string name)
    {
        AttributionMethod method = AttributionMethods.Find(name);
        AttributionOptions options = TinyRuns.Options(method, 2);
        PromptPair[] pairs = TinyRuns.Pairs(3, 5, 3);
        using CpuDevice cpu = new(1);
        using var emulator = new EmulatedDriver(s_fused);
        var driver = new WatchedDriver(emulator) { ClearsMemory = true };
        using CudaDevice device = new(driver, 0);
        using Gpt2Weights expected = TinyRuns.Model(cpu), model = TinyRuns.Model(device);
        AttributionResult wanted = TinyRuns.Score(expected, options, pairs), got = TinyRuns.Score(model, options, pairs);
        float[] from = wanted.Edges(), to = got.Edges();
        float largest = from.Max(Math.Abs);
        double allowed = (EngineModels.Allowed(method, 1e-4, wanted.Scores.Graph.EdgeCount) * largest) + 1e-6;
        for (int i = 0; i < from.Length; i++) Assert.InRange(to[i], from[i] - allowed, from[i] + allowed);
    }

    /// <summary>The mode does something to the kernels that are shipped.</summary>
    [Fact]
    public void Some_kernels_have_sums_that_may_be_contracted()
    {
        int all = 0;
        foreach (string file in KernelSurvey.Files)
        {
            using var ptx = new StreamReader(typeof(CudaDevice).Assembly.GetManifestResourceStream(file)!);
            foreach (PtxKernel kernel in PtxParser.Parse(ptx.ReadToEnd()).Kernels)
            {
                int sums = Contraction.Apply(kernel);
                if (sums > 0) output.WriteLine($"{file} {kernel.Name}: {sums}");
                all += sums;
            }
        }
        Assert.InRange(all, 1, int.MaxValue);
    }
}
