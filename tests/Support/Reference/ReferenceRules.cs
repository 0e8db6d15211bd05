namespace Gradpath.Tests.Support.Reference;

/// <summary>What a backward pass puts in place of derivatives, operation by operation.</summary>
internal sealed record ReferenceRules
{
    /// <summary>RelP's: the LN rule, the identity rule for activations, the AH rule for attention.</summary>
    public static ReferenceRules Relp { get; } = new() { FrozenNorms = true, ActivationRatios = true, FrozenPatterns = true };

    /// <summary>GIM's: frozen LayerNorms, a softmax gradient of temperature 2, products that share their gradient.</summary>
    public static ReferenceRules Gim { get; } = new() { FrozenNorms = true, SoftmaxTemperature = 2, ShareOfFactors = 0.5 };

    /// <summary>The standard deviation of every LayerNorm is a constant.</summary>
    public bool FrozenNorms { get; init; }

    /// <summary>An activation function's slope is f(x) / x.</summary>
    public bool ActivationRatios { get; init; }

    /// <summary>Attention probabilities are constants.</summary>
    public bool FrozenPatterns { get; init; }

    /// <summary>The softmax of attention is differentiated with softmax(x / T) in place of its values.</summary>
    public double SoftmaxTemperature { get; init; } = 1;

    /// <summary>Both factors of a product of activations get this share of their gradients.</summary>
    public double ShareOfFactors { get; init; } = 1;
}
