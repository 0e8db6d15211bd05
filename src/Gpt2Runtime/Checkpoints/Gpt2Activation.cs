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

    /// <summary><c>silu</c>, also called swish: x / (1 + exp(-x)).</summary>
    Silu,

    /// <summary><c>quick_gelu</c>: x / (1 + exp(-1.702 x)).</summary>
    QuickGelu,

    /// <summary><c>tanh</c>.</summary>
    Tanh,
}
