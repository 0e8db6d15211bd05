using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Model;

/// <summary>
/// Per layer the two vectors that make a reader's LayerNorm gradient cheap: W^T gain and b + W^T shift of the joint
/// query-key-value projection. Made once per model.
/// </summary>
internal sealed class ReaderConstants : ResourceOwner
{
    private readonly Tensor[] _gainSums;
    private readonly Tensor[] _constant;

    /// <summary>Computes the constants of every layer.</summary>
    /// <param name="weights">The weights of the model, on the device that computes.</param>
    public ReaderConstants(Gpt2Weights weights)
    {
        Device device = weights.Device;
        int d = weights.Config.Width;
        _gainSums = new Tensor[weights.Layers.Count];
        _constant = new Tensor[weights.Layers.Count];
        Gains = Own(device.Allocate(weights.Layers.Count, d));
        for (int l = 0; l < weights.Layers.Count; l++)
        {
            Gpt2Layer layer = weights.Layers[l];
            device.CopyBlock(layer.AttentionGain, 0, Gains, (long)l * d, d);
            _gainSums[l] = Own(device.Allocate(3 * d));
            _constant[l] = Own(device.Allocate(3 * d));
            device.Gemm(layer.AttentionGain.AsMatrix(1, d), layer.QkvWeight.AsMatrix(), _gainSums[l].AsMatrix(1, 3 * d));
            device.Gemm(layer.AttentionShift.AsMatrix(1, d), layer.QkvWeight.AsMatrix(), _constant[l].AsMatrix(1, 3 * d),
                new GemmOptions(Bias: layer.QkvBias));
        }
    }

    /// <summary>[L, D]: the gains in front of attention, layer after layer.</summary>
    public Tensor Gains { get; }

    /// <summary>W^T gain.</summary>
    /// <param name="layer">Index of the layer.</param>
    /// <returns>[3 D].</returns>
    public Tensor GainSums(int layer) => _gainSums[layer];

    /// <summary>b + W^T shift.</summary>
    /// <param name="layer">Index of the layer.</param>
    /// <returns>[3 D].</returns>
    public Tensor Constant(int layer) => _constant[layer];
}
