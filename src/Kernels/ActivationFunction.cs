namespace Gradpath.Kernels;

/// <summary>An elementwise activation function.</summary>
internal enum ActivationFunction
{
    /// <summary>x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))).</summary>
    GeluTanh,

    /// <summary>x/2 (1 + erf(x / sqrt 2)).</summary>
    GeluErf,

    /// <summary>max(0, x); derivative 0 at 0.</summary>
    Relu,

    /// <summary>x / (1 + exp(-x)).</summary>
    Silu,

    /// <summary>x / (1 + exp(-1.702 x)).</summary>
    QuickGelu,

    /// <summary>tanh x.</summary>
    Tanh,
}
