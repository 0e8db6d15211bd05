using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Native.Handles;

namespace Gradpath.Native.Objects;

/// <summary>A circuit.</summary>
/// <param name="circuit">The circuit.</param>
internal sealed class CircuitObject(Circuit circuit) : IHandled
{
    /// <summary>The circuit.</summary>
    public Circuit Circuit { get; } = circuit;

    /// <inheritdoc />
    public HandleKind Kind => HandleKind.Circuit;

    /// <inheritdoc />
    public JsonObject Describe() => new()
    {
        ["n_layers"] = Circuit.Graph.Layers,
        ["n_heads"] = Circuit.Graph.Heads,
        ["n_writers"] = Circuit.Graph.Writers,
        ["n_readers"] = Circuit.Graph.Readers,
        ["n_edges_graph"] = Circuit.Graph.EdgeCount,
        ["n_edges"] = Circuit.EdgeCount,
        ["n_edges_before_prune"] = Circuit.EdgesBeforePrune,
        ["n_nodes"] = Circuit.NodeCount,
        ["d_model"] = Circuit.ModelWidth,
        ["has_scores"] = Circuit.Scores is not null,
        ["provenance"] = Circuit.Provenance?.ToJson(),
    };

    /// <inheritdoc />
    public void Dispose()
    {
    }
}
