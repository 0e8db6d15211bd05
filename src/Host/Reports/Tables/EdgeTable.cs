using System.Globalization;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Drawing;
using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Host.Reports.Tables;

/// <summary>The strongest edges and what their sign says.</summary>
internal static class EdgeTable
{
    /// <summary>Adds the edges of largest absolute score to a report.</summary>
    public static void Add(CommandReport report, EdgeScores scores, AttributionMethod method, int top)
    {
        bool isSigned = method.HasSign;
        ReportTableOf<(int Rank, ScoredEdge Edge)> table = ReportTable.Of("edges", scores.Strongest(top).Select((e, i) => (i + 1, e)))
            .Column("#", "rank", r => r.Item1, r => r.Item1.ToString(CultureInfo.InvariantCulture))
            .Text("edge", "edge", r => scores.Graph.EdgeName(r.Item2.Row, r.Item2.Column))
            .Column("score", "score", r => r.Item2.Score,
                r => isSigned ? ScoreText.Of(r.Item2.Score) : r.Item2.Score.ToString("0.00000", CultureInfo.InvariantCulture));
        if (isSigned) table.Shows("corrupting it", r => r.Edge.Score switch { > 0 => "hurts", < 0 => "helps", _ => "-" }, right: false);
        report.Table(table);
        if (!isSigned)
        {
            report.Note($"A score is {method.Meaning}; it has no sign{(method.HasMetric ? "" : " and no metric")}.");
            return;
        }
        report.Note($"A score is {method.Meaning}.");
        report.Note("Positive: corrupting the edge hurts the task. Negative: corrupting it helps.");
    }
}
