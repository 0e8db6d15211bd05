using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Gpt2Runtime.Transcoders;

/// <summary>
/// The direct effects between the tokens, features, errors and logits of one prompt. A node is a source (a slot, or a token behind all
/// slots) or a logit (behind all sources). What a node's edges add up to, with constants that belong to no node, is what it reads.
/// </summary>
internal sealed class AttributionGraph
{
    private readonly Dictionary<int, GraphRow> _rows;

    /// <summary>Gathers a graph.</summary>
    /// <param name="sources">The sources.</param>
    /// <param name="tokens">The prompt.</param>
    /// <param name="logits">The logits, most probable first.</param>
    /// <param name="rows">Incoming edges of the features that take part, and of the logits.</param>
    /// <param name="fits">Per layer how much the transcoder accounts for.</param>
    public AttributionGraph(
        GraphSources sources, int[] tokens, IReadOnlyList<GraphLogit> logits, IEnumerable<GraphRow> rows, IReadOnlyList<LayerFit> fits)
    {
        (Sources, Tokens, Logits, Fits) = (sources, tokens, logits, fits);
        _rows = rows.ToDictionary(r => r.Slot >= 0 ? r.Slot : sources.Count - 1 - r.Slot);
    }

    /// <summary>The sources.</summary>
    public GraphSources Sources { get; }

    /// <summary>The prompt.</summary>
    public int[] Tokens { get; }

    /// <summary>The logits, most probable first.</summary>
    public IReadOnlyList<GraphLogit> Logits { get; }

    /// <summary>Per layer how much its transcoder accounts for.</summary>
    public IReadOnlyList<LayerFit> Fits { get; }

    /// <summary>Number of nodes, features that were left out included.</summary>
    public int Count => Sources.Count + Logits.Count;

    /// <summary>Features that take part.</summary>
    public int FeatureCount => _rows.Count - Logits.Count;

    /// <summary>What every slot writes [slots, D]; null where nobody asks.</summary>
    public float[]? Vectors { get; init; }

    /// <summary>How it was made; null where nobody asks.</summary>
    public Provenance? Provenance { get; init; }

    /// <summary>The same graph with a note of how it was made.</summary>
    /// <param name="made">The note.</param>
    public AttributionGraph With(Provenance made) => new(Sources, Tokens, Logits, _rows.Values, Fits) { Provenance = made };

    /// <summary>Whether a node takes part: features beyond the most that were asked for do not.</summary>
    /// <param name="node">The node.</param>
    public bool Has(int node) => !IsFeature(node) || _rows.ContainsKey(node);

    /// <summary>Whether a node is a feature.</summary>
    /// <param name="node">The node.</param>
    public bool IsFeature(int node) => node < Sources.Slots.Length && Sources.Slots[node].Feature >= 0;

    /// <summary>Whether a node is an error.</summary>
    /// <param name="node">The node.</param>
    public bool IsError(int node) => node < Sources.Slots.Length && Sources.Slots[node].Feature < 0;

    /// <summary>The incoming edges of a node; null where it has none.</summary>
    /// <param name="node">The node.</param>
    public GraphRow? Incoming(int node) => _rows.GetValueOrDefault(node);

    /// <summary>Nodes with incoming edges, from the logits down to the first layer.</summary>
    public IEnumerable<int> Targets() => _rows.Keys.OrderDescending();

    /// <summary>The effect of a node on another.</summary>
    /// <param name="source">The source.</param>
    /// <param name="target">The target.</param>
    public float Weight(int source, int target) => Incoming(target)?[source, Sources.Slots.Length] ?? 0;
}
