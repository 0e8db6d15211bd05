using System.Text.Json;
using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Gpt2Runtime.Evaluation;

/// <summary>The node sets of <see cref="Completeness"/> and <see cref="Minimality"/>.</summary>
/// <remarks>
/// Drawn are nodes of the circuit other than <c>input</c>: without its input nothing of a circuit is left, and every set with it would say
/// the same.
/// </remarks>
public static class NodeSets
{
    /// <summary>The set of no nodes.</summary>
    public static NodeSet Empty { get; } = new("empty", "", []);

    /// <summary>The nodes that sets are drawn from.</summary>
    /// <param name="circuit">The circuit.</param>
    /// <returns>Its nodes without the input and the logits, lowest row first.</returns>
    public static int[] Candidates(Circuit circuit)
    {
        ArgumentNullException.ThrowIfNull(circuit);
        return [.. circuit.Nodes.Where(node => node != ComputationGraph.InputRow)];
    }

    /// <summary>Random halves: each node is in a set with probability 1/2.</summary>
    /// <param name="circuit">The circuit.</param>
    /// <param name="count">Number of sets.</param>
    /// <param name="seed">The same seed gives the same sets.</param>
    /// <returns>The sets.</returns>
    public static IReadOnlyList<NodeSet> Random(Circuit circuit, int count, ulong seed)
    {
        ArgumentNullException.ThrowIfNull(circuit);
        var random = new SplitMix64(seed);
        int[] nodes = Candidates(circuit);
        return [.. Enumerable.Range(1, count).Select(draw =>
            new NodeSet("random", $"{draw}", [.. nodes.Where(_ => random.Below(2) == 1)]))];
    }

    /// <summary>Reads classes of nodes: a JSON object of lists of names, <c>{"name movers": ["a9.h9", "a10.h0"]}</c>.</summary>
    /// <param name="path">The file.</param>
    /// <param name="circuit">The circuit; nodes of a class that are not in it are left out, and so are classes without a node in
    /// it.</param>
    /// <returns>The classes in file order.</returns>
    /// <exception cref="GradpathException">The file cannot be read, is no such object, or names a node that the model does not
    /// have.</exception>
    public static IReadOnlyList<NodeSet> ReadClasses(string path, Circuit circuit)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(circuit);
        UnreadableFile.Require(path);
        return JsonFile.Read(path, root =>
        {
            if (root.ValueKind != JsonValueKind.Object) throw NotClasses(path);
            var classes = new List<NodeSet>();
            foreach (JsonProperty entry in root.EnumerateObject())
            {
                if (entry.Value.ValueKind != JsonValueKind.Array) throw NotClasses(path);
                int[] nodes = [.. entry.Value.EnumerateArray().Select(name => Node(name, path, entry.Name, circuit.Graph))
                    .Where(circuit.ContainsNode).Distinct().Order()];
                if (nodes.Length > 0) classes.Add(new NodeSet("class", entry.Name, nodes));
            }
            return classes;
        });
    }

    /// <summary>A circuit, or the full model, without some nodes: all edges from and to them are removed.</summary>
    /// <param name="circuit">The circuit.</param>
    /// <param name="nodes">Rows of the nodes.</param>
    /// <returns>What is left, not pruned.</returns>
    public static Circuit Without(Circuit circuit, IEnumerable<int> nodes)
    {
        ArgumentNullException.ThrowIfNull(circuit);
        ArgumentNullException.ThrowIfNull(nodes);
        ComputationGraph graph = circuit.Graph;
        bool[] edges = circuit.Membership.ToArray();
        foreach (int node in nodes)
        {
            edges.AsSpan(node * graph.Readers, graph.Readers).Clear();
            foreach (int column in graph.ReadersOf(node))
            {
                for (int row = 0; row < graph.WritersBefore(column); row++) edges[(row * graph.Readers) + column] = false;
            }
        }
        return new Circuit(graph, edges);
    }

    private static int Node(JsonElement name, string path, string group, ComputationGraph graph)
    {
        if (name.ValueKind != JsonValueKind.String) throw NotClasses(path);
        return graph.TryParseWriter(name.GetString(), out int row)
            ? row
            : throw new GradpathException(
                $"{path}: the class {Quoted.Text(group)} names {Quoted.Text(name.GetString())}, which is "
                    + $"no node of {graph}; nodes are input, a3.h1 and m3.");
    }

    private static GradpathException NotClasses(string path) =>
        new($"{path}: must be a JSON object of lists of node names, such as {{\"name movers\": [\"a9.h9\", \"a10.h0\"]}}.");
}
