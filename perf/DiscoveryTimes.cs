using System.Diagnostics;
using System.Globalization;
using CommandLine;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Gpt2Runtime.Tokenization;
using Gradpath.Kernels.Cpu;
using Gradpath.Programs;
using Gradpath.Programs.Reporting;

namespace Gradpath.Perf;

/// <summary>The options of <c>perf discovery</c>.</summary>
[Verb("discovery", HelpText = "Edge pruning, its hybrid at three shares, and EAP on the demo model: KL and time.")]
internal sealed class DiscoveryTimesOptions : CommandOptions
{
    [Option("sparsity", MetaValue = "S", Default = 0.95, HelpText = "Share of all edges that the circuits lack.")]
    [Range(0, 1, AboveLeast = true, BelowMost = true)]
    public double Sparsity { get; set; } = 0.95;

    [Option("steps", MetaValue = "N", HelpText = "Training steps (default: those of edge pruning).")]
    [Range(1, 1_000_000)]
    public int? Steps { get; set; }

    [Option("seed", MetaValue = "N", Default = 0UL, HelpText = "Seed of the training.")]
    [Range(0, int.MaxValue)]
    public ulong Seed { get; set; }

    [Option("task", MetaValue = "TASK", Default = "ioi", HelpText = "The task.")]
    public string Task { get; set; } = "ioi";

    [Option("pairs", MetaValue = "N", Default = 100, HelpText = "Prompt pairs to train on.")]
    [Range(1, 10_000)]
    public int Pairs { get; set; } = 100;

    [Option("batch-size", MetaValue = "N", Default = 32, HelpText = "Pairs per step.")]
    [Range(1, 10_000)]
    public int BatchSize { get; set; } = 32;
}

/// <summary>
/// Edge pruning, its hybrid at three shares, and EAP at the same sparsity: KL on prompts that were not trained on, and time.
/// </summary>
internal static class DiscoveryTimes
{
    /// <summary>Runs the table.</summary>
    /// <param name="o">The options.</param>
    /// <param name="cancellation">Stops it.</param>
    public static CommandReport Run(DiscoveryTimesOptions o, CancellationToken cancellation)
    {
        (double sparsity, int steps, ulong seed, string task, int count, int batch) =
            (o.Sparsity, o.Steps ?? 0, o.Seed, o.Task, o.Pairs, o.BatchSize);
        using var device = new CpuDevice();
        using Gpt2Checkpoint checkpoint = Gpt2Checkpoint.Open(ModelLocator.Resolve("demo"));
        using Gpt2Weights weights = checkpoint.LoadWeights(device, cancellation: cancellation);
        var tokenizer = BpeTokenizer.Load(checkpoint.Directory);
        PromptSet train = Prompts(0, count), test = Prompts(1, 200);
        var graph = new ComputationGraph(weights.Config);
        CommandReport report = new() { Markdown = true };
        report.Line($"demo model, {task}, {count} pairs to train on, 200 to judge; {device.Description}",
            ("task", task), ("pairs", count), ("device", device.Description));
        List<(string Name, Circuit Circuit, double KlTrained, double Kl, int Steps, long Work, double Seconds)> rows = [];
        var watch = Stopwatch.StartNew();
        EdgeScores eap = EdgeAttribution.Score(
            weights, train, new AttributionOptions { Method = AttributionMethods.Eap }, null, cancellation);
        double scoring = watch.Elapsed.TotalSeconds;
        int kept = EdgePruning.CircuitSize(graph, sparsity);
        Row("eap, top n", CircuitSelection.TopEdges(eap, kept), 0, 0, scoring);
        Row("eap, greedy", CircuitSelection.Greedy(eap, kept), 0, 0, scoring);
        foreach (double share in new[] { 1, 0.5, 0.25, 0.1 })
        {
            if (share < 2 * (1 - sparsity) - 1e-9 && share < 1) continue;
            watch.Restart();
            EdgePruningOptions plain = new() { Sparsity = sparsity, Steps = steps, Seed = seed, BatchSize = batch };
            HybridPruningOptions hybrid = new()
            {
                Sparsity = sparsity,
                Steps = steps,
                Seed = seed,
                BatchSize = batch,
                Share = share,
                Scorer = new GivenScores(eap),
            };
            EdgePruningResult result = share < 1
                ? CircuitSearches.HybridPruning.Search(weights, train, hybrid, cancellation: cancellation)
                : CircuitSearches.EdgePruning.Search(weights, train, plain, cancellation: cancellation);
            double seconds = watch.Elapsed.TotalSeconds + (share < 1 ? scoring : 0);
            string name = share < 1 ? string.Create(CultureInfo.InvariantCulture, $"hap, {share}") : "edge pruning";
            Row(name, result.Circuit, result.Options.Steps, result.WorkPerRow, seconds);
        }
        report.Table(ReportTable.Of("circuits", rows)
            .Text("method", "method", r => r.Name)
            .Column("edges", "edges", r => r.Circuit.EdgeCount, r => Text($"{r.Circuit.EdgeCount}"))
            .Column("KL trained on", "kl_trained_on", r => r.KlTrained, r => Text($"{r.KlTrained:F4}"))
            .Column("KL", "kl", r => r.Kl, r => Text($"{r.Kl:F4}"))
            .Column("steps", "steps", r => r.Steps, r => Text($"{r.Steps}"))
            .Column("multiply-adds a step and token", "multiply_adds", r => r.Work, r => Text($"{r.Work}"))
            .Column("seconds", "seconds", r => r.Seconds, r => Text($"{r.Seconds:F1}")));
        return report;

        static string Text(FormattableString text) => FormattableString.Invariant(text);

        PromptSet Prompts(ulong promptSeed, int limit) => PromptLoader.Load(task, null, tokenizer, new PromptOptions
        {
            Vocabulary = checkpoint.Config.Vocabulary,
            Positions = checkpoint.Config.Positions,
            Limit = limit,
            Seed = promptSeed,
        }, cancellation);

        void Row(string name, Circuit circuit, int done, long work, double seconds)
        {
            var kl = new EvaluationOptions { Metric = BuiltInMetrics.KlDivergence };
            double Kl(PromptSet prompts) => CircuitEvaluation.Evaluate(
                weights, prompts, [circuit], kl, cancellation: cancellation).Circuits[0].MeanKl;
            rows.Add((name, circuit, Kl(train), Kl(test), done, work, seconds));
        }
    }
}
