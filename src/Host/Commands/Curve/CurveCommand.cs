using System.Globalization;
using System.Text;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Host.Reports;
using Gradpath.Host.Reports.Csv;
using Gradpath.Host.Reports.Pages;
using Gradpath.Host.Sessions;
using Spectre.Console;

namespace Gradpath.Host.Commands;

/// <summary><c>gradpath curve</c>: score files, a model and prompts in, faithfulness at every size out.</summary>
internal static class CurveCommand
{
    public static int Run(CurveOptions o, Terminal terminal, CancellationToken cancellation)
    {
        o.CheckShared();
        double[] fractions = [.. o.Fractions];
        foreach (double p in fractions)
        {
            if (p is not (> 0 and <= 1))
                throw new UsageException(string.Create(CultureInfo.InvariantCulture, $"--fractions {p}: must be above 0 and at most 1."));
        }
        if (o.Out is not null) CurveCsv.RequireWritable(o.Out);
        if (o.Picture is not null)
        {
            if (!o.Picture.EndsWith(".svg", StringComparison.OrdinalIgnoreCase))
                throw new UsageException($"--picture {o.Picture}: the file must end in .svg.");
            OutputFile.RequireWritable("picture", o.Picture, AtomicFile.RequireWritable);
        }
        List<ReportMethod> methods = ReportMethod.ReadAll([.. o.Scores]);
        if (methods.Count > 26) throw new UsageException($"--scores: at most 26 files at once, not {methods.Count}.");
        if (methods.GroupBy(m => m.Name).FirstOrDefault(g => g.Count() > 1) is { } same)
            throw new UsageException($"--scores: two methods would be called '{same.Key}'; give the files different names.");
        using var session = EvaluationSession.Open(
            o,
            config =>
            {
                foreach ((string file, ReportMethod method) in o.Scores.Zip(methods)) method.Scores.RequireModel(config, file);
            },
            terminal,
            cancellation);

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
        NamedCurve[] byMagnitude = [.. methods.Zip(curves, (m, c) => new NamedCurve(m.Name, c.ByMagnitude))];
        NamedCurve[] byScore = [.. methods.Zip(curves, (m, c) => new NamedCurve(m.Name, c.ByScore))];
        session.Clock.Start("write");
        if (o.Out is not null) CurveCsv.Write(o.Out, [.. byMagnitude, .. byScore]);
        if (o.Picture is not null)
        {
            byte[] svg = Encoding.UTF8.GetBytes(CurvePicture.Draw(byMagnitude, $"Faithfulness over circuit size: {session.Prompts.Task}"));
            AtomicFile.Write(o.Picture, stream => stream.Write(svg));
        }
        session.Clock.Stop();

        terminal.Out.WriteLine($"faithfulness by |score|, and the edges that pruning leaves ({(o.Greedy ? "greedy" : "largest scores")}; "
            + $"{Sizes.Count(methods[0].Scores.Graph.EdgeCount)} edges in all)");
        Print(terminal, byMagnitude);
        terminal.Out.WriteLine("faithfulness by signed score");
        Print(terminal, byScore);
        CurvePlot.Write(terminal.Out, byMagnitude);
        PrintAreas(terminal, methods, curves);
        session.PrintRun(terminal, result.Plan.Size, result.PeakDeviceBytes);
        if (o.Out is not null) terminal.Out.WriteLine($"curves: {o.Out}");
        if (o.Picture is not null) terminal.Out.WriteLine($"picture: {o.Picture}");
        return ExitCode.Success;
    }

    private static void Print(Terminal terminal, NamedCurve[] curves)
    {
        Table table = new Table { Border = TableBorder.Simple }.AddColumn(new TableColumn("size").RightAligned()).AddColumn(
            new TableColumn("edges").RightAligned());
        foreach (NamedCurve curve in curves) table.AddColumn(new TableColumn(Markup.Escape(curve.Name)).RightAligned());
        for (int i = 0; i < curves[0].Curve.Points.Count; i++)
        {
            SparsityPoint size = curves[0].Curve.Points[i];
            table.AddRow(
            [
                new Text(CurvePlot.Percent(size.Fraction)),
                new Text(Sizes.Count(size.Edges)),
                .. curves.Select(
                    c => new Text($"{ResultJson.Text(c.Curve.Points[i].Faithfulness)} ({Sizes.Count(c.Curve.Points[i].EdgesAfterPrune)})")),
            ]);
        }
        terminal.Console.Write(table);
    }

    private static void PrintAreas(Terminal terminal, List<ReportMethod> methods, IReadOnlyList<SparsityCurves> curves)
    {
        Table table = new Table { Border = TableBorder.Simple }
            .AddColumn("method").AddColumn(new TableColumn("CPR").RightAligned()).AddColumn(new TableColumn("CMD").RightAligned());
        foreach ((ReportMethod method, SparsityCurves c) in methods.Zip(curves))
            table.AddRow(new Text(method.Name), new Text(ResultJson.Text(c.Cpr)), new Text(ResultJson.Text(c.Cmd)));
        terminal.Console.Write(table);
        terminal.Out.WriteLine("CPR: area under faithfulness, signed scores; higher is better. CMD: area between faithfulness and 1, "
            + "absolute scores; lower is better.");
    }
}
