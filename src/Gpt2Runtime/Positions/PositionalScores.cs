using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Gpt2Runtime.Positions;

/// <summary>The scores of all edges between spans.</summary>
public sealed class PositionalScores
{
    private readonly float[] _values;

    /// <summary>Scores for a graph.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="values">A score per number of <see cref="PositionalGraph"/>. Copied; what stands for no edge becomes 0.</param>
    /// <exception cref="ArgumentException">There are not as many values as numbers.</exception>
    public PositionalScores(PositionalGraph graph, ReadOnlySpan<float> values)
    {
        ArgumentNullException.ThrowIfNull(graph);
        if (values.Length != graph.Cells)
            throw new ArgumentException($"expected {graph.Cells} values, got {values.Length}", nameof(values));
        Graph = graph;
        _values = new float[graph.Cells];
        foreach (PositionalEdge edge in graph.Edges)
        {
            int at = graph.IndexOf(edge);
            _values[at] = values[at];
        }
    }

    /// <summary>The graph that numbers belong to.</summary>
    public PositionalGraph Graph { get; }

    /// <summary>A score per number; 0 where there is no edge.</summary>
    public ReadOnlySpan<float> Values => _values;

    /// <summary>Width D of the model's residual stream; 0 where a file did not say.</summary>
    public int ModelWidth { get; init; }

    /// <summary>How the scores were made, or null where a file did not say.</summary>
    public Provenance? Provenance { get; init; }

    /// <summary>The score of an edge.</summary>
    /// <param name="edge">An edge of the graph.</param>
    public float this[PositionalEdge edge] => _values[Graph.IndexOf(edge)];

    /// <summary>Reads scores from a file, see <see cref="Save"/>.</summary>
    /// <param name="path">The file: <c>.json</c> or <c>.safetensors</c>.</param>
    /// <returns>The scores.</returns>
    /// <exception cref="GradpathException">The file cannot be read, or has no positions.</exception>
    public static PositionalScores Load(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return PositionalFile.Read(path).Scores;
    }

    /// <summary>Writes the scores with their provenance to a file. One that exists is replaced, and only by a whole one.</summary>
    /// <param name="path">The file; its extension names the format: <c>.json</c> or <c>.safetensors</c>.</param>
    /// <exception cref="GradpathException">The extension is not known, or the file cannot be written.</exception>
    public void Save(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        PositionalFile.Write(path, this);
    }

    /// <summary>
    /// The strongest edges, strongest first. Of equal ones the one of the lowest number comes first, so that the ranking is the same on
    /// every run.
    /// </summary>
    /// <param name="count">How many; all where the graph has fewer.</param>
    /// <param name="bySign">Rank by the score itself instead of its absolute value.</param>
    public PositionalEdge[] Strongest(int count, bool bySign = false)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        PositionalEdge[] edges = [.. Graph.Edges];
        (float Strength, int Number)[] keys = [.. edges.Select(e =>
        {
            int at = Graph.IndexOf(e);
            return (-(bySign ? _values[at] : MathF.Abs(_values[at])), at);
        })];
        Array.Sort(keys, edges);
        return edges[..Math.Min(count, edges.Length)];
    }

    /// <summary>Refuses scores of a model of another shape.</summary>
    /// <param name="config">The model that they are to be used with.</param>
    /// <param name="source">Where the scores came from, for the message.</param>
    /// <exception cref="GradpathException">The shapes differ; the message states both.</exception>
    public void RequireModel(Gpt2Config config, string source)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(source);
        ModelShape.Require(Graph.Graph, ModelWidth, config, source, "scores belong");
    }
}
