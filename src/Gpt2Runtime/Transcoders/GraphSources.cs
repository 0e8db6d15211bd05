using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Transcoders;

/// <summary>
/// What writes into the residual stream of a prompt: per layer and position the active features, then the error, the part of the MLP's
/// output that they leave over. A slot is a place in this order. Tokens with their positions come behind all slots.
/// </summary>
internal sealed class GraphSources
{
    private readonly int[] _starts;

    /// <summary>Lays out the slots.</summary>
    /// <param name="layers">Number of layers.</param>
    /// <param name="positions">Number of positions.</param>
    /// <param name="features">The features that take part, by layer, position and feature.</param>
    public GraphSources(int layers, int positions, IReadOnlyList<ActiveFeature> features)
    {
        (Layers, Positions) = (layers, positions);
        Slots = new ActiveFeature[features.Count + (layers * positions)];
        _starts = new int[(layers * positions) + 1];
        int at = 0, next = 0;
        for (int block = 0; block < layers * positions; block++)
        {
            (int layer, int position) = (block / positions, block % positions);
            _starts[block] = at;
            while (next < features.Count && features[next].Layer == layer && features[next].Position == position)
                Slots[at++] = features[next++];
            Slots[at++] = new ActiveFeature(layer, position, -1, 0);
        }
        if (next != features.Count) throw new ArgumentException("features in another order", nameof(features));
        _starts[^1] = at;
    }

    /// <summary>Number of layers.</summary>
    public int Layers { get; }

    /// <summary>Number of positions.</summary>
    public int Positions { get; }

    /// <summary>The slots; an error's feature is -1.</summary>
    public ActiveFeature[] Slots { get; }

    /// <summary>Slots and tokens.</summary>
    public int Count => Slots.Length + Positions;

    /// <summary>What every slot writes [slots, D], on the device; set once it is known.</summary>
    public Tensor? Vectors { get; set; }

    /// <summary>The first slot of a layer; of the layer behind the last one, the number of slots.</summary>
    /// <param name="layer">The layer.</param>
    public int Start(int layer) => _starts[layer * Positions];

    /// <summary>The slots of a layer and position.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="position">The position.</param>
    /// <returns>The first one, and how many: the last one is the error.</returns>
    public (int First, int Count) Block(int layer, int position)
    {
        int block = (layer * Positions) + position;
        return (_starts[block], _starts[block + 1] - _starts[block]);
    }
}
