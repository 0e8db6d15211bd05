using Gradpath.Gpt2Runtime.Model;

namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary>The rules of the methods that are EAP with another backward pass, in terms of GPT-2's operations.</summary>
internal static class PropagationRules
{
    /// <summary>
    /// RelP (arXiv 2508.21258), relevance propagation in place of derivatives:
    /// <list type="bullet">
    /// <item>LayerNorm: the LN rule. The scale is a constant, the mean is differentiated.</item>
    /// <item>Activation function: the identity rule. A neuron passes on f(x) / x times what it gets; where x is 0, f'(0).</item>
    /// <item>Attention: the AH rule. The pattern is a constant, so values get everything and queries and keys nothing.</item>
    /// <item>Linear maps and sums: the 0 rule, which is the derivative. Biases take no part.</item>
    /// </list>
    /// The half rule is for products of two activations outside attention, such as gated MLPs; GPT-2 has none.
    /// </summary>
    public static BackwardRules Relp { get; } = new() { FrozenNorms = true, ActivationRatios = true, QueryKeyFactor = 0 };

    /// <summary>
    /// GIM (arXiv 2505.17630), gradient interaction modifications:
    /// <list type="bullet">
    /// <item>LayerNorm: the scale is a constant, the mean is differentiated.</item>
    /// <item>Softmax of attention: the gradient is made with probabilities of temperature 2 and not divided by the temperature.</item>
    /// <item>Products of two activations: each factor gets half of its derivative. Pattern times values halves both, scores halve queries
    /// and keys once more: a half for values, a quarter for queries and keys.</item>
    /// <item>Everything else is differentiated.</item>
    /// </list>
    /// </summary>
    public static BackwardRules Gim { get; } = new()
    {
        FrozenNorms = true,
        SoftmaxTemperature = 2,
        QueryKeyFactor = 0.25f,
        ValueFactor = 0.5f,
    };
}
