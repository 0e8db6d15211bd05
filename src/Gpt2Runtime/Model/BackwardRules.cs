namespace Gradpath.Gpt2Runtime.Model;

/// <summary>What a backward pass puts in place of derivatives. The forward pass stays as it is.</summary>
internal sealed record BackwardRules
{
    /// <summary>The derivatives themselves.</summary>
    public static BackwardRules Derivatives { get; } = new();

    /// <summary>
    /// Whether a LayerNorm's scale is a constant: of x -> (x - mean(x)) rstd only the mean is differentiated. With t = gain dy that is
    /// dx = rstd (t - mean(t)).
    /// </summary>
    public bool FrozenNorms { get; init; }

    /// <summary>Whether an activation function's gradient is multiplied with its ratio f(x) / x, not with its derivative.</summary>
    public bool ActivationRatios { get; init; }

    /// <summary>
    /// The temperature T of the attention probabilities p that the softmax's gradient dscores = p (dp - sum(p dp)) is made with:
    /// p = softmax(scores / T). Values are mixed with the probabilities of the forward pass all the same.
    /// </summary>
    public float SoftmaxTemperature { get; init; } = 1;

    /// <summary>Factor of the gradients at queries and keys. With 0 the attention pattern is a constant.</summary>
    public float QueryKeyFactor { get; init; } = 1;

    /// <summary>Factor of the gradients at values.</summary>
    public float ValueFactor { get; init; } = 1;
}
