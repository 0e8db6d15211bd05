using System.Globalization;
using System.Text.RegularExpressions;

namespace Gradpath.Gpt2Runtime.Graph.Exchange;

/// <summary>
/// Scores or a circuit of a list of edges. A list of all edges of a model is scores; a list of some is a circuit of these, unless the
/// list itself says which are in. Edges without a score count as 0.
/// </summary>
internal static partial class EdgeList
{
    /// <summary>The scores or the circuit that a list is.</summary>
    /// <param name="source">The file, for messages.</param>
    /// <param name="asked">The model's shape; needed where the list does not have all edges.</param>
    /// <param name="entries">The list.</param>
    /// <param name="hasScores">Whether edges of the list may have scores; else each is 1 in the circuit and 0 outside.</param>
    /// <exception cref="GradpathException">A name is no edge's or appears twice, a score is infinite, or the shape is not
    /// known.</exception>
    public static EdgeScores Build(string source, GraphShape asked, IReadOnlyList<EdgeEntry> entries, bool hasScores)
    {
        ComputationGraph graph = GraphOf(source, asked, entries);
        float[] values = new float[graph.Writers * graph.Readers];
        bool[] seen = new bool[values.Length], marked = new bool[values.Length];
        int unscored = 0;
        foreach (EdgeEntry entry in entries)
        {
            if (!graph.TryParseEdge(entry.Name, out int row, out int column))
                throw new GradpathException($"{entry.Where}: there is no edge {Quoted.Text(entry.Name)} in a GPT-2 model of {graph}.");
            int index = (row * graph.Readers) + column;
            if (seen[index]) throw new GradpathException($"{entry.Where}: the edge {entry.Name} appears twice.");
            seen[index] = true;
            marked[index] = entry.IsIn == true;
            if (entry.Score is { } score && !float.IsNaN(score))
            {
                values[index] = float.IsFinite(score) ? score
                    : throw new GradpathException($"{entry.Where}: the score of {entry.Name} is infinite or beyond float32.");
            }
            else if (hasScores) unscored++;
        }
        bool says = entries.Any(e => e.IsIn is not null);
        bool[]? circuit = says ? marked : hasScores && entries.Count == graph.EdgeCount ? null : seen;
        if (!hasScores) values = Array.ConvertAll(circuit!, isIn => isIn ? 1f : 0f);
        return new EdgeScores(graph, values)
        {
            EdgesInGraph = circuit,
            NodesInGraph = circuit is null ? null : NodesOf(new Circuit(graph, circuit)),
            UnscoredEdges = unscored,
        };
    }

    private static bool[] NodesOf(Circuit circuit) => [.. Enumerable.Range(0, circuit.Graph.Writers).Select(circuit.ContainsNode)];

    private static ComputationGraph GraphOf(string source, GraphShape asked, IReadOnlyList<EdgeEntry> entries)
    {
        (int layers, int heads) = (asked.Layers ?? 0, asked.Heads ?? 0);
        if (layers == 0 || heads == 0)
        {
            (int seenLayers, int seenHeads) = Seen(entries);
            (layers, heads) = (asked.Layers ?? seenLayers, asked.Heads ?? seenHeads);
            bool isWhole = layers > 0 && heads > 0 && GraphNumbering.Lack(layers, heads) is null
                && GraphNumbering.Edges(layers, heads) == entries.Count;
            if (!isWhole)
            {
                string listed = entries.Count == 1 ? "1 edge" : string.Create(CultureInfo.InvariantCulture, $"{entries.Count} edges");
                string lacks = $"lists {listed}, not all of a model, and does not say of what model";
                throw GradpathException.Worded($"{source}: {lacks}; say so with {Terms.Layers} and {Terms.Heads}.");
            }
        }
        if (GraphNumbering.Lack(layers, heads) is { } lack) throw new GradpathException($"{source}: {lack}.");
        return new ComputationGraph(layers, heads);
    }

    // One more than the largest numbers in the names; names that are none of an edge are refused here.
    private static (int Layers, int Heads) Seen(IReadOnlyList<EdgeEntry> entries)
    {
        (int layers, int heads) = (0, 0);
        foreach (EdgeEntry entry in entries)
        {
            Match match = Name().Match(entry.Name);
            if (!match.Success)
            {
                throw new GradpathException(
                    $"{entry.Where}: {Quoted.Text(entry.Name)} is no edge; names have the form a0.h1->m2 or a0.h1->a3.h2<q>.");
            }
            layers = Largest(match.Groups["layer"], layers);
            heads = Largest(match.Groups["head"], heads);
        }
        return (layers, heads);
    }

    private static int Largest(Group numbers, int least) => numbers.Captures
        .Select(c => 1 + int.Parse(c.ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture)).Append(least).Max();

    [GeneratedRegex(@"^(input|a(?<layer>[0-9]{1,6})\.h(?<head>[0-9]{1,6})|m(?<layer>[0-9]{1,6}))"
        + @"->(logits|a(?<layer>[0-9]{1,6})\.h(?<head>[0-9]{1,6})<[qkv]>|m(?<layer>[0-9]{1,6}))\z", RegexOptions.ExplicitCapture)]
    private static partial Regex Name();
}
