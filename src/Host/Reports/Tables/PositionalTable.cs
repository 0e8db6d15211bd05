using System.Globalization;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Drawing;
using Gradpath.Gpt2Runtime.Positions;

namespace Gradpath.Host.Reports.Tables;

/// <summary>The strongest edges between spans, and what each pair of spans has in all.</summary>
internal static class PositionalTable
{
    /// <summary>Adds both to a report.</summary>
    /// <param name="report">The report.</param>
    /// <param name="scores">The scores.</param>
    /// <param name="method">The method that made them.</param>
    /// <param name="top">How many edges are shown.</param>
    public static void Add(CommandReport report, PositionalScores scores, AttributionMethod method, int top)
    {
        PositionalGraph graph = scores.Graph;
        report.Table(ReportTable.Of("edges", scores.Strongest(top).Select((e, i) => (Rank: i + 1, Edge: e)))
            .Column("#", "rank", r => r.Rank, r => r.Rank.ToString(CultureInfo.InvariantCulture))
            .Text("edge", "edge", r => graph.EdgeName(r.Edge))
            .Column("score", "score", r => scores[r.Edge], r => ScoreText.Of(scores[r.Edge])));
        report.Plain("");
        Dictionary<(int, int), (float Size, float Sum)> pairs = graph.Pairs.ToDictionary(p => p, _ => (0f, 0f));
        foreach (PositionalEdge edge in graph.Edges)
        {
            (float size, float sum) = pairs[(edge.From, edge.To)];
            pairs[(edge.From, edge.To)] = (size + MathF.Abs(scores[edge]), sum + scores[edge]);
        }
        float all = pairs.Values.Sum(p => p.Size);
        report.Table(ReportTable.Of("span_pairs", graph.Pairs.Where(p => pairs[p].Size > 0)
            .OrderByDescending(p => pairs[p].Size))
            .Text("written in", "from", p => graph.Spans[p.From])
            .Text("read in", "to", p => graph.Spans[p.To])
            .Number("sum", "sum", p => pairs[p].Sum)
            .Number("sum of sizes", "size", p => pairs[p].Size)
            .Share("of all", "share", p => all == 0 ? 0 : pairs[p].Size / all));
        int silent = pairs.Values.Count(p => p.Size == 0);
        if (silent > 0)
            report.Note($"{Sizes.Of(silent, "more pair")} of spans, where nothing differs or nothing is read: all scores are 0.");
        report.Note($"A score is {method.Meaning}. What is written in one span and read in another goes through keys and values.");
        report.Note("Positive: corrupting the edge hurts the task. Negative: corrupting it helps.");
    }
}
