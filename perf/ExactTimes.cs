using System.Diagnostics;
using System.Globalization;
using CommandLine;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Model;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Gpt2Runtime.Tokenization;
using Gradpath.Kernels;
using Gradpath.Kernels.Cpu;
using Gradpath.Programs;
using Gradpath.Programs.Reporting;

namespace Gradpath.Perf;

/// <summary>The options of <c>perf exact</c>: none.</summary>
[Verb("exact", HelpText = "Exact patching of every edge of the demo model against one pass per edge.")]
internal sealed class ExactTimesOptions : CommandOptions
{
}

/// <summary>
/// Exact patching of every edge of the demo model, against the loop that it replaces: one whole forward pass per edge, one after the other.
/// In processor time on one thread.
/// </summary>
internal static class ExactTimes
{
    /// <summary>Runs the comparison.</summary>
    public static CommandReport Run()
    {
        string directory = ModelLocator.Resolve("demo");
        using var device = new CpuDevice(1);
        using Gpt2Checkpoint checkpoint = Gpt2Checkpoint.Open(directory);
        using Gpt2Weights weights = checkpoint.LoadWeights(device);
        PromptSet prompts = PromptLoader.Load("ioi", null, BpeTokenizer.Load(directory), new PromptOptions { Limit = 20 });
        var graph = new ComputationGraph(weights.Config);
        var options = new AttributionOptions { Method = AttributionMethods.Exact };
        EdgeAttribution.Score(weights, prompts, options);
        double start = ProcessorSeconds();
        EdgeAttribution.Score(weights, prompts, options);
        double ours = ProcessorSeconds() - start;
        double loop = LoopSeconds(weights, graph, [.. prompts.Pairs.Select(p => p.Length)]);
        CommandReport report = new();
        report.Line(string.Create(
            CultureInfo.InvariantCulture,
            $"exact patching of {graph.EdgeCount} edges (and {graph.Writers} nodes), demo model, {prompts.Pairs.Count} pairs: {ours:F2} "
                + $"processor seconds; one forward pass per edge: {loop:F2} s; ratio {loop / ours:F1}"),
            ("edges", graph.EdgeCount), ("seconds", ours), ("loop_seconds", loop));
        return report;
    }

    private static double LoopSeconds(Gpt2Weights weights, ComputationGraph graph, int[] lengths)
    {
        using var shape = new PassShape(weights.Device, lengths, 1, answerOnly: false);
        using var activations = new Activations(weights.Config, weights.Device, PassCapacity.For(lengths, 1, false), keepWriters: false);
        using Tensor embeddings = weights.Device.Allocate(shape.Rows, weights.Config.Width);
        var forward = new ForwardPass(weights);
        double start = 0;
        for (int edge = -20; edge < graph.EdgeCount; edge++)
        {
            if (edge == 0) start = ProcessorSeconds();
            forward.Embed(shape, activations, embeddings);
            forward.Run(shape, activations);
        }
        return ProcessorSeconds() - start;
    }

    private static double ProcessorSeconds() => Process.GetCurrentProcess().TotalProcessorTime.TotalSeconds;
}
