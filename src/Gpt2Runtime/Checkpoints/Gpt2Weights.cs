using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Checkpoints;

/// <summary>All weights of a GPT-2 model on a device, float32.</summary>
public sealed class Gpt2Weights : IDisposable
{
    private readonly IDisposable? _source, _factors;
    private readonly ModelIdentity _identity;

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
    /// <param name="identity">What result files say about the model; null where nothing is known but the weights themselves.</param>
    internal Gpt2Weights(
        Gpt2Config config,
        Tensor tokenEmbedding,
        Tensor positionEmbedding,
        IReadOnlyList<Gpt2Layer> layers,
        Tensor finalGain,
        Tensor finalShift,
        Tensor unembedding,
        Tensor? unembeddingBias,
        IDisposable? source = null,
        ModelIdentity? identity = null)
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
        _factors = Device.PrepareFactors([.. layers.SelectMany(Factors)]);
        _identity = identity ?? new ModelIdentity("unnamed", () => WeightsHash.Compute(this));
    }

    /// <summary>What result files call the model.</summary>
    public string Name => _identity.Name;

    /// <summary>
    /// Identifies the weights in result files: the kind of hash, a colon and its digits. Computed on first use, which may read all weights.
    /// </summary>
    public string Hash => _identity.Hash;

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

    /// <summary>Brings weights that a program has in memory to a device. They are copied.</summary>
    /// <param name="device">The device that is to compute.</param>
    /// <param name="config">The model's shape.</param>
    /// <param name="tensors">
    /// Each tensor's values, row-major, under its name in Hugging Face checkpoints: <c>wte.weight</c> [V, D], <c>wpe.weight</c>
    /// [positions, D], <c>h.0.ln_1.weight</c> [D], <c>h.0.attn.c_attn.weight</c> [D, 3 D] and so on, with or without <c>transformer.</c> in
    /// front. Matrices are [in, out], as GPT-2 has them.
    /// </param>
    /// <param name="name">What result files call the model.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <returns>The weights; dispose of them to free the memory. Their hash is of their values.</returns>
    /// <exception cref="GradpathException">A tensor is missing, too much, of another length, or holds a value that is not
    /// finite.</exception>
    /// <exception cref="DeviceException">The device has no room for them.</exception>
    /// <exception cref="OperationCanceledException">The work was stopped.</exception>
    public static Gpt2Weights FromMemory(
        Device device,
        Gpt2Config config,
        IReadOnlyDictionary<string, ReadOnlyMemory<float>> tensors,
        string name = "unnamed",
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(tensors);
        ArgumentException.ThrowIfNullOrEmpty(name);
        return GivenWeights.Load(device, config, tensors, name, cancellation);
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _factors?.Dispose();
        TokenEmbedding.Dispose();
        PositionEmbedding.Dispose();
        foreach (Gpt2Layer l in Layers)
        {
            foreach (Tensor t in (ReadOnlySpan<Tensor>)[l.AttentionGain, l.AttentionShift, l.QkvWeight, l.QkvBias, l.OutputWeight,
                l.OutputBias, l.MlpGain, l.MlpShift, l.UpWeight, l.UpBias, l.DownWeight, l.DownBias])
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

    // Forward passes multiply by the matrices of a layer, backward ones by their transposes.
    private static IEnumerable<Matrix> Factors(Gpt2Layer layer) =>
        from weight in (Tensor[])[layer.QkvWeight, layer.OutputWeight, layer.UpWeight, layer.DownWeight]
        from factor in (Matrix[])[weight.AsMatrix(), weight.AsMatrix().T]
        select factor;
}
