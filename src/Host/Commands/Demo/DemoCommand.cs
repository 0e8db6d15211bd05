using System.Globalization;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Host.Options;
using Gradpath.Host.Reports.Csv;
using Gradpath.Host.Reports.Pages;
using Gradpath.Host.Reports.Tables;
using Gradpath.Host.Sessions;
using Gradpath.Kernels;
using Spectre.Console;

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

    public static int Run(DemoOptions o, Terminal terminal, CancellationToken cancellation)
    {
        StageClock clock = new();
        clock.Start("load");
        using Device device = ComputeDevice.Open(o, terminal);
        using Gpt2Checkpoint checkpoint = Gpt2Checkpoint.Open(ModelLocator.Resolve(o.Model));
        PromptSet prompts = new PromptRequest { Task = Task, Limit = Items, Seed = Seed }.Load(checkpoint, terminal);
        using Gpt2Weights model = ModelLoading.Load(o.Model, checkpoint, device, cancellation);
        Directory.CreateDirectory(o.Out);

        Introduce(terminal.Out, o.Model, checkpoint, prompts);
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
            run.Scores.Save(Path.Combine(o.Out, $"{run.Name}.json"));
            EmbeddingPathCsv.Write(Path.Combine(o.Out, $"{run.Name}-path.csv"), run.Name, run.Result.EmbeddingPath ?? []);
        }
        clock.Stop();

        List<MethodRun> scored = [.. runs.Take(s_methods.Length)];
        PrintEdges(terminal, scored);
        PrintAgreement(terminal, scored);
        PrintEmbeddingPaths(terminal, scored);
        PrintCurves(terminal, runs, curves);
        terminal.Out.WriteLine($"device: {device.Description}; time: {clock}");
        Conclude(terminal.Out, o.Out);
        return ExitCode.Success;
    }

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
        HtmlReport.Write(Path.Combine(o.Out, "report.html"), ReportData.Of(ReportData.DefaultTitle(runs[0].Scores.Provenance), methods));
    }

    private static void PrintCurves(Terminal terminal, List<MethodRun> runs, IReadOnlyList<SparsityCurves> curves)
    {
        Table table = new Table { Border = TableBorder.Simple }.AddColumn(new TableColumn("edges").RightAligned());
        foreach (MethodRun run in runs) table.AddColumn(new TableColumn(run.Name).RightAligned());
        for (int i = 0; i < curves[0].ByMagnitude.Points.Count; i++)
        {
            List<Text> row = [new(Sizes.Count(curves[0].ByMagnitude.Points[i].Edges))];
            row.AddRange(
                curves.Select(c => new Text(c.ByMagnitude.Points[i].Faithfulness.ToString("0.000", CultureInfo.InvariantCulture))));
            table.AddRow(row);
        }
        terminal.Out.WriteLine("Faithfulness of the circuit of the strongest edges (1: as the full model; 0: as the corrupted run)");
        terminal.Console.Write(table);
    }

    private static void Introduce(TextWriter output, string name, Gpt2Checkpoint checkpoint, PromptSet prompts)
    {
        Gpt2Config config = checkpoint.Config;
        output.WriteLine($"Model {name}: {config.Layers} layers x {config.Heads} heads, width {config.Width}, "
            + $"{Sizes.Count(new ComputationGraph(config).EdgeCount)} edges. Task: {prompts.Task}, {prompts.Pairs.Count} prompt pairs, "
                + "for example");
        PromptPair first = prompts.Pairs[0];
        if (first.CleanText is not null) output.WriteLine($"  clean      {first.CleanText}");
        if (first.CorruptedText is not null) output.WriteLine($"  corrupted  {first.CorruptedText}");
        output.WriteLine();
    }

    private static void PrintEdges(Terminal terminal, List<MethodRun> runs)
    {
        ScoredEdge[][] strongest = [.. runs.Select(r => r.Scores.Strongest(Top))];
        Table table = new Table { Border = TableBorder.Simple }.AddColumn(new TableColumn("#").RightAligned());
        foreach (MethodRun run in runs) table.AddColumn(run.Name).AddColumn(new TableColumn("score").RightAligned());
        for (int i = 0; i < strongest[0].Length; i++)
        {
            List<Text> row = [new((i + 1).ToString(CultureInfo.InvariantCulture))];
            for (int r = 0; r < runs.Count; r++)
            {
                ScoredEdge edge = strongest[r][i];
                row.Add(new Text(runs[r].Scores.Graph.EdgeName(edge.Row, edge.Column)));
                row.Add(new Text(EdgeTable.Number(edge.Score)));
            }
            table.AddRow(row);
        }
        terminal.Out.WriteLine("Strongest edges (positive: corrupting the edge hurts the task; negative: it helps)");
        terminal.Console.Write(table);
    }

    private static void PrintAgreement(Terminal terminal, List<MethodRun> runs)
    {
        int edges = runs[0].Scores.Graph.EdgeCount;
        int[] counts = [.. s_overlaps.Where(n => n <= edges)];
        Table table = new Table { Border = TableBorder.Simple }.AddColumn("methods").AddColumn(
            new TableColumn("Spearman, all edges").RightAligned());
        foreach (int n in counts) table.AddColumn(new TableColumn($"top {n} shared").RightAligned());
        for (int a = 0; a < runs.Count; a++)
        {
            for (int b = a + 1; b < runs.Count; b++)
            {
                List<Text> row = [new($"{runs[a].Name}, {runs[b].Name}"),
                    new(RankAgreement.Spearman(runs[a].Scores, runs[b].Scores).ToString("0.000", CultureInfo.InvariantCulture))];
                row.AddRange(counts.Select(n =>
                    new Text(RankAgreement.Overlap(runs[a].Scores, runs[b].Scores, n).ToString("0 %", CultureInfo.InvariantCulture))));
                table.AddRow(row);
            }
        }
        terminal.Out.WriteLine("How far the methods agree on the order of the edges");
        terminal.Console.Write(table);
    }

    private static void PrintEmbeddingPaths(Terminal terminal, List<MethodRun> runs)
    {
        List<(string, double)> bars = [];
        foreach (MethodRun run in runs)
        {
            foreach (IGrouping<int, EmbeddingPathPoint> step in (run.Result.EmbeddingPath ?? []).GroupBy(p => p.Step).OrderBy(g => g.Key))
                bars.Add(($"{run.Name} point {step.Key}", step.Average(p => p.GradientNorm)));
        }
        if (bars.Count == 0) return;
        terminal.Out.WriteLine(
            "Norm of the metric's gradient at the embedding, mean over pairs (eap: the clean run; eap-ig: from corrupted to clean;");
        terminal.Out.WriteLine("eap-gp: from clean along its path). Where it is small the output is saturated and gradients say little.");
        BarPlot.Write(terminal.Out, bars, PlotWidth, terminal.Unicode);
        terminal.Out.WriteLine();
    }

    private static void Conclude(TextWriter output, string directory)
    {
        output.WriteLine($"Scores and paths: {directory}");
        output.WriteLine($"Open in a browser: {Path.Combine(directory, "report.html")}");
        output.WriteLine();
        output.WriteLine("Next:");
        output.WriteLine("  ./gradpath tasks                                                     the other tasks");
        output.WriteLine(
            "  ./gradpath score --model demo --task ioi --method exact --limit 20   what the methods estimate, edge by edge (seconds)");
        output.WriteLine("  weights-tools/fetch_gpt2.sh gpt2                                     GPT-2 small, once");
        output.WriteLine("  ./gradpath score --model gpt2 --task ioi --out scores.json           the same on GPT-2 small");
    }

    private sealed record MethodRun(string Name, AttributionResult Result)
    {
        public EdgeScores Scores => Result.Scores;
    }
}
