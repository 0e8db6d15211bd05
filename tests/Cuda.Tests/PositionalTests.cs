using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Positions;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Kernels.Cpu;
using Xunit.Abstractions;

namespace Gradpath.Cuda.Tests;

/// <summary>
/// Edges between spans on the emulated GPU, checked for races, against the processor; and their memory at GPT-2 small's shape.
/// </summary>
public sealed class PositionalTests(ITestOutputHelper output)
{
    private const double Rounding = 1e-4;

    [Theory]
    [InlineData("eap")]
    [InlineData("eap-ig")]
    [InlineData("eap-gp")]
    [InlineData("gim")]
    public void Scores_and_circuits_agree_with_the_processor(string name)
    {
        AttributionOptions options = TinyRuns.Options(AttributionMethods.Find(name), 2) with
        {
            Positions = PositionMode.Spans,
            BatchSize = 2,
        };
        // Batches of one shape and other spans: what is recorded with the first must read those of the second.
        PromptPair[] pairs = [.. TinyRuns.Pairs(5, 5, 5, 5, 6).Select((p, i) => p with
        {
            Spans = [new("a", 0, 1), new("b", 1, i < 2 ? 2 : 4), new("end", p.Length - 1, p.Length)],
        })];
        using CpuDevice cpu = new(1);
        using Gpt2Weights expected = TinyRuns.Model(cpu);
        using EmulatedGpu gpu = new(races: true);
        using (Gpt2Weights model = TinyRuns.Model(gpu.Device))
        {
            PositionalScores wanted = TinyRuns.Score(expected, options, pairs).Positional!;
            PositionalScores got = TinyRuns.Score(model, options, pairs).Positional!;
            Agree(Array.ConvertAll(wanted.Values.ToArray(), v => (double)v), Array.ConvertAll(got.Values.ToArray(), v => (double)v));
            PositionalCircuit[] circuits =
                [.. ((int[])[3, 40, 150]).Select(n => PositionalSelection.TopEdges(wanted, Math.Min(n, wanted.Graph.EdgeCount - 1)))];
            Agree(Evaluate(expected, pairs, circuits, Ablation.Patching), Evaluate(model, pairs, circuits, Ablation.Patching));
            Agree(Evaluate(expected, pairs, circuits, Ablation.Zero), Evaluate(model, pairs, circuits, Ablation.Zero));
        }
        gpu.Device.Dispose();
        Assert.Empty(gpu.Driver.Live);
    }

    [Theory]
    [InlineData("eap")]
    [InlineData("eap-ig")]
    [InlineData("eap-gp")]
    public void Eight_spans_of_GPT2_small_fit_into_a_gibibyte(string name)
    {
        using SmallRun run = new();
        PromptSet prompts = PromptSet.Of([.. run.Prompts.Pairs.Take(4).Select(p => p with
        {
            Corrupted = [(p.Clean[0] + 1) % SmallRun.Config.Vocabulary, .. p.Corrupted[1..]],
            Spans = [.. Enumerable.Range(0, 8).Select(s => new TokenSpan($"s{s}", 2 * s, 2 * (s + 1)))],
        })]);
        AttributionOptions options = new()
        {
            Method = AttributionMethods.Find(name),
            Positions = PositionMode.Spans,
            BatchSize = 4,
        };
        AttributionResult result = EdgeAttribution.Run(run.Model, prompts, options);
        AttributionResult plain = EdgeAttribution.Run(run.Model, prompts, options with { Positions = null });
        Assert.Equal(8, result.Positional!.Graph.Spans.Count);
        static double MiB(long bytes) => Math.Round(bytes / 1048576.0, 1);
        output.WriteLine($"{name}: {result.Positional.Graph.EdgeCount} edges between spans, peak {MiB(result.PeakDeviceBytes)} MiB "
            + $"(weights included), {MiB(result.Plan.PlannedBytes)} MiB of workspace; plain {MiB(plain.PeakDeviceBytes)} MiB");
        Assert.InRange(result.PeakDeviceBytes, plain.PeakDeviceBytes, 1L << 30);
    }

    private static double[] Evaluate(Gpt2Weights model, PromptPair[] pairs, PositionalCircuit[] circuits, Ablation ablation)
    {
        EvaluationResult result = PositionalEvaluation.Evaluate(
            model, PromptSet.Of(pairs), circuits, new EvaluationOptions { Ablation = ablation, BatchSize = 2 });
        CircuitOutcome[] outcomes = [result.Full, result.Empty, .. result.Circuits];
        return [.. outcomes.SelectMany(o => o.Metric), .. outcomes.SelectMany(o => o.Kl)];
    }

    private static void Agree(double[] expected, double[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        double largest = expected.Max(Math.Abs);
        for (int i = 0; i < expected.Length; i++) Assert.Equal(expected[i], actual[i], (Rounding * largest) + 1e-6);
    }
}
