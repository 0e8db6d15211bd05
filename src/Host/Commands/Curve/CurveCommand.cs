using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Drawing;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Host.Reports;
using Gradpath.Host.Reports.Csv;
using Gradpath.Host.Reports.Pages;
using Gradpath.Host.Sessions;

namespace Gradpath.Host.Commands;

/// <summary><c>gradpath curve</c>: score files, a model and prompts in, faithfulness at every size out.</summary>
internal static class CurveCommand
{
    public static CommandReport Run(CurveOptions o, Terminal terminal, CancellationToken cancellation)
    {
        o.CheckShared();
        double[] fractions = [.. o.Fractions];
        List<ReportMethod> methods = ReportMethods.Read([.. o.Scores], terminal);
        if (methods.Count > 26) throw new UsageException($"--scores: at most 26 files at once, not {methods.Count}.");
        if (methods.GroupBy(m => m.Name).FirstOrDefault(g => g.Count() > 1) is { } same)
            throw new UsageException($"--scores: two methods would be called '{same.Key}'; give the files different names.");
        GivenFile[] given = [.. o.Scores.Zip(methods, (file, method) => GivenFile.Of(file, method.Scores))];
        using var session = EvaluationSession.Open(o, given, terminal, cancellation);

        session.Clock.Start("passes");
        SparsityOptions options = new()
        {
            Fractions = fractions.Length > 0 ? fractions : SparsityOptions.DefaultFractions,
            Greedy = o.Greedy,
            Seed = session.Seed,
            Evaluation = session.Options,
        };
        (IReadOnlyList<SparsityCurves> curves, EvaluationResult result) = ScoringProgress.Run(
            terminal,
            "curve",
            progress => SparsityCurves.Measure(
                session.Weights, session.Prompts, [.. methods.Select(m => m.Scores)], options, progress, cancellation));
        cancellation.ThrowIfCancellationRequested();
        if (curves.Any(c => c.ByMagnitude.Points.Any(p => !double.IsFinite(p.Faithfulness))))
            throw new GradpathException(
                "there is no faithfulness: on these prompts the full model does exactly as well as the empty circuit.");
        NamedCurve[] Named(Func<SparsityCurves, SparsityCurve> of) =>
            [.. methods.Zip(curves, (m, c) => new NamedCurve(m.Name, of(c)) { Options = m.Scores.Provenance?.Options })];
        NamedCurve[] byMagnitude = Named(c => c.ByMagnitude), byScore = Named(c => c.ByScore);
        session.Clock.Start("write");
        if (o.Out is not null) CurveCsv.Write(o.Out, [.. byMagnitude, .. byScore], session.Provenance(result.Plan.Size));
        if (o.Picture is not null)
            AtomicFile.Write(o.Picture, CurvePicture.Draw(byMagnitude, $"Faithfulness over circuit size: {session.Prompts.Task}"));
        session.Clock.Stop();

        CommandReport report = new();
        report.Line("faithfulness by |score|, its 95 % interval, and the edges that pruning leaves "
            + $"({(o.Greedy ? "greedy" : "largest scores")}; {Sizes.Of(methods[0].Scores.Graph.EdgeCount, "edge")} in all)",
            ("greedy", o.Greedy), ("n_edges", methods[0].Scores.Graph.EdgeCount));
        report.Show(Grid(byMagnitude));
        report.Plain("faithfulness by signed score");
        report.Show(Grid(byScore));
        report.Draw(t => CurvePlot.Write(t.Out, byMagnitude));
        report.Data(Points([.. byMagnitude, .. byScore]));
        AddAreas(report, methods, curves);
        EvaluationSession.DescribeSmallEffects(report, result);
        report.Provenance = session.Provenance(result.Plan.Size).ToJson();
        report.Provenance["scores"] = new JsonArray([.. given.Select(file => file.ToJson())]);
        session.Describe(report, result.Plan.Size, result.PeakDeviceBytes);
        report.File("curves", o.Out);
        report.File("picture", o.Picture);
        return report;
    }

    // A column per method, as people compare them.
    private static ReportTableOf<int> Grid(NamedCurve[] curves)
    {
        ReportTableOf<int> table = ReportTable.Of("curves", Enumerable.Range(0, curves[0].Curve.Points.Count))
            .Shows("size", i => CurvePlot.Percent(curves[0].Curve.Points[i].Fraction))
            .Shows("edges", i => Sizes.Count(curves[0].Curve.Points[i].Edges));
        foreach (NamedCurve curve in curves)
        {
            table.Shows(curve.Name, i => Cell(curve.Curve.Points[i]));
        }
        return table;
    }

    private static string Cell(SparsityPoint point)
    {
        string interval = double.IsNaN(point.Low) ? "" : $" [{Sizes.Number(point.Low)}, {Sizes.Number(point.High)}]";
        return $"{Sizes.Number(point.Faithfulness)}{interval} ({Sizes.Count(point.EdgesAfterPrune)})";
    }

    // A row per method, ranking and size, with the columns of the CSV file.
    private static ReportTableOf<(string Name, bool BySign, SparsityPoint Point)> Points(NamedCurve[] curves) =>
        ReportTable.Of("curves", curves.SelectMany(c => c.Curve.Points.Select(p => (c.Name, c.Curve.BySign, Point: p))))
            .Hidden("method", r => r.Name)
            .Hidden("fraction", r => r.Point.Fraction)
            .Hidden("edges", r => r.Point.Edges)
            .Hidden("edges_after_prune", r => r.Point.EdgesAfterPrune)
            .Hidden("faithfulness", r => r.Point.Faithfulness)
            .Hidden("low", r => r.Point.Low)
            .Hidden("high", r => r.Point.High)
            .Hidden("ranking", r => r.BySign ? CurveCsv.ByScore : CurveCsv.ByMagnitude);

    private static void AddAreas(CommandReport report, List<ReportMethod> methods, IReadOnlyList<SparsityCurves> curves)
    {
        report.Table(ReportTable.Of("areas", methods.Zip(curves))
            .Text("method", "method", r => r.First.Name)
            .Number("CPR", "cpr", r => r.Second.Cpr)
            .Number("CMD", "cmd", r => r.Second.Cmd));
        report.Note("CPR: area under faithfulness, signed scores; higher is better. CMD: area between faithfulness and 1, "
            + "absolute scores; lower is better.");
    }
}
