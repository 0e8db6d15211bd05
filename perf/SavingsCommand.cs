using System.Globalization;
using CommandLine;
using Gradpath.Diagnostics.Bench;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Model;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Gpt2Runtime.Tokenization;
using Gradpath.Kernels;
using Gradpath.Programs;
using Gradpath.Programs.Files;
using Gradpath.Programs.Reporting;

namespace Gradpath.Perf;

/// <summary>The options of <c>perf savings</c>.</summary>
[Verb("savings", HelpText =
    "What is saved by sharing the positions before a pair's first difference, per task, and by an answer-only last layer.")]
internal sealed class SavingsOptions : DeviceOptions
{
    [Input(InputKind.Prompts)]
    [Option("data", MetaValue = "DIR", HelpText =
        "A folder with a folder of prompts per task (ioi/gpt2.csv ...); tasks that it lacks, or all without it, get generated prompts.")]
    public string? Data { get; set; }

    [Input(InputKind.Model)]
    [Option("vocabulary", MetaValue = "DIR", Default = "demo",
        HelpText = "A folder with vocab.json and merges.txt: GPT-2's, or the demo model's, whose words are split more often.")]
    public string Vocabulary { get; set; } = "demo";

    [Option("shape", MetaValue = "NAME", Default = "small", HelpText = "GPT-2 shape: tiny, small, medium, large or xl.")]
    public string Shape { get; set; } = "small";

    [Range(1, 10_000)]
    [Option("pairs", MetaValue = "N", Default = 10, HelpText = "Pairs of each task that are timed; the shares of positions are of these.")]
    public int Pairs { get; set; } = 10;

    [Range(1, 10_000)]
    [Option("rounds", MetaValue = "N", Default = 3, HelpText = "Rounds; with and without take turns, and medians are stated.")]
    public int Rounds { get; set; } = 3;
}

/// <summary><c>perf savings</c>: each saving on and off in turn, in one run.</summary>
internal static class SavingsCommand
{
    private const int CircuitEdges = 1000;

    public static CommandReport Run(SavingsOptions o, Terminal terminal, CancellationToken cancellation)
    {
        if (o.Pairs < 1) throw new UsageException($"--pairs {o.Pairs}: must be 1 or more.");
        if (o.Rounds < 1) throw new UsageException($"--rounds {o.Rounds}: must be 1 or more.");
        if (o.Data is not null && !Directory.Exists(o.Data))
            throw new UsageException(
                $"--data {o.Data}: there is no such folder; it holds a folder of prompts per task, such as ioi/gpt2.csv.");
        Gpt2Config config = ShapeOption.Of(o.Shape);
        var tokenizer = BpeTokenizer.Load(o.Vocabulary == "demo" ? ModelLocator.Resolve(o.Vocabulary) : o.Vocabulary);
        PromptSet[] sets = [.. TaskCatalog.All.Select(t => Load(t.Name, o, tokenizer, config))];
        string load = Machine.Describe(Machine.Load(), Environment.ProcessorCount);
        using Device device = ComputeDevice.Open(o, terminal);
        using Gpt2Weights weights = Works.TryCreate(o.Shape, device, out string? obstacle)
            ?? throw new UsageException($"--shape {o.Shape}: {obstacle}.");
        List<Saving> rows = [];
        ScoringProgress.Run(terminal, "savings", progress =>
        {
            foreach (PromptSet set in sets)
            {
                progress?.Report(new RunProgress(rows.Count, sets.Length + 1, set.Task));
                rows.Add(Row(set, weights, o.Rounds, cancellation));
            }
            return 0;
        });
        CommandReport report = new() { Markdown = true };
        report.Line($"GPT-2 {o.Shape} shape, random weights; {device.Description}; at most {o.Pairs} pairs a task, medians of "
            + $"{o.Rounds} rounds, with and without in turn; tokens of the vocabulary {o.Vocabulary}",
            ("shape", o.Shape), ("device", device.Description), ("rounds", o.Rounds), ("vocabulary", o.Vocabulary));
        report.Line(load, ("load", load));
        report.Plain("");
        report.Plain("Positions before the first difference: run once per pair, or in every pass");
        report.Plain("");
        report.Table(Table(rows));
        report.Plain("");
        AddLastLayer(report, weights, o.Rounds);
        return report;
    }

    private static ReportTableOf<Saving> Table(IEnumerable<Saving> rows)
    {
        ReportTableOf<Saving> table = ReportTable.Of("tasks", rows)
            .Text("task", "task", r => r.Task)
            .Text("prompts", "prompts", r => r.Source)
            .Count("pairs", "pairs", r => r.Pairs)
            .Column("tokens a prompt", "tokens", r => r.Tokens, r => r.Tokens.ToString("F1", CultureInfo.InvariantCulture))
            .Column("shared positions", "shared", r => r.Shared, r => r.Shared.ToString("P0", CultureInfo.InvariantCulture));
        Times("EAP-IG: all, s", "eap_ig", 0);
        Times("circuit of 1,000 edges: all, s", "circuit", 2);
        return table;

        void Times(string heading, string name, int first) => table
            .Column(heading, $"{name}_seconds", r => r.Seconds[first], r => Figure(r.Seconds[first]))
            .Column("shared, s", $"{name}_seconds_shared", r => r.Seconds[first + 1], r => Figure(r.Seconds[first + 1]))
            .Column("ratio", $"{name}_ratio", r => r.Seconds[first] / r.Seconds[first + 1],
                r => (r.Seconds[first] / r.Seconds[first + 1]).ToString("F2", CultureInfo.InvariantCulture));

        static string Figure(double seconds) => seconds.ToString("G3", CultureInfo.InvariantCulture);
    }

