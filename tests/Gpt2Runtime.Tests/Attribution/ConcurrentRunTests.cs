using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Kernels;
using Gradpath.Kernels.Cpu;

namespace Gradpath.Gpt2Runtime.Tests.Attribution;

/// <summary>A device takes one run at a time; two devices run side by side.</summary>
public sealed class ConcurrentRunTests
{
    private static readonly Gpt2Config s_config = new()
    {
        Layers = 2,
        Heads = 2,
        Width = 12,
        InnerWidth = 20,
        Positions = 8,
        Vocabulary = 17
    };
    private static readonly PromptSet s_prompts = PromptSet.Of(
        [new([1, 2, 3, 4], [1, 5, 3, 4], [6], [7]), new([2, 2, 9, 4], [2, 5, 9, 4], [8], [3])]);
    private static readonly AttributionOptions s_options = new() { Method = AttributionMethods.EapIg, BatchSize = 1 };

    /// <summary>The first run is stopped in its middle until the second thread has tried everything that computes.</summary>
    [Fact]
    public void The_second_thread_on_a_device_gets_an_error_and_the_first_ones_scores_are_right()
    {
        using CpuDevice device = new(1);
        using Gpt2Weights model = Model(device);
        float[] expected = EdgeAttribution.Score(model, s_prompts, s_options).Values.ToArray();
        EdgeScores given = new(new ComputationGraph(s_config), expected);
        Circuit circuit = CircuitPruning.Prune(CircuitSelection.TopEdges(given, 12));
        using ManualResetEventSlim inside = new(), tried = new();
        Pause pause = new(inside, tried);
        float[]? scores = null;
        Thread first = new(() => scores = EdgeAttribution.Score(model, s_prompts, s_options, pause).Values.ToArray());
        first.Start();
        inside.Wait();
        try
        {
            foreach (Action run in (Action[])[
                () => EdgeAttribution.Score(model, s_prompts, s_options),
                () => CircuitEvaluation.Evaluate(model, s_prompts, [], new EvaluationOptions()),
                () => SparsityCurves.Measure(model, s_prompts, [given], new SparsityOptions()),
                () => Completeness.Measure(model, s_prompts, circuit, new KnockoutOptions()),
                () => Minimality.Measure(model, s_prompts, circuit, new KnockoutOptions()),
                () => CircuitTests.Run(model, s_prompts, circuit, new CircuitTestOptions()),
                () => CircuitSearches.Acdc.Search(model, s_prompts, new AcdcOptions()),
                () => CircuitSearches.EdgePruning.Search(model, s_prompts, new EdgePruningOptions { Steps = 12 }),
                () => CircuitSearches.PathTracing.Search(model, s_prompts, new PathTracingOptions()),
                () => Model(device).Dispose()])
            {
                var e = Assert.Throws<InvalidOperationException>(run);
                Assert.Contains("in use by a run of another thread", e.Message, StringComparison.Ordinal);
            }
        }
        finally
        {
            tried.Set();
            first.Join();
        }
        Assert.Equal(expected, scores);
        Assert.Equal(expected, EdgeAttribution.Score(model, s_prompts, s_options).Values.ToArray());
    }

    [Fact]
    public void Two_devices_run_side_by_side()
    {
        float[]?[] scores = new float[]?[2];
        using ManualResetEventSlim inside = new(), done = new();
        Thread[] threads = [.. Enumerable.Range(0, 2).Select(i => new Thread(() =>
        {
            using CpuDevice device = new(1);
            using Gpt2Weights model = Model(device);
            if (i == 1) inside.Wait();
            scores[i] = EdgeAttribution.Score(model, s_prompts, s_options, i == 0 ? new Pause(inside, done) : null).Values.ToArray();
            if (i == 1) done.Set();
        }))];
        foreach (Thread thread in threads) thread.Start();
        foreach (Thread thread in threads) thread.Join();
        using CpuDevice alone = new(1);
        using Gpt2Weights plain = Model(alone);
        float[] expected = EdgeAttribution.Score(plain, s_prompts, s_options).Values.ToArray();
        Assert.All(scores, s => Assert.Equal(expected, s));
    }

    private static Gpt2Weights Model(Device device) => RandomGpt2Weights.Create(s_config, 3, device, scale: 0.4f);

    // Says that a run has begun and lets it go on when it may.
    private sealed class Pause(ManualResetEventSlim inside, ManualResetEventSlim goOn) : IProgress<RunProgress>
    {
        public void Report(RunProgress value)
        {
            inside.Set();
            goOn.Wait();
        }
    }
}
