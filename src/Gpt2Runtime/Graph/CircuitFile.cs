namespace Gradpath.Gpt2Runtime.Graph;

/// <summary>
/// Files of circuits. The formats are those of <see cref="ScoreFile"/>: a circuit is in the <c>in_graph</c> flags of edges and nodes,
/// beside the scores that it was selected from. A circuit without scores is written with 1 for its edges and 0 for the others, so that
/// other programs can rank them. The provenance states how it was selected and its number of edges before and after pruning.
/// </summary>
internal static class CircuitFile
{
    /// <summary>Reads a circuit, from a file of this program's or the EAP-IG library's.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The circuit with the file's scores. Its nodes follow from its edges; the file's own flags of nodes are not
    /// consulted.</returns>
    /// <exception cref="GradpathException">The file cannot be read, or holds scores from which no circuit has been selected.</exception>
    public static Circuit Read(string path)
    {
        EdgeScores scores = ScoreFile.Read(path);
        if (scores.EdgesInGraph.IsEmpty)
        {
            const string Reason = "holds scores but no circuit: no edge in it is marked in_graph";
            throw GradpathException.Worded($"{path}: {Reason}. Select a circuit from it first ({Terms.CircuitSelection}).");
        }
        int count = scores.EdgesInGraph.Count(true);
        int before = scores.Provenance?.EdgesBeforePrune ?? count;
        return before >= count
            ? new Circuit(scores.Graph, scores.EdgesInGraph) { Scores = scores, EdgesBeforePrune = before }
            : throw new GradpathException($"{path}: 'gradpath.edges_before_prune' is {before}, but the circuit has {count} edges.");
    }

    /// <summary>Writes a circuit; a file that exists is replaced, and only by a whole one.</summary>
    /// <param name="path">The file.</param>
    /// <param name="circuit">The circuit.</param>
    /// <exception cref="GradpathException">The extension is not known, a score is not finite, or the file cannot be written.</exception>
    public static void Write(string path, Circuit circuit) => ScoreFile.Write(path, Marked(circuit));

    /// <summary>A circuit's scores in which the circuit is marked; 1 for its edges and 0 for the others where it has none.</summary>
    /// <param name="circuit">The circuit.</param>
    /// <returns>The scores.</returns>
    public static EdgeScores Marked(Circuit circuit)
    {
        ComputationGraph graph = circuit.Graph;
        ReadOnlySpan<float> values = circuit.Scores is { } scores
            ? scores.Values
            : Array.ConvertAll(circuit.Membership.ToArray(), isIn => isIn ? 1f : 0f);
        return new EdgeScores(graph, values)
        {
            NodeScores = circuit.Scores is { } withNodes ? withNodes.NodeScores : [],
            EdgesInGraph = circuit.Membership,
            NodesInGraph = [.. Enumerable.Range(0, graph.Writers).Select(circuit.ContainsNode)],
            ModelWidth = circuit.ModelWidth,
            Provenance = (circuit.Provenance ?? new Provenance()) with
            {
                EdgesBeforePrune = circuit.EdgesBeforePrune,
                EdgesInCircuit = circuit.EdgeCount,
            },
        };
    }
}
