using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Checkpoints;

/// <summary>The weights of one layer on a device; matrices in the checkpoint's [in, out] layout.</summary>
/// <param name="AttentionGain">Gain of the LayerNorm before the attention [D].</param>
/// <param name="AttentionShift">Its bias [D].</param>
/// <param name="QkvWeight">Queries, keys and values of all heads [D, 3 D]: all queries first, heads contiguous.</param>
/// <param name="QkvBias">[3 D].</param>
/// <param name="OutputWeight">The heads' output projection W_O [D, D]; rows of head h start at h times the head width.</param>
/// <param name="OutputBias">b_O [D]; belongs to no node of the graph.</param>
/// <param name="MlpGain">Gain of the LayerNorm before the MLP [D].</param>
/// <param name="MlpShift">Its bias [D].</param>
/// <param name="UpWeight">[D, inner].</param>
/// <param name="UpBias">[inner].</param>
/// <param name="DownWeight">[inner, D].</param>
/// <param name="DownBias">[D].</param>
internal sealed record Gpt2Layer(
    Tensor AttentionGain,
    Tensor AttentionShift,
    Tensor QkvWeight,
    Tensor QkvBias,
    Tensor OutputWeight,
    Tensor OutputBias,
    Tensor MlpGain,
    Tensor MlpShift,
    Tensor UpWeight,
    Tensor UpBias,
    Tensor DownWeight,
    Tensor DownBias);

/// <summary>All weights of a GPT-2 model on a device, float32.</summary>
public sealed class Gpt2Weights : IDisposable
{
    private readonly IDisposable? _source;

    /// <summary>Gathers weights that are on a device already.</summary>
    /// <param name="config">The model's shape.</param>
    /// <param name="tokenEmbedding">[V, D].</param>
    /// <param name="positionEmbedding">[positions, D].</param>
    /// <param name="layers">One entry a layer.</param>
    /// <param name="finalGain">Gain of the final LayerNorm [D].</param>
    /// <param name="finalShift">Its bias [D].</param>
    /// <param name="unembedding">[V, D]; the token embedding itself where the head is tied.</param>
    /// <param name="unembeddingBias">[V], or null.</param>
    /// <param name="source">Disposed of with the weights: the checkpoint whose mapped files they may lie in.</param>
    internal Gpt2Weights(
        Gpt2Config config,
        Tensor tokenEmbedding,
        Tensor positionEmbedding,
        IReadOnlyList<Gpt2Layer> layers,
        Tensor finalGain,
        Tensor finalShift,
        Tensor unembedding,
        Tensor? unembeddingBias,
        IDisposable? source = null)
    {
        Config = config;
        TokenEmbedding = tokenEmbedding;
        PositionEmbedding = positionEmbedding;
        Layers = layers;
        FinalGain = finalGain;
        FinalShift = finalShift;
        Unembedding = unembedding;
        UnembeddingBias = unembeddingBias;
        _source = source;
    }

    /// <summary>The model's shape.</summary>
    public Gpt2Config Config { get; }

    /// <summary>The device that holds the weights.</summary>
    public Device Device => TokenEmbedding.Device;

    /// <summary>[V, D].</summary>
    internal Tensor TokenEmbedding { get; }

    /// <summary>[positions, D].</summary>
    internal Tensor PositionEmbedding { get; }

    /// <summary>The layers, first one first.</summary>
    internal IReadOnlyList<Gpt2Layer> Layers { get; }

    /// <summary>Gain of the final LayerNorm [D].</summary>
    internal Tensor FinalGain { get; }

    /// <summary>Bias of the final LayerNorm [D].</summary>
    internal Tensor FinalShift { get; }

    /// <summary>[V, D]; the token embedding itself where the head is tied.</summary>
    internal Tensor Unembedding { get; }

    /// <summary>[V], or null.</summary>
    internal Tensor? UnembeddingBias { get; }

    /// <inheritdoc />
    public void Dispose()
    {
        TokenEmbedding.Dispose();
        PositionEmbedding.Dispose();
        foreach (Gpt2Layer l in Layers)
        {
            foreach (Tensor t in (ReadOnlySpan<Tensor>)[l.AttentionGain, l.AttentionShift, l.QkvWeight, l.QkvBias, l.OutputWeight, l.OutputBias, l.MlpGain, l.MlpShift, l.UpWeight, l.UpBias, l.DownWeight, l.DownBias])
            {
                t.Dispose();
            }
        }
        FinalGain.Dispose();
        FinalShift.Dispose();
        Unembedding.Dispose();
        UnembeddingBias?.Dispose();
        _source?.Dispose();
    }
}
