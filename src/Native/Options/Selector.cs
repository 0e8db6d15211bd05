using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Native.Calls;

namespace Gradpath.Native.Options;

/// <summary>Selects circuits from scores: the options of <c>gradpath circuit</c>.</summary>
internal static class Selector
{
    private static readonly (string Name, Func<EdgeScores, int, bool, Circuit> Select)[] s_counts =
    [
        ("top-n", CircuitSelection.TopEdges), ("greedy", CircuitSelection.Greedy), ("nodes", CircuitSelection.Nodes),
    ];

    /// <summary>Selects a circuit.</summary>
    /// <param name="o">One of <c>top-n</c>, <c>greedy</c>, <c>nodes</c>, <c>threshold</c>; <c>signed</c>, <c>prune</c> (true by default)
    /// and <c>fill</c>.</param>
    /// <returns>What makes the circuit of scores, which state how it was selected.</returns>
    /// <exception cref="CallException">Not one way to select is given, or options do not go together.</exception>
    public static Func<EdgeScores, Circuit> Read(OptionObject o)
    {
        bool signed = o.Flag("signed") ?? false;
        bool prune = o.Flag("prune") ?? true;
        bool fill = o.Flag("fill") ?? false;
        List<(string Name, JsonValue Value, Func<EdgeScores, Circuit> Select)> ways = [];
        foreach ((string name, Func<EdgeScores, int, bool, Circuit> select) in s_counts)
        {
            if (o.Count(name, 0) is not { } count) continue;
            bool fills = fill && name != "nodes";
            Circuit Make(EdgeScores scores) => fills
                ? CircuitPruning.Fill(n => select(scores, n, signed), count, scores.Graph.EdgeCount)
                : select(scores, count, signed);
            ways.Add((name, JsonValue.Create(count), Make));
        }
        if (o.Number("threshold") is { } least)
        {
            if (least < 0 && !signed)
                throw CallException.Argument($"options: threshold {least}: |score| is never below 0, so that every edge is in; add signed");
            ways.Add(("threshold", JsonValue.Create(least), scores => CircuitSelection.Threshold(scores, (float)least, signed)));
        }
        if (ways.Count != 1)
        {
            string given = ways.Count == 0 ? "none is given" : $"given are {string.Join(" and ", ways.Select(w => w.Name))}";
            throw CallException.Argument($"options: say one way to select, top-n, greedy, nodes or threshold; {given}");
        }
        (string way, JsonValue value, Func<EdgeScores, Circuit> made) = ways[0];
        if (fill && way is not ("top-n" or "greedy"))
            throw CallException.Argument($"options: fill goes with top-n and greedy, not with {way}");
        if (fill && !prune) throw CallException.Argument("options: fill counts what pruning leaves; it does not go with prune false");
        return scores =>
        {
            Circuit selected = made(scores);
            return SelectedCircuit.State(prune ? CircuitPruning.Prune(selected) : selected, way, value.DeepClone(), signed, prune, fill);
        };
    }
}
