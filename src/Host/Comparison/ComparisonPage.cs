using System.Net;
using System.Text;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Drawing;
using Gradpath.Host.Reports.Pages;
using Gradpath.Host.Reports.Pictures;

namespace Gradpath.Host.Comparison;

/// <summary>
/// The page of a benchmark: the table, KL and faithfulness over sparsity, training, and where the methods disagree about heads.
/// </summary>
internal static class ComparisonPage
{
    // KL is shown on a logarithmic axis; of circuits that are as good as the model float32 leaves nothing meaningful below this.
    private const double LeastKl = 1e-6;

    /// <summary>The page's text.</summary>
    public static string Of(ComparisonReport report)
    {
        StringBuilder body = new("<dl>\n");
        foreach ((string name, string value) in report.Facts)
            body.Append($"<dt><b>{WebUtility.HtmlEncode(name)}</b></dt><dd>{WebUtility.HtmlEncode(value)}</dd>\n");
        body.Append("</dl>\n<h2>Comparison</h2>\n");
        body.Append(PlainPage.Table(ComparisonTable.Heads(report.Metric), 1, report.Rows.Select(ComparisonTable.Cells)));
        foreach (string note in ComparisonTable.Notes) body.Append($"<p>{WebUtility.HtmlEncode(note)}</p>\n");
        if (report.Judged)
        {
            body.Append("<h2>Edges against the ground truth</h2>\n").Append(
                PlainPage.Table(ComparisonTable.EdgeHeads, 1, report.Rows.Select(r => ComparisonTable.EdgeCells(r, report.Rows))));
            body.Append($"<p>{WebUtility.HtmlEncode(ComparisonTable.AreaNote)}</p>\n");
        }
        body.Append("<h2>KL from the full model over sparsity</h2>\n").Append(Kl(report.Rows));
        if (report.Rows.Any(r => double.IsFinite(r["faithfulness"])))
            body.Append("<h2>Faithfulness over sparsity</h2>\n").Append(Faithful(report.Rows));
        if (report.Training.Count > 0) body.Append("<h2>Training of the masks</h2>\n").Append(Training(report.Training));
        if (report.Heads.Count > 0)
        {
            body.Append("<h2>Heads that eap drops and searches keep</h2>\n");
            body.Append(PlainPage.Table(["sparsity", "method", "keeps, eap does not", "drops, eap does not"], 4,
                report.Heads.Select(h => (string[])[ComparisonTable.Percent(h.Asked), h.Method, Names(h.Kept), Names(h.Dropped)])));
        }
        return PlainPage.Of(report.Title, body.ToString());
    }

    /// <summary>Names in a row; a dash for none.</summary>
    public static string Names(IReadOnlyList<string> names) => names.Count > 0 ? string.Join(", ", names) : "-";

    private static string Kl(IReadOnlyList<ComparisonRow> rows)
    {
        static double Height(ComparisonRow row) => Math.Log10(Math.Max(LeastKl, row["kl"]));
        return LineChart.Draw(
            "KL from the full model over sparsity", Sparsities(rows), ChartAxis.Logarithmic("KL", rows.Select(Height)),
            Lines(rows, r => new ChartPoint(Place(r["sparsity_reached"]), Height(r))));
    }

    private static string Faithful(IReadOnlyList<ComparisonRow> rows)
    {
        ComparisonRow[] finite = [.. rows.Where(r => double.IsFinite(r["faithfulness"]))];
        ChartAxis y = ChartAxis.Linear(
            "faithfulness", Math.Min(0, finite.Min(r => r["faithfulness"])), Math.Max(1, finite.Max(r => r["faithfulness"])));
        return LineChart.Draw("Faithfulness over sparsity", Sparsities(rows), y,
            Lines(
            finite, r => new ChartPoint(Place(r["sparsity_reached"]), r["faithfulness"], r["faithfulness_low"], r["faithfulness_high"])));
    }

    private static string Training(IReadOnlyList<(string Name, IReadOnlyList<EdgePruningStep> Steps)> runs)
    {
        ChartLine[] lines = [.. runs.Select(run => new ChartLine(run.Name,
            [.. TrainingWindow.Of(run.Steps).Select(w => new ChartPoint((w.From + w.To) / 2.0, Math.Log10(Math.Max(LeastKl, w.Kl))))]))];
        ChartAxis steps = ChartAxis.Linear("step", 0, runs.Max(r => r.Steps.Count));
        return LineChart.Draw("KL under the step's masks, means over windows of steps", steps,
            ChartAxis.Logarithmic("KL", lines.SelectMany(l => l.Points).Select(p => p.Y)), lines);
    }

    private static ChartLine[] Lines(IEnumerable<ComparisonRow> rows, Func<ComparisonRow, ChartPoint> point) =>
        [.. rows.GroupBy(r => r.Method).Select(g => new ChartLine(g.Key, [.. g.OrderBy(r => r["sparsity_reached"]).Select(point)]))];

    // Sparsity on a logarithmic axis of what is left, sparser to the right. Points stand at what was reached, marks at what was asked for.
    private static ChartAxis Sparsities(IReadOnlyList<ComparisonRow> rows)
    {
        double[] asked = [.. rows.Select(r => r.Asked).Distinct().Order()];
        IEnumerable<double> all = [.. asked.Select(Place), .. rows.Where(r => r["edges"] > 0).Select(r => Place(r["sparsity_reached"]))];
        string empty = rows.Any(r => r["edges"] == 0) ? "; empty circuits at the right end" : "";
        return new ChartAxis($"sparsity: share of the edges left out{empty}", all.Min(), all.Max(),
            [.. asked.Select(a => (Place(a), ComparisonTable.Percent(a)))]);
    }

    private static double Place(double sparsity) => sparsity < 1 ? -Math.Log10(1 - sparsity) : double.MaxValue;
}
