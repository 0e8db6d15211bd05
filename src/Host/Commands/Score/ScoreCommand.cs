using System.Globalization;
using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Host.Options;
using Gradpath.Host.Reports;
using Gradpath.Host.Reports.Csv;
using Gradpath.Host.Reports.Tables;
using Gradpath.Host.Sessions;
using Gradpath.Kernels;

namespace Gradpath.Host.Commands;

/// <summary><c>gradpath score</c>: model and prompts in, a table of the strongest edges and a file of all scores out.</summary>
internal static class ScoreCommand
{
    public static CommandReport Run(ScoreOptions o, Terminal terminal, CancellationToken cancellation)
    {
        // Whatever can be refused is refused before the work starts.
        AttributionOptions options = o.Attribution();
        if (options.Metric is { } metric)
        {
            bool members = options.Method.Members.Count > 0;
            string others = EnumNames.Choice(AttributionMethods.All
                .Where(m => m.HasMetric && !m.VanishesFor(metric) && (!members || m.Members.Count == 0)).Select(m => m.Name));
            string use = members ? $"--of needs members such as {others}" : $"use --method {others}";
            Scoring.RequireScores(metric, options.Method, $"{use}, or another --metric");
        }
        ComputeDevice.Check(o);
        CommandReport report = new();
        PromptRequest request = o.Prompts(options) with { ShowFirstIn = report };
        request.Check();
        if (o.Resume && !options.Method.Saves)
        {
            string takers = EnumNames.Choice(AttributionMethods.All.Where(m => m.Saves).Select(m => m.Name));
            throw new UsageException($"--resume does not apply to --method {options.Method}; {takers} takes it, or an ensemble of it.");
        }
        if (o.Resume && o.Out is null) throw new UsageException("--resume needs --out: what to go on from lies beside that file.");
        if (o.Saves) ProgressFile.Check(o.Out!, o.Resume);
        MissedEdgesOptions? verification = o.Verification(options);
        verification?.Check();
        Circuit? edges = o.PerItemEdges is null ? null : Circuit.Load(o.PerItemEdges);
        if (edges is { EdgeCount: 0 }) throw new UsageException($"--per-item-edges {o.PerItemEdges}: the circuit has no edges.");

        StageClock clock = new(terminal);
        clock.Start("load");
        using Device device = ComputeDevice.Open(o, terminal);
        RunDetails.Device(terminal, device);
        using Gpt2Checkpoint checkpoint = Gpt2Checkpoint.Open(ModelLocator.Resolve(o.Model));
        verification?.Check(new ComputationGraph(checkpoint.Config));
        edges?.RequireModel(checkpoint.Config, o.PerItemEdges!);
        clock.Start("tokenise");
        PromptSet prompts = request.Load(checkpoint, terminal, cancellation);
        RunDetails.Prompts(terminal, prompts);
        clock.Start("load");
        using Gpt2Weights model = ModelLoading.Load(o.Model, checkpoint, device, terminal, cancellation);
        RunDetails.Model(terminal, checkpoint, model);
        if (edges is not null) Origins.Compare(terminal, GivenFile.Of(o.PerItemEdges!, edges), RunProvenance.Of(model, prompts, 0));

        clock.Start("passes");
        using ProgressFile? file = o.Saves ? SearchRun.Open("score", o.Out!, o.Resume, RunOf(o, model, prompts, options), terminal) : null;
        AttributionResult result = o.PerItem is null
            ? Scoring.Run(model, prompts, options, terminal, cancellation, file)
            : Scoring.RunPerItem(o.PerItem, o.HalvesItems, edges, model, prompts, options, terminal, cancellation);
        EdgeScores scores = result.Scores;
        if (!scores.Values.ContainsAnyExcept(0f))
        {
            terminal.Warn(result.CleanMetric.SequenceEqual(result.CorruptedMetric)
                ? "all scores are 0: no corruption of these prompts changes their metric"
                : "all scores are 0, though the prompts' corruption changes their metric: its gradient is 0 where the method looks, as "
                + "where a probability is saturated");
        }
        clock.Start("write");
        if (o.Out is not null && result.Positional is { } spans) spans.Save(o.Out);
        else if (o.Out is not null) scores.Save(o.Out);
        if (o.RecordPath is not null) EmbeddingPathCsv.Write(o.RecordPath, options.Method.Name, result.EmbeddingPath ?? []);
        file?.Delete();

        // What was scored is kept, however this ends.
        MissedEdges? missed = verification is null
            ? null : Verify(model, prompts, scores, verification, o.Out ?? o.PerItem, clock, terminal, cancellation);
        clock.Stop();

        if (o.Top > 0 && result.Positional is { } positional) PositionalTable.Add(report, positional, options.Method, o.Top);
        else if (o.Top > 0) EdgeTable.Add(report, scores, options.Method, o.Top);
        if (o.Top > 0) report.Plain("");
        DescribeRun(report, scores, result);
        if (missed is not null) MissedEdgesReport.Add(report, missed, scores.Graph);
        RunFacts.Time(report, clock);
        int edgeCount = result.Positional?.Graph.EdgeCount ?? scores.Graph.EdgeCount;
        report.File("scores", o.Out, $"scores of {Sizes.Of(edgeCount, "edge")}: {o.Out}");
        report.File("path", o.RecordPath);
        report.File("scores per prompt pair", o.PerItem);
        return report;
    }

