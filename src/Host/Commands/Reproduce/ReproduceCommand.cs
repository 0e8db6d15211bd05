using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Host.Options;
using Gradpath.Host.Reports;
using Gradpath.Host.Sessions;

namespace Gradpath.Host.Commands;

/// <summary><c>gradpath reproduce</c>: a published study in, its figures beside ours out.</summary>
internal static class ReproduceCommand
{
    public static CommandReport Run(ReproduceOptions o, Terminal terminal, CancellationToken cancellation)
    {
        PublishedStudy study = PublishedStudies.Find(o.Study);
        ComputeDevice.Check(o);
        PromptRequest prompts = Prompts(o, study);
        using var session = EvaluationSession.Open(o, new SessionRequest(o.Model, prompts, new(), o.Seed), [], terminal, cancellation);
        ComputationGraph graph = new(session.Weights.Config);

        session.Clock.Start("passes");
        (List<Row> rows, EvaluationResult result) = Measure(session, study, graph, terminal, cancellation);
        cancellation.ThrowIfCancellationRequested();
        session.Clock.Start("write");
        bool same = session.Weights.Config is { Layers: PublishedStudies.Layers, Width: PublishedStudies.Width };
        if (!same) rows = [.. rows.Select(r => r with { Published = null, Source = "" })];
        string[] differences = [.. Differences(study, prompts, session, same)];
        if (o.Out is not null) ResultJson.Write(o.Out, Json(study, rows, differences, session.Provenance(result.Plan.Size)));
        session.Clock.Stop();

        CommandReport report = new();
        report.Fact("study", study.Name);
        report.Table(Table(rows));
        foreach (string difference in differences) report.Note(difference);
        EvaluationSession.DescribeSmallEffects(report, result);
        session.Describe(report, result.Plan.Size, result.PeakDeviceBytes);
        report.File("figures", o.Out);
        return report;
    }

    private static PromptRequest Prompts(ReproduceOptions o, PublishedStudy study)
    {
        string? data = o.Data is null ? null : Path.Combine(o.Data, study.Task.Name);
        if (data is not null && !Directory.Exists(data))
        {
            throw new UsageException($"--data {o.Data}: there is no folder {study.Task.Name} in it; the published prompts of this study "
                + $"are {study.Task.Name}/gpt2.csv.");
        }
        return new PromptRequest
        {
            Task = study.Task.Name,
            Data = data,
            Limit = o.Limit ?? (data is null ? null : study.Prompts),
            Seed = o.Seed,
            SeedsMethod = true,
            Metric = study.Metric,
            HardCorruption = study.HardCorruption && data is not null,
        };
    }

    // Methods one after the other, each scored once; then all their circuits in one run.
    private static (List<Row> Rows, EvaluationResult Result) Measure(
        EvaluationSession session, PublishedStudy study, ComputationGraph graph, Terminal terminal, CancellationToken cancellation)
    {
        string[] methods = [.. study.Figures.Select(f => f.Method).Distinct()];
        var scores = new EdgeScores[methods.Length];
        for (int m = 0; m < methods.Length; m++)
        {
            AttributionOptions options = study.Figures.First(f => f.Method == methods[m]).Scores;
            if (options.Method == AttributionMethods.Random) options = options with { Seed = session.Seed };
            terminal.Progress.Part = $"scores {m + 1} of {methods.Length}";
            scores[m] = Scoring.Run(session.Weights, session.Prompts, options, terminal, cancellation).Scores;
        }
        terminal.Progress.Part = "";
        EdgeScores[] ofFigures = [.. study.Figures.Select(f => scores[Array.IndexOf(methods, f.Method)])];
        return ScoringProgress.Run(terminal, "reproduce", progress => study.Areas
            ? Areas(session, study, scores, progress, cancellation)
            : AtSizes(session, study, graph, ofFigures, progress, cancellation));
    }

    private static (List<Row> Rows, EvaluationResult Result) Areas(
        EvaluationSession session, PublishedStudy study, EdgeScores[] scores, IProgress<RunProgress>? progress,
        CancellationToken cancellation)
    {
        (IReadOnlyList<SparsityCurves> curves, EvaluationResult result) = SparsityCurves.Measure(
            session.Weights, session.Prompts, scores, new() { Seed = session.Seed, Evaluation = session.Options }, progress, cancellation);
        return ([.. study.Figures.Zip(curves).SelectMany(pair => new[]
        {
            new Row(pair.First.Method, "CPR", null, null, pair.Second.Cpr, double.NaN, double.NaN, pair.First.Value, pair.First.Source),
            new Row(pair.First.Method, "CMD", null, null, pair.Second.Cmd, double.NaN, double.NaN, null, ""),
        })], result);
    }

