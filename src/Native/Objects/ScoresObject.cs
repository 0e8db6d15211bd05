using System.Buffers;
using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Native.Handles;

namespace Gradpath.Native.Objects;

/// <summary>Scores of edges. Their matrix can be read in place until the handle is closed.</summary>
/// <param name="scores">The scores.</param>
internal sealed class ScoresObject(EdgeScores scores) : IHandled
{
    private readonly Lock _lock = new();
    private MemoryHandle? _pinned;

    /// <summary>The scores.</summary>
    public EdgeScores Scores { get; } = scores;

    /// <inheritdoc />
    public HandleKind Kind => HandleKind.Scores;

    /// <summary>The address of the matrix [F, K], which holds until this is disposed of.</summary>
    public unsafe float* Address
    {
        get
        {
            lock (_lock)
            {
                _pinned ??= Scores.ValueMemory.Pin();
                return (float*)_pinned.Value.Pointer;
            }
        }
    }

    /// <inheritdoc />
    public JsonObject Describe() => new()
    {
        ["n_layers"] = Scores.Graph.Layers,
        ["n_heads"] = Scores.Graph.Heads,
        ["n_writers"] = Scores.Graph.Writers,
        ["n_readers"] = Scores.Graph.Readers,
        ["n_edges"] = Scores.Graph.EdgeCount,
        ["d_model"] = Scores.ModelWidth,
        ["has_node_scores"] = !Scores.NodeScores.IsEmpty,
        ["has_circuit"] = !Scores.EdgesInGraph.IsEmpty,
        ["provenance"] = Scores.Provenance?.ToJson(),
    };

    /// <inheritdoc />
    public void Dispose()
    {
        lock (_lock) _pinned?.Dispose();
    }
}