    private static MissedEdges Verify(
        Gpt2Weights model, PromptSet prompts, EdgeScores scores, MissedEdgesOptions options, string? written, StageClock clock,
        Terminal terminal, CancellationToken cancellation)
    {
        clock.Start("verify");
        try
        {
            MissedEdges missed = ScoringProgress.Run(
                terminal, "verify", progress => MissedEdges.Measure(model, prompts, scores, options, progress, cancellation));
            cancellation.ThrowIfCancellationRequested();
            return missed;
        }
        catch (OperationCanceledException e) when (written is not null)
        {
            throw new StoppedException($"; the scores are in {written}, and were not verified.", e);
        }
    }

    // Everything that the sums depend on, to the last bit.
    private static JsonObject RunOf(ScoreOptions o, Gpt2Weights model, PromptSet prompts, AttributionOptions options)
    {
        Provenance p = RunProvenance.Of(model, prompts, 0) with
        {
            Metric = (options.Metric ?? prompts.Metric).Name,
            Ablation = EnumNames.Of(options.Ablation ?? Ablation.Patching),
        };
        JsonObject run = SearchRun.Identity(p, model.Device, o);
        run["--method"] = options.Method.Name;
        run["--batch-size"] = options.BatchSize;
        run["--normalization"] = EnumNames.Of(options.Normalization);
        foreach ((string name, JsonNode? value) in options.Describe()) run[$"--{name}"] = value?.DeepClone();
        return run;
    }

    private static void DescribeRun(CommandReport report, EdgeScores scores, AttributionResult result)
    {
        Provenance p = scores.Provenance!;
        report.Provenance = p.ToJson();
        string settings = string.Concat(p.Options.Select(option => $", {option.Key} {option.Value}"));
        report.Plain($"{p.Method}{settings}{(p.Metric is null ? "" : $", metric {p.Metric}")}"
            + $"{(p.Ablation is null or "patching" ? "" : $", ablation {p.Ablation}")}; "
            + $"{Sizes.Of(p.Items ?? 0, "prompt pair")} of {p.Task} ({p.Data})");
        report.Plain(TokenizerNotes.BeginToken(p));
        report.Fact("n_edges", scores.Graph.EdgeCount);
        if (result.Positional?.Graph is { } graph)
        {
            report.Line($"spans: {string.Join(", ", graph.Spans)}; {Sizes.Of(graph.EdgeCount, "edge")} between them, of "
                + $"{Sizes.Of(graph.Pairs.Count, "pair")} of spans",
                ("spans", graph.Spans.ToArray()), ("n_positional_edges", graph.EdgeCount), ("n_span_pairs", graph.Pairs.Count));
        }
        if (result.CleanMetric.Length > 0 && result.CorruptedMetric.Length > 0)
        {
            double clean = result.CleanMetric.Average(), corrupted = result.CorruptedMetric.Average();
            report.Line(
                string.Create(CultureInfo.InvariantCulture, $"mean {p.Metric}: clean {clean:G4}, corrupted {corrupted:G4}"),
                ("metric_clean", clean), ("metric_corrupted", corrupted));
        }
        RunFacts.Device(report, p, result.PeakDeviceBytes);
        RunFacts.Plan(report, result.Plan);
    }
}