    private static (List<Row> Rows, EvaluationResult Result) AtSizes(
        EvaluationSession session, PublishedStudy study, ComputationGraph graph, EdgeScores[] scores, IProgress<RunProgress>? progress,
        CancellationToken cancellation)
    {
        int[] edges = [.. study.Figures.Select(f =>
            Math.Max(1, (int)Math.Round((double)f.Edges * graph.EdgeCount / PublishedStudies.EdgesOfSmall)))];
        Circuit[] circuits = [.. scores.Select((s, i) => CircuitPruning.Prune(CircuitSelection.Greedy(s, edges[i])))];
        EvaluationResult result = CircuitEvaluation.Evaluate(
            session.Weights, session.Prompts, circuits, session.Options, progress, cancellation);
        List<Row> rows = [];
        for (int i = 0; i < circuits.Length; i++)
        {
            CircuitOutcome outcome = result.Circuits[i];
            (double low, double high) = Faithfulness.Interval(result.Full, outcome, result.Empty, seed: session.Seed);
            PublishedFigure figure = study.Figures[i];
            rows.Add(new Row(
                figure.Method, "faithfulness", edges[i], circuits[i].EdgeCount, Faithfulness.Of(result.Full, outcome, result.Empty), low,
                high, figure.Value, figure.Source));
        }
        return (rows, result);
    }

    private static IEnumerable<string> Differences(PublishedStudy study, PromptRequest prompts, EvaluationSession session, bool same)
    {
        if (!same)
        {
            yield return "The published figures are of GPT-2 small and are left out: this model has another shape. Its circuits have the "
                + "same shares of edges.";
        }
        if (prompts.Data is null)
            yield return "The prompts are generated by templates of the same kind; --data DIR takes the published ones.";
        if (session.Prompts.Pairs.Count != study.Prompts)
            yield return $"There {Sizes.Of(study.Prompts, "prompt pair")} were used.";
        if (study.HardCorruption && prompts.Data is null)
            yield return "The corrupted prompts there exchange the two names; generated ones have a third name.";
        foreach (string difference in study.Differences) yield return difference;
    }

    private static ReportTableOf<Row> Table(List<Row> rows) => ReportTable.Of("figures", rows)
        .Text("scores", "scores", r => r.Scores)
        .Text("measure", "measure", r => r.Measure)
        .Column("edges", "edges", r => r.Edges, r => r.Edges is { } n ? Sizes.Count(n) : "all sizes")
        .Hidden("edges_after_prune", r => r.Pruned)
        .Number("ours", "value", r => r.Value)
        .Shows("95 % interval", r => double.IsNaN(r.Low)
            ? ""
            : $"{Sizes.Number(r.Low)} to {Sizes.Number(r.High)}")
        .Hidden("low", r => r.Low)
        .Hidden("high", r => r.High)
        .Column("published", "published", r => r.Published, r => r.Published is { } p ? Sizes.Number(p) : "none")
        .Text("source", "source", r => r.Source);

    private static JsonObject Json(PublishedStudy study, List<Row> rows, string[] differences, Provenance made)
    {
        JsonArray figures = [.. rows.Select(r => new JsonObject
        {
            ["scores"] = r.Scores,
            ["measure"] = r.Measure,
            ["edges"] = r.Edges,
            ["edges_after_prune"] = r.Pruned,
            ["value"] = ResultJson.Number(r.Value),
            ["low"] = ResultJson.Number(r.Low),
            ["high"] = ResultJson.Number(r.High),
            ["published"] = r.Published,
            ["source"] = r.Source,
        })];
        return new JsonObject
        {
            ["study"] = study.Name,
            ["figures"] = figures,
            ["differences"] = new JsonArray([.. differences.Select(d => JsonValue.Create(d))]),
            ["gradpath"] = made.ToJson(),
        };
    }

    private sealed record Row(
        string Scores, string Measure, int? Edges, int? Pruned, double Value, double Low, double High, double? Published, string Source);
}
