using Gradpath.Cuda.Tests.Driver;
using Gradpath.Diagnostics.Ops;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Kernels;
using Gradpath.Kernels.Cpu;
using Gradpath.Kernels.Cuda;
using Gradpath.PtxEmulator;

namespace Gradpath.Cuda.Tests;

/// <summary>
/// The device on a GPU that does nothing before it is waited for and meets host memory as it is then: the bits are those of a GPU that does
/// everything at once, and a fault shows where the device waits.
/// </summary>
public sealed class DeferredTests
{
    public static TheoryData<string> Methods => [.. AttributionMethods.All.Select(m => m.Name)];

    public static TheoryData<string> Works =>
    [
        "edge pruning", "edge pruning, node masks, mean", "HAP", "ACDC, KL", "path patching", "evaluation, mean", "completeness",
    ];

    public static TheoryData<string> Ops => [.. OpCatalog.Checks.Select(c => c.Op)];

    [Theory]
    [MemberData(nameof(Methods))]
    public void Scores_have_the_same_bits(string name)
    {
        AttributionOptions options = TinyRuns.Options(AttributionMethods.Find(name), 2) with { BatchSize = 2 };
        PromptPair[] pairs = TinyRuns.Pairs(3, 3, 3, 3, 3, 3, 5);
        AttributionResult wanted = Run(deferred: false, m => TinyRuns.Score(m, options, pairs));
        AttributionResult got = Run(deferred: true, m => TinyRuns.Score(m, options, pairs));
        Assert.Equal(wanted.Edges(), got.Edges());
        Assert.Equal(wanted.CleanMetric.AsSpan(), got.CleanMetric.AsSpan());
        Assert.Equal(wanted.CorruptedMetric.AsSpan(), got.CorruptedMetric.AsSpan());
    }

    [Theory]
    [MemberData(nameof(Works))]
    public void Circuits_have_the_same_bits(string work)
    {
        PromptPair[] pairs = TinyRuns.Pairs(4, 4, 4);
        Findings wanted = Run(deferred: false, m => DiscoveryRuns.All[work](m, pairs));
        Findings got = Run(deferred: true, m => DiscoveryRuns.All[work](m, pairs));
        Assert.Equal(wanted.Values, got.Values);
        Assert.Equal(wanted.Decisions, got.Decisions);
    }

    [Theory]
    [InlineData(Ablation.Patching)]
    [InlineData(Ablation.MeanPositional)]
    public void Evaluations_have_the_same_bits(Ablation ablation)
    {
        PromptPair[] pairs = TinyRuns.Pairs(4, 4, 4);
        EvaluationOptions options = new() { Ablation = ablation };
        Assert.Equal(
            Run(deferred: false, m => TinyRuns.Evaluate(m, options, pairs)),
            Run(deferred: true, m => TinyRuns.Evaluate(m, options, pairs)));
    }

    [Theory]
    [MemberData(nameof(Ops))]
    public void Every_op_agrees_with_the_processor(string op)
    {
        using CpuDevice reference = new(1);
        using var driver = new EmulatedDriver(new EmulatorOptions { Deferred = true, Races = false, HostThreads = 1 });
        using CudaDevice device = new(driver, 0);
        OpOutcome outcome = OpComparison.Run(OpCatalog.Checks.Single(c => c.Op == op), reference, device, OpCatalog.Seeds(2, 0));
        Assert.True(outcome.Passed, $"{outcome.Fault} (largest error {outcome.LargestError:G3}, allowed {outcome.Allowed:G3})");
    }

    /// <summary>Chunks of large host memory go through two page-locked buffers in turn: three and a half chunks, and then more.</summary>
    [Fact]
    public void Large_host_memory_arrives_whole()
    {
        const int count = (3 * 16 << 20 >> 2) + (2 << 20) + 3;
        using var driver = new EmulatedDriver(new EmulatorOptions { Deferred = true, Races = false });
        using var device = new CudaDevice(driver, 0);
        for (int turn = 1; turn <= 2; turn++)
        {
            float[] values = [.. Enumerable.Range(0, count).Select(i => (float)(i * turn))];
            using Tensor tensor = device.Receive([count], address => values.CopyTo(Span(address, count)));
            Assert.True(driver.Pending > 0, "the last chunks were waited for");
            Assert.True(values.AsSpan().SequenceEqual(tensor.ToArray()), "a chunk was written over before it was sent");
        }
    }

    /// <summary>Memory that is kept and given out again serves its next user on the stream behind its last one.</summary>
    [Fact]
    public void Memory_that_is_given_out_again_keeps_its_order()
    {
        using var driver = new EmulatedDriver(new EmulatorOptions { Deferred = true, Races = false });
        using var device = new CudaDevice(driver, 0);
        using Tensor sum = device.StoreTensor([0, 0, 0], 3);
        nint last = 0;
        for (int i = 1; i <= 4; i++)
        {
            using Tensor x = device.StoreTensor([i, 10 * i, 100 * i], 3);
            Assert.True(last == 0 || last == x.Address);
            last = x.Address;
            device.Combine(1, x, 1, sum, 3, sum);
        }
        Assert.True(driver.Pending > 0);
        Assert.Equal([10f, 100f, 1000f], sum.ToArray());
    }

    [Fact]
    public void A_fault_shows_where_the_device_waits()
    {
        using var driver = new EmulatedDriver(new EmulatorOptions { Deferred = true, Races = false });
        using var device = new CudaDevice(driver, 0);
        using Tensor x = device.StoreTensor([1, 2, 3], 3), y = device.Allocate(3);
        driver.FailNextLaunch = "relu";
        device.Activate(ActivationFunction.Relu, x, 3, y);
        device.Combine(1, y, 1, y, 3, y);
        DeviceException fault = Assert.Throws<DeviceException>(() => y.ToArray());
        Assert.Contains("work on the GPU failed", fault.Message, StringComparison.Ordinal);
        Assert.Contains("relu", fault.Message, StringComparison.Ordinal);
        Assert.True(device.HasFailed);
    }

    // Memory holds something from the start, so that only the order of work can make a difference.
    private static T Run<T>(bool deferred, Func<Gpt2Weights, T> work)
    {
        using var emulator = new EmulatedDriver(new EmulatorOptions { Deferred = deferred, Races = false, HostThreads = 1 });
        var driver = new WatchedDriver(emulator) { ClearsMemory = true };
        T result;
        using (var device = new CudaDevice(driver, 0))
        using (Gpt2Weights model = TinyRuns.Model(device))
        {
            Assert.Equal(deferred, emulator.Pending > 0);
            result = work(model);
        }
        Assert.Empty(driver.Live);
        return result;
    }

    private static unsafe Span<float> Span(nint address, int count) => new((void*)address, count);
}
