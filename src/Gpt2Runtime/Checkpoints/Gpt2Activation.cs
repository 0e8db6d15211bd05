namespace Gradpath.Gpt2Runtime.Checkpoints;

/// <summary>The activation function of the MLPs, by its name in config.json.</summary>
public enum Gpt2Activation
{
    /// <summary><c>gelu_new</c>: the tanh approximation that GPT-2 was trained with.</summary>
    GeluNew,

    /// <summary><c>gelu</c>: x times the normal distribution function, by erf.</summary>
    Gelu,

    /// <summary><c>relu</c>.</summary>
    Relu,
}
