using System.Globalization;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Drawing;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Host.Options;
using Gradpath.Host.Reports.Csv;
using Gradpath.Host.Reports.Pages;
using Gradpath.Host.Reports.Tables;
using Gradpath.Host.Sessions;
using Gradpath.Kernels;

namespace Gradpath.Host.Commands;

/// <summary>
/// <c>gradpath demo</c>: three ways of choosing where gradients are taken, side by side. The gradient norm along the three paths shows
/// what they are about: a clean run that is sure of its answer has little gradient left to attribute.
/// </summary>
internal static class DemoCommand
{
    private const string Task = "ioi";
    private const int Items = 50;
    private const int Seed = 0;
    private const int Top = 10;
    private const int PlotWidth = 40;

    private static readonly int[] s_overlaps = [10, 50, 100];

    private static readonly AttributionMethod[] s_methods = [AttributionMethods.Eap, AttributionMethods.EapIg, AttributionMethods.EapGp];

    public static CommandReport Run(DemoOptions o, Terminal terminal, CancellationToken cancellation)
    {
        StageClock clock = new(terminal);
        clock.Start("load");
        using Device device = ComputeDevice.Open(o, terminal);
        RunDetails.Device(terminal, device);
        using Gpt2Checkpoint checkpoint = Gpt2Checkpoint.Open(ModelLocator.Resolve(o.Model));
        PromptSet prompts = new PromptRequest { Task = Task, Limit = Items, Seed = Seed }.Load(checkpoint, terminal, cancellation);
        RunDetails.Prompts(terminal, prompts);
        using Gpt2Weights model = ModelLoading.Load(o.Model, checkpoint, device, terminal, cancellation);
        RunDetails.Model(terminal, checkpoint, model);
        Directory.CreateDirectory(o.Out);

        CommandReport report = new();
        Introduce(report, o.Model, checkpoint, prompts);
        clock.Start("passes");
        List<MethodRun> runs = [];
        foreach (AttributionMethod method in s_methods)
        {
            AttributionOptions options = new() { Method = method, RecordPath = true };
            runs.Add(new MethodRun(method.Name, Scoring.Run(model, prompts, options, terminal, cancellation)));
        }
        clock.Start("curves");
        IReadOnlyList<SparsityCurves> curves = MeasureCurves(model, prompts, runs, terminal, cancellation);
        clock.Start("write");
        WriteReport(o, runs, curves);
        foreach (MethodRun run in runs.Take(s_methods.Length))
        {
            run.Scores.Save(ScoresIn(o.Out, run.Name));
            EmbeddingPathCsv.Write(PathIn(o.Out, run.Name), run.Name, run.Result.EmbeddingPath ?? []);
        }
        clock.Stop();

        List<MethodRun> scored = [.. runs.Take(s_methods.Length)];
        AddEdges(report, scored);
        AddAgreement(report, scored);
        AddEmbeddingPaths(report, scored);
        AddCurves(report, runs, curves);
        RunFacts.Time(report, clock, $"device: {device.Description}; ");
        report.Provenance = scored[0].Scores.Provenance!.ToJson();
        Conclude(report, o.Out);
        return report;
    }

    /// <summary>Everything that is written to a folder.</summary>
    public static IEnumerable<string> FilesIn(string folder) =>
        s_methods.SelectMany(m => (string[])[ScoresIn(folder, m.Name), PathIn(folder, m.Name)]).Append(PageIn(folder));

    private static string ScoresIn(string folder, string method) => Path.Combine(folder, $"{method}.json");

    private static string PathIn(string folder, string method) => Path.Combine(folder, $"{method}-path.csv");

    private static string PageIn(string folder) => Path.Combine(folder, "report.html");

