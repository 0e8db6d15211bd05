using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Positions;
using Gradpath.Gpt2Runtime.Runs;

namespace Gradpath.Gpt2Runtime.Tests.Positions;

/// <summary>Spans for prompts of any length.</summary>
internal static class PositionalPrompts
{
    /// <summary>A pair with spans: a first token, the last token, what lies between in two parts, one of which has no name.</summary>
    /// <param name="pair">The pair.</param>
    public static PromptPair Named(PromptPair pair)
    {
        int middle = Math.Max(1, pair.Length / 2), last = pair.Length - 1;
        return pair with
        {
            Spans = [new("end", last, last + 1), new("a", 0, Math.Min(1, last)), new("b", Math.Min(1, last), Math.Min(middle, last))],
        };
    }

    /// <summary>The span of each token.</summary>
    /// <param name="pair">The pair.</param>
    /// <param name="graph">The graph, whose numbers spans have.</param>
    public static int[] SpansOf(PromptPair pair, PositionalGraph graph)
    {
        int[] spans = new int[pair.Length];
        Array.Fill(spans, graph.SpanOf(SpanTable.Rest));
        foreach (TokenSpan span in pair.Spans)
        {
            for (int p = span.From; p < span.To; p++) spans[p] = graph.SpanOf(span.Name);
        }
        return spans;
    }

    /// <summary>The metric that scores were made with.</summary>
    /// <param name="scores">The scores.</param>
    public static Metric MetricOf(this PositionalScores scores) => BuiltInMetrics.Find(scores.Provenance!.Metric!);
}
