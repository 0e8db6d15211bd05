using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Model;

/// <summary>
/// Keys and values of all layers at the positions in front of a batch's spans, computed once and read by every run of the batch. No
/// gradient flows into them that matters: it could only reach differences that are 0.
/// </summary>
internal sealed class PrefixKeys : ResourceOwner
{
    private readonly Gpt2Weights _weights;
    private readonly Activations _activations;
    private readonly Tensor _embeddings;
    private readonly Tensor[] _keysValues;

    /// <summary>Allocates for the largest batch.</summary>
    /// <param name="weights">The weights of the model, on the device that computes.</param>
    /// <param name="spans">The largest batch; at least one has a prefix.</param>
    public PrefixKeys(Gpt2Weights weights, IReadOnlyList<PromptSpan> spans)
    {
        _weights = weights;
        PassCapacity capacity = CapacityFor(spans);
        Device device = weights.Device;
        _keysValues = [.. weights.Layers.Select(_ => Own(device.Allocate(capacity.Rows, 2 * weights.Config.Width)))];
        _activations = Own(new Activations(
            weights.Config, device, capacity, keepWriters: false, keepLayers: false, keysValues: _keysValues));
        _embeddings = Own(device.Allocate(capacity.Rows, weights.Config.Width));
    }

    /// <summary>Keys and values of a layer [prefix rows, 2 D].</summary>
    /// <param name="layer">Index of the layer.</param>
    /// <returns>The rows that <see cref="SequenceLayout.PrefixStart"/> numbers.</returns>
    public Tensor Of(int layer) => _keysValues[layer];

    /// <summary>Runs the prefixes of a batch.</summary>
    /// <param name="forward">A forward pass of the model.</param>
    /// <param name="shape">Their rows: those that are not empty, one copy, all rows at the output.</param>
    /// <param name="tokens">The prefixes' tokens, one prompt after the other.</param>
    public void Run(ForwardPass forward, PassShape shape, DeviceArray<int> tokens)
    {
        Device device = _weights.Device;
        int d = _weights.Config.Width;
        device.GatherRows(_weights.TokenEmbedding, tokens, shape.Rows, d, _embeddings);
        forward.Embed(shape, _activations, _embeddings);
        device.Replay(shape.Slot(new PassKey(this, forward)), (Keys: this, forward, shape), static s => s.Keys.Issue(s.forward, s.shape));
    }

    private void Issue(ForwardPass forward, PassShape shape)
    {
        int layers = _weights.Config.Layers;
        for (int l = 0; l < layers; l++)
        {
            forward.ProjectAttention(shape, _activations, l, joins: l > 0);
            if (l < layers - 1) forward.FinishLayer(shape, _activations, l);
        }
    }

    private static PassCapacity CapacityFor(IReadOnlyList<PromptSpan> spans) => PassCapacity.For(PromptSpan.Prefixes(spans), 1, false);
}