    // The three methods and, as the measure of what any ranking reaches, random scores.
    private static IReadOnlyList<SparsityCurves> MeasureCurves(
        Gpt2Weights model, PromptSet prompts, List<MethodRun> runs, Terminal terminal, CancellationToken cancellation)
    {
        AttributionOptions random = new() { Method = AttributionMethods.Random, Seed = Seed };
        runs.Add(new MethodRun(random.Method.Name, Scoring.Run(model, prompts, random, terminal, cancellation)));
        return SparsityCurves.Measure(
            model, prompts, [.. runs.Select(r => r.Scores)], new SparsityOptions(), cancellation: cancellation).Curves;
    }

    private static void WriteReport(DemoOptions o, List<MethodRun> runs, IReadOnlyList<SparsityCurves> curves)
    {
        List<ReportMethod> methods = [.. runs.Zip(curves, (run, curve) => new ReportMethod(run.Name, run.Scores)
        {
            EmbeddingPath = run.Result.EmbeddingPath,
            Curve = [.. curve.ByMagnitude.Points.Where(p => double.IsFinite(p.Faithfulness)).Select(p => new CurvePoint(
                p.Fraction, p.Edges, p.EdgesAfterPrune, p.Faithfulness, double.IsFinite(p.Low)
                    ? p.Low
                    : null, double.IsFinite(p.High) ? p.High : null))],
        })];
        HtmlReport.Write(PageIn(o.Out), ReportData.Of(ReportData.DefaultTitle(runs[0].Scores.Provenance), methods));
    }

    private static void AddCurves(CommandReport report, List<MethodRun> runs, IReadOnlyList<SparsityCurves> curves)
    {
        report.Plain("Faithfulness of the circuit of the strongest edges (1: as the full model; 0: as the corrupted run)");
        IReadOnlyList<SparsityPoint> sizes = curves[0].ByMagnitude.Points;
        ReportTableOf<int> grid = ReportTable.Of("curves", Enumerable.Range(0, sizes.Count))
            .Shows("edges", i => Sizes.Count(sizes[i].Edges));
        foreach ((MethodRun run, SparsityCurves curve) in runs.Zip(curves))
        {
            grid.Shows(run.Name, i => Sizes.Ratio(curve.ByMagnitude.Points[i].Faithfulness));
        }
        report.Show(grid);
        report.Data(ReportTable.Of("curves", runs.Zip(curves).SelectMany(c => c.Second.ByMagnitude.Points.Select(p => (c.First.Name, p))))
            .Hidden("method", r => r.Name)
            .Hidden("fraction", r => r.p.Fraction)
            .Hidden("edges", r => r.p.Edges)
            .Hidden("faithfulness", r => r.p.Faithfulness));
    }

    private static void Introduce(CommandReport report, string name, Gpt2Checkpoint checkpoint, PromptSet prompts)
    {
        Gpt2Config config = checkpoint.Config;
        int edges = new ComputationGraph(config).EdgeCount;
        report.Line(
            $"Model {name}: {config.Layers} layers x {config.Heads} heads, width {config.Width}, {Sizes.Of(edges, "edge")}. "
                + $"Task: {prompts.Task}, {Sizes.Of(prompts.Pairs.Count, "prompt pair")}, for example",
            ("layers", config.Layers), ("heads", config.Heads), ("width", config.Width), ("n_edges", edges));
        PromptPair first = prompts.Pairs[0];
        if (first.CleanText is not null) report.Line($"  clean      {first.CleanText}", ("example_clean", first.CleanText));
        if (first.CorruptedText is not null) report.Line($"  corrupted  {first.CorruptedText}", ("example_corrupted", first.CorruptedText));
        report.Plain("");
    }

