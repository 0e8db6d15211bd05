namespace Gradpath.Gpt2Runtime.Checkpoints;

/// <summary>The shape of a GPT-2 model: what config.json states.</summary>
public sealed record Gpt2Config
{
    /// <summary>Number of layers L (<c>n_layer</c>).</summary>
    public required int Layers { get; init; }

    /// <summary>Heads per layer H (<c>n_head</c>).</summary>
    public required int Heads { get; init; }

    /// <summary>Width of the residual stream D (<c>n_embd</c>); a multiple of <see cref="Heads"/>.</summary>
    public required int Width { get; init; }

    /// <summary>Width of the MLPs' hidden layer (<c>n_inner</c>; 4 D where that is null).</summary>
    public required int InnerWidth { get; init; }

    /// <summary>Longest prompt in tokens (<c>n_positions</c>).</summary>
    public required int Positions { get; init; }

    /// <summary>Number of tokens V (<c>vocab_size</c>).</summary>
    public required int Vocabulary { get; init; }

    /// <summary>Added to the variance in every LayerNorm (<c>layer_norm_epsilon</c>).</summary>
    public float Epsilon { get; init; } = 1e-5f;

    /// <summary>The MLPs' activation function (<c>activation_function</c>).</summary>
    public Gpt2Activation Activation { get; init; } = Gpt2Activation.GeluNew;

    /// <summary>Whether the unembedding is the token embedding (<c>tie_word_embeddings</c>).</summary>
    public bool TiedHead { get; init; } = true;

    /// <summary>Whether attention scores are divided by the square root of the head width (<c>scale_attn_weights</c>).</summary>
    public bool ScaleAttention { get; init; } = true;

    /// <summary>Whether attention scores of layer l are also divided by l + 1 (<c>scale_attn_by_inverse_layer_idx</c>).</summary>
    public bool ScaleAttentionByLayer { get; init; }

    /// <summary>Width of one head, D / H.</summary>
    public int HeadWidth => Width / Heads;

    /// <summary>All of it as one text, the same in every culture, for hashing.</summary>
    internal string Fingerprint =>
        FormattableString.Invariant($"{Layers} {Heads} {Width} {InnerWidth} {Positions} {Vocabulary} {Epsilon:R} ")
        + FormattableString.Invariant($"{Activation} {TiedHead} {ScaleAttention} {ScaleAttentionByLayer}");

    /// <summary>The factor on a layer's attention scores.</summary>
    /// <param name="layer">Index of the layer.</param>
    /// <returns>1 / sqrt(head width), or as the two scaling options say.</returns>
    public float AttentionScale(int layer) =>
        (ScaleAttention ? 1f / MathF.Sqrt(HeadWidth) : 1f) / (ScaleAttentionByLayer ? layer + 1 : 1);
}