    private static PromptSet Load(string task, SavingsOptions o, BpeTokenizer tokenizer, Gpt2Config config)
    {
        string? directory = o.Data is null ? null : Path.Combine(o.Data, task);
        return PromptLoader.Load(task, Directory.Exists(directory) ? directory : null, tokenizer, new PromptOptions
        {
            Vocabulary = config.Vocabulary,
            Positions = config.Positions,
            Limit = o.Pairs,
        });
    }

    private static Saving Row(PromptSet prompts, Gpt2Weights weights, int rounds, CancellationToken cancellation)
    {
        IReadOnlyList<PromptPair> pairs = prompts.Pairs;
        PromptSpan[] spans = PairSpans.Of(pairs, sharePrefixes: true);
        double shared = spans.Sum(s => s.Prefix), tokens = pairs.Sum(p => p.Length);
        AttributionOptions scoring = new() { Method = AttributionMethods.EapIg, BatchSize = Workloads.BatchSize };
        EvaluationOptions evaluation = new() { BatchSize = Workloads.BatchSize };
        EdgeScores scores = EdgeAttribution.Score(weights, prompts, scoring with { Method = AttributionMethods.Eap }, null, cancellation);
        Circuit circuit = CircuitPruning.Prune(CircuitSelection.TopEdges(scores, Math.Min(CircuitEdges, scores.Graph.EdgeCount)));
        double[] seconds = Interleaved.Medians(
            weights.Device, rounds,
            () => EdgeAttribution.Run(weights, prompts, scoring, new ScoringHooks { WholePrompts = true }, null, cancellation),
            () => EdgeAttribution.Run(weights, prompts, scoring, null, cancellation),
            () => CircuitEvaluation.Evaluate(weights, prompts, [circuit], evaluation, wholePrompts: true, null, cancellation),
            () => CircuitEvaluation.Evaluate(weights, prompts, [circuit], evaluation, null, cancellation));
        string source = prompts.Source.StartsWith("generated", StringComparison.Ordinal) ? "generated" : Path.GetFileName(prompts.Source);
        return new Saving(prompts.Task, source, pairs.Count, tokens / pairs.Count, shared / tokens, seconds);
    }

    // One forward and one backward pass over W1's rows, whole, with the last layer's queries and MLP at all positions or at the answer
    // alone.
    private static void AddLastLayer(CommandReport report, Gpt2Weights weights, int rounds)
    {
        const int Items = Workloads.BatchSize;
        PromptPair[] pairs = Workloads.Pairs(Items, Workloads.Tokens, Workloads.DiffersAt);
        using var all = new OnePass(weights, pairs, answerOnly: false);
        using var answers = new OnePass(weights, pairs, answerOnly: true);
        double[] seconds = Interleaved.Medians(weights.Device, rounds, all.Run, answers.Run);
        report.Line(string.Create(
            CultureInfo.InvariantCulture,
            $"Forward and backward pass of {Items} prompts of {Workloads.Tokens} tokens: {seconds[0]:G3} s with the last layer's queries "
                + $"and MLP at every position, {seconds[1]:G3} s at the answer's only: ratio {seconds[0] / seconds[1]:F2} "
                + $"({weights.Config.Layers} layers)"),
            ("last_layer_seconds", seconds[0]), ("last_layer_seconds_answer_only", seconds[1]));
    }

    // Seconds: EAP-IG in every pass and shared, then the circuit likewise.
    private sealed record Saving(string Task, string Source, int Pairs, double Tokens, double Shared, double[] Seconds);

    private sealed class OnePass : IDisposable
    {
        private readonly ForwardPass _forward;
        private readonly PassShape _shape;
        private readonly Activations _activations;
        private readonly BackwardPass _backward;
        private readonly ReaderConstants _constants;
        private readonly ReaderGradients _readers;
        private readonly OutputHead _head;
        private readonly Tensor _embeddings;

        public OnePass(Gpt2Weights weights, PromptPair[] pairs, bool answerOnly)
        {
            int[] lengths = [.. pairs.Select(p => p.Length)];
            var capacity = PassCapacity.For(lengths, 1, answerOnly);
            _forward = new ForwardPass(weights);
            _shape = new PassShape(weights.Device, lengths, 1, answerOnly);
            _activations = new Activations(weights.Config, weights.Device, capacity, keepWriters: true);
            _backward = new BackwardPass(weights, capacity, 1);
            _constants = new ReaderConstants(weights);
            _readers = new ReaderGradients(weights, _constants, capacity, 1, answerOnly);
            _head = new OutputHead(weights, BuiltInMetrics.LogitDifference, pairs.Length, pairs.Length);
            _embeddings = weights.Device.Allocate(_shape.Rows, weights.Config.Width);
            using DeviceArray<int> tokens = weights.Device.Store<int>([.. pairs.SelectMany(p => p.Clean)]);
            weights.Device.GatherRows(weights.TokenEmbedding, tokens, _shape.Rows, weights.Config.Width, _embeddings);
            _head.SetItems(pairs);
        }

        public void Run()
        {
            _readers.Reset();
            _forward.Embed(_shape, _activations, _embeddings);
            _forward.Run(_shape, _activations);
            _head.Evaluate(_shape, _activations, 0);
            _head.LossGradient(_shape, _backward, _readers, 1);
            _backward.Run(_shape, _activations, 1, _readers, 1);
        }

        public void Dispose()
        {
            foreach (IDisposable owned in (IDisposable[])[_embeddings, _head, _readers, _constants, _backward, _activations, _shape])
                owned.Dispose();
        }
    }
}