    private static void AddEdges(CommandReport report, List<MethodRun> runs)
    {
        ScoredEdge[][] strongest = [.. runs.Select(r => r.Scores.Strongest(Top))];
        string Name(int run, int rank) => runs[run].Scores.Graph.EdgeName(strongest[run][rank].Row, strongest[run][rank].Column);
        ReportTableOf<int> grid = ReportTable.Of("edges", Enumerable.Range(0, strongest[0].Length))
            .Shows("#", i => (i + 1).ToString(CultureInfo.InvariantCulture));
        for (int run = 0; run < runs.Count; run++)
        {
            int r = run;
            grid.Shows(runs[r].Name, i => Name(r, i), right: false).Shows("score", i => ScoreText.Of(strongest[r][i].Score));
        }
        report.Plain("Strongest edges (positive: corrupting the edge hurts the task; negative: it helps)");
        report.Show(grid);
        report.Data(ReportTable.Of("edges", Enumerable.Range(0, runs.Count).SelectMany(r => strongest[r].Select((e, i) => (r, i, e))))
            .Hidden("method", x => runs[x.r].Name)
            .Hidden("rank", x => x.i + 1)
            .Hidden("edge", x => Name(x.r, x.i))
            .Hidden("score", x => x.e.Score));
    }

    private static void AddAgreement(CommandReport report, List<MethodRun> runs)
    {
        int edges = runs[0].Scores.Graph.EdgeCount;
        List<(MethodRun A, MethodRun B)> pairs = [];
        for (int a = 0; a < runs.Count; a++)
        {
            for (int b = a + 1; b < runs.Count; b++) pairs.Add((runs[a], runs[b]));
        }
        ReportTableOf<(MethodRun A, MethodRun B)> table = ReportTable.Of("agreement", pairs)
            .Shows("methods", p => $"{p.A.Name}, {p.B.Name}", right: false)
            .Hidden("methods", p => new[] { p.A.Name, p.B.Name })
            .Ratio("Spearman, all edges", "spearman", p => RankAgreement.Spearman(p.A.Scores, p.B.Scores));
        foreach (int n in s_overlaps.Where(n => n <= edges))
        {
            table.Column($"top {n} shared", $"top_{n}_shared", p => RankAgreement.Overlap(p.A.Scores, p.B.Scores, n),
                p => RankAgreement.Overlap(p.A.Scores, p.B.Scores, n).ToString("0 %", CultureInfo.InvariantCulture));
        }
        report.Plain("How far the methods agree on the order of the edges");
        report.Table(table);
    }

    private static void AddEmbeddingPaths(CommandReport report, List<MethodRun> runs)
    {
        var points = runs.SelectMany(run => (run.Result.EmbeddingPath ?? []).GroupBy(p => p.Step).OrderBy(g => g.Key)
            .Select(step => (run.Name, Step: step.Key, Norm: step.Average(p => p.GradientNorm)))).ToList();
        if (points.Count == 0) return;
        report.Plain(
            "Norm of the metric's gradient at the embedding, mean over pairs (eap: the clean run; eap-ig: from corrupted to clean;");
        report.Plain("eap-gp: along its path, from the end where each pair starts). Where it is small the output is saturated and "
            + "gradients say little.");
        report.Draw(t => BarPlot.Write(t.Out, [.. points.Select(p => ($"{p.Name} point {p.Step}", p.Norm))], PlotWidth, t.Unicode));
        report.Data(ReportTable.Of("gradient_norms", points)
            .Hidden("method", p => p.Name).Hidden("step", p => p.Step).Hidden("gradient_norm", p => p.Norm));
        report.Plain("");
    }

    private static void Conclude(CommandReport report, string directory)
    {
        report.File("folder", directory, $"Scores and paths: {directory}");
        string page = Path.Combine(directory, "report.html");
        report.File("report", page, $"Open in a browser: {page}");
        report.Plain("");
        report.Plain("Next:");
        report.Plain("  ./gradpath tasks                                                     the other tasks");
        report.Plain(
            "  ./gradpath score --model demo --task ioi --method exact --limit 20   what the methods estimate, edge by edge (seconds)");
        report.Plain("  weights-tools/fetch_gpt2.sh gpt2                                     GPT-2 small, once");
        report.Plain("  ./gradpath score --model gpt2 --task ioi --out scores.json           the same on GPT-2 small");
    }

    private sealed record MethodRun(string Name, AttributionResult Result)
    {
        public EdgeScores Scores => Result.Scores;
    }
}
