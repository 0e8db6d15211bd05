using System.Diagnostics;
using CommandLine;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Model;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Gpt2Runtime.Tokenization;
using Gradpath.Kernels;
using Gradpath.Kernels.Cpu;
using Gradpath.Programs;
using Gradpath.Programs.Reporting;

namespace Gradpath.Perf;

/// <summary>The options of <c>perf acdc</c>.</summary>
[Verb("acdc", HelpText = "ACDC on the demo model against one whole pass per edge.")]
internal sealed class AcdcTimesOptions : CommandOptions
{
    [Option("candidates", MetaValue = "N", HelpText = "Candidate edges tried at once (default: as many as seem to pay).")]
    [Range(1, 100_000)]
    public int? Candidates { get; set; }
}

/// <summary>
/// ACDC on the demo model, against the naive loop: for every edge tested one whole patched pass from the input on, one after the other.
/// </summary>
internal static class AcdcTimes
{
    private static readonly double[] s_thresholds = [0.001, 0.01, 0.1];

    /// <summary>Runs the comparison.</summary>
    /// <param name="o">The options.</param>
    public static CommandReport Run(AcdcTimesOptions o)
    {
        string directory = ModelLocator.Resolve("demo");
        using var device = new CpuDevice(1);
        using Gpt2Checkpoint checkpoint = Gpt2Checkpoint.Open(directory);
        using Gpt2Weights weights = checkpoint.LoadWeights(device);
        PromptSet prompts = PromptLoader.Load("ioi", null, BpeTokenizer.Load(directory), new PromptOptions { Limit = 20 });
        var options = new AcdcOptions { Candidates = o.Candidates ?? 0 };
        CommandReport report = new() { Markdown = true };
        report.Line($"ACDC, KL, demo model, ioi, {prompts.Pairs.Count} pairs; {device.Description}",
            ("pairs", prompts.Pairs.Count), ("device", device.Description));
        List<(double Tau, AcdcResult Result, double Ours, double Naive)> rows = [];
        foreach (double tau in s_thresholds)
        {
            // The two take turns, best of three each, on one thread and in processor time: other work on the machine makes both a little
            // slower.
            double ours = double.MaxValue, naive = double.MaxValue;
            AcdcResult result = CircuitSearches.Acdc.Search(weights, prompts, options with { Threshold = tau });
            for (int round = 0; round < 3; round++)
            {
                double start = ProcessorSeconds();
                result = CircuitSearches.Acdc.Search(weights, prompts, options with { Threshold = tau });
                ours = Math.Min(ours, ProcessorSeconds() - start);
                naive = Math.Min(naive, NaiveSeconds(weights, prompts.Pairs, result));
            }
            rows.Add((tau, result, ours, naive));
        }
        report.Table(ReportTable.Of("thresholds", rows)
            .Column("tau", "tau", r => r.Tau, r => Text($"{r.Tau}"))
            .Column("edges kept", "edges", r => r.Result.Circuit.EdgeCount, r => Text($"{r.Result.Circuit.EdgeCount}"))
            .Column("edges tested", "tested", r => r.Result.Effort.Tested, r => Text($"{r.Result.Effort.Tested}"))
            .Column("candidates run", "runs", r => r.Result.Effort.Runs, r => Text($"{r.Result.Effort.Runs}"))
            .Column("forward passes", "passes", r => r.Result.Effort.Passes(weights.Config.Layers),
                r => Text($"{r.Result.Effort.Passes(weights.Config.Layers):F1}"))
            .Column("processor seconds", "seconds", r => r.Ours, r => Text($"{r.Ours:F2}"))
            .Shows("naive passes", r => Text($"{r.Result.Effort.Tested}"))
            .Column("naive processor seconds", "naive_seconds", r => r.Naive, r => Text($"{r.Naive:F2}"))
            .Column("ratio", "ratio_to_naive", r => r.Naive / r.Ours, r => Text($"{r.Naive / r.Ours:F1}")));
        return report;
    }

    private static string Text(FormattableString text) => FormattableString.Invariant(text);

    // The same circuits in the same order, as the search went through them.
    private static double NaiveSeconds(Gpt2Weights weights, IReadOnlyList<PromptPair> pairs, AcdcResult result)
    {
        Device device = weights.Device;
        Gpt2Config config = weights.Config;
        var graph = new ComputationGraph(config);
        int[] lengths = [.. pairs.Select(p => p.Length)];
        var capacity = PassCapacity.For(lengths, 1, false);
        using var one = new PassShape(device, lengths, 1, answerOnly: false);
        using var activations = new Activations(config, device, capacity, keepWriters: true);
        using var patched = new PatchedForwardPass(weights, capacity, 1, continues: false);
        using var target = new WriterOutputs(config, device, capacity);
        using var head = new OutputHead(weights, BuiltInMetrics.KlDivergence, pairs.Count, pairs.Count);
        using Tensor clean = Embeddings(weights, [.. pairs.SelectMany(p => p.Clean)]);
        using Tensor corrupted = Embeddings(weights, [.. pairs.SelectMany(p => p.Corrupted)]);
        using Tensor answers = device.Allocate(pairs.Count, config.Width);
        var forward = new ForwardPass(weights);
        double start = ProcessorSeconds();
        forward.Embed(one, activations, corrupted);
        forward.Run(one, activations);
        target.Take(one, activations, corrupted, 0);
        patched.SetAblation(one, target.Target);
        forward.Embed(one, activations, clean);
        forward.Run(one, activations);
        head.SetItems(pairs);
        head.Evaluate(one, activations, 0);
        bool[] kept = new bool[graph.Writers * graph.Readers];
        foreach ((int row, int column) in graph.Edges) kept[(row * graph.Readers) + column] = true;
        foreach (AcdcStep step in result.Steps)
        {
            int index = (step.Row * graph.Readers) + step.Column;
            kept[index] = false;
            if (step.Decision == AcdcDecision.Dropped) continue;
            patched.Run(one, clean, [new PatchedCircuit(graph, kept)], false, answers);
            head.EvaluateRows(answers, pairs.Count);
            double objective = head.Values.Take(pairs.Count).Average();
            if (Math.Abs(objective - step.After) > 1e-4)
                throw new InvalidOperationException($"{graph.EdgeName(step.Row, step.Column)}: {objective}, not {step.After}");
            kept[index] = step.Decision == AcdcDecision.Kept;
        }
        return ProcessorSeconds() - start;
    }

    private static double ProcessorSeconds() => Process.GetCurrentProcess().TotalProcessorTime.TotalSeconds;

    private static Tensor Embeddings(Gpt2Weights weights, int[] tokens)
    {
        Tensor embeddings = weights.Device.Allocate(tokens.Length, weights.Config.Width);
        using DeviceArray<int> ids = weights.Device.Store<int>(tokens);
        weights.Device.GatherRows(weights.TokenEmbedding, ids, tokens.Length, weights.Config.Width, embeddings);
        return embeddings;
    }
}
