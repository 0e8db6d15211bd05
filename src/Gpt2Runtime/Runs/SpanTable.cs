using System.Globalization;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Positions;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Runs;

/// <summary>
/// The span of every token of every prompt pair, and the graph of edges between spans. What no span of the prompts has is a span of its
/// own, <see cref="Rest"/>. Tokens behind a prompt (those of an answer of several tokens) belong to its last token's span.
/// </summary>
internal sealed class SpanTable
{
    /// <summary>The name of what no span has.</summary>
    public const string Rest = "rest";

    private readonly int[][] _spans;

    private SpanTable(PositionalGraph graph, int[][] spans)
    {
        Graph = graph;
        _spans = spans;
    }

    /// <summary>The graph.</summary>
    public PositionalGraph Graph { get; }

    /// <summary>Number of spans.</summary>
    public int Count => Graph.Spans.Count;

    /// <summary>The table of a prompt set.</summary>
    /// <param name="graph">The model's graph.</param>
    /// <param name="prompts">The prompt pairs.</param>
    /// <param name="mode">What tells positions apart.</param>
    /// <param name="known">The edges of a circuit, whose spans the prompts must have; null to take those of the prompts.</param>
    /// <exception cref="GradpathException">Prompts name no spans or different ones, or are of different lengths where every token is to
    /// be apart; the message names the pair.</exception>
    public static SpanTable Of(ComputationGraph graph, PromptSet prompts, PositionMode mode, PositionalGraph? known = null)
    {
        string[] names = mode == PositionMode.Tokens ? TokensOf(prompts) : SpansOf(prompts);
        int[][] spans = [.. prompts.Pairs.Select(pair => Of(pair, names, mode))];
        if (known is null) return new SpanTable(new PositionalGraph(graph, names, Crossing(spans)), spans);

        // Prompts may be without tokens that no span has.
        if (names.Except(known.Spans).Any() || known.Spans.Except(names).Any(name => name != Rest))
        {
            throw new GradpathException(
                $"the circuit's spans are {string.Join(", ", known.Spans)}; those of {prompts.Source} are {string.Join(", ", names)}.");
        }
        int[] numbers = Array.ConvertAll(names, known.SpanOf);
        foreach (int[] row in spans)
        {
            for (int p = 0; p < row.Length; p++) row[p] = numbers[row[p]];
        }
        return new SpanTable(known, spans);
    }

    /// <summary>The same for the parts of items.</summary>
    /// <param name="parts">What runs.</param>
    public SpanTable For(AnswerParts parts) =>
        new(Graph, [.. Enumerable.Range(0, parts.Pairs.Count).Select(p => _spans[parts.ItemOf(p)])]);

    /// <summary>The span of a token.</summary>
    /// <param name="item">The prompt pair.</param>
    /// <param name="position">The token, from 0.</param>
    public int SpanOf(int item, int position)
    {
        int[] spans = _spans[item];
        return spans[Math.Min(position, spans.Length - 1)];
    }

    /// <summary>What tells apart the positions of a circuit's graph: spans whose names are 0, 1, ... are tokens.</summary>
    /// <param name="graph">The graph.</param>
    public static PositionMode ModeOf(PositionalGraph graph) =>
        graph.Spans.Select((name, i) => name == i.ToString(CultureInfo.InvariantCulture)).All(same => same)
            ? PositionMode.Tokens
            : PositionMode.Spans;

    private static string[] TokensOf(PromptSet prompts)
    {
        int length = prompts.Pairs[0].Length;
        for (int i = 1; i < prompts.Pairs.Count; i++)
        {
            if (prompts.Pairs[i].Length == length) continue;
            string lengths = $"{prompts.Pairs[0].NameAt(1)} of {prompts.Source} has {length} tokens and "
                + $"{prompts.Pairs[i].NameAt(i + 1)} {prompts.Pairs[i].Length}";
            throw GradpathException.Worded($"{Terms.Positions.With(PositionMode.Tokens)}: {lengths}; it takes prompts of one length.");
        }
        return [.. Enumerable.Range(0, length).Select(p => p.ToString(CultureInfo.InvariantCulture))];
    }

    private static string[] SpansOf(PromptSet prompts)
    {
        PromptPair first = prompts.Pairs[0];
        string[] names = [.. first.Spans.OrderBy(s => s.From).Select(s => s.Name)];
        for (int i = 0; i < prompts.Pairs.Count; i++)
        {
            PromptPair pair = prompts.Pairs[i];
            if (pair.Spans.Count == 0) throw None(prompts, pair.NameAt(i + 1));
            if (TokenSpans.Wrong(pair.Spans, pair.Length) is { } wrong)
                throw new GradpathException($"{prompts.Source}: {pair.NameAt(i + 1)}: {wrong}.");
            string[] own = [.. pair.Spans.Select(s => s.Name)];
            if (own.Length == names.Length && own.All(names.Contains)) continue;
            throw new GradpathException(
                $"{prompts.Source}: {pair.NameAt(i + 1)} has the spans {string.Join(", ", own)}; {first.NameAt(1)} has "
                + $"{string.Join(", ", names)}. All prompts need the same.");
        }
        bool left = prompts.Pairs.Any(pair => pair.Spans.Sum(s => s.To - s.From) < pair.Length);
        return left && !names.Contains(Rest) ? [.. names, Rest] : names;
    }

    private static GradpathException None(PromptSet prompts, string pair)
    {
        Term spans = Terms.Positions.With(PositionMode.Spans);
        const string Row = "\"spans\": {\"name\": [from, to]}";
        return GradpathException.Worded(
            $"{spans}: {pair} of {prompts.Source} names no spans. Give every row {Row}, or take prompts of a task that names them.");
    }

    private static int[] Of(PromptPair pair, string[] names, PositionMode mode)
    {
        int[] spans = new int[pair.Length];
        if (mode == PositionMode.Tokens)
        {
            for (int p = 0; p < spans.Length; p++) spans[p] = p;
            return spans;
        }
        Array.Fill(spans, Array.IndexOf(names, Rest));
        foreach (TokenSpan span in pair.Spans) spans.AsSpan(span.From, span.To - span.From).Fill(Array.IndexOf(names, span.Name));
        return spans;
    }

    private static HashSet<(int From, int To)> Crossing(int[][] spans)
    {
        HashSet<(int, int)> pairs = [];
        foreach (int[] row in spans)
        {
            for (int p = 0; p < row.Length; p++)
            {
                for (int q = p + 1; q < row.Length; q++)
                {
                    if (row[p] != row[q]) pairs.Add((row[p], row[q]));
                }
            }
        }
        return pairs;
    }
}
