using Gradpath.Gpt2Runtime.Checkpoints;

namespace Gradpath.Tests.Support.Reference;

/// <summary>
/// The MLPs' activation functions and their derivatives in float64.
/// gelu_new: x/2 (1 + tanh u), u = sqrt(2/pi) (x + 0.044715 x^3). gelu: x Phi(x), Phi(x) = (1 + erf(x / sqrt 2)) / 2. relu: max(x, 0).
/// silu: x / (1 + exp(-x)). quick_gelu: x / (1 + exp(-1.702 x)). tanh.
/// </summary>
internal static class ReferenceActivation
{
    public static double Value(Gpt2Activation activation, double x) => activation switch
    {
        Gpt2Activation.GeluNew => 0.5 * x * (1 + Math.Tanh(Inner(x))),
        Gpt2Activation.Gelu => 0.5 * x * (1 + Erf(x / Math.Sqrt(2))),
        Gpt2Activation.Relu => Math.Max(x, 0),
        Gpt2Activation.Silu => x / (1 + Math.Exp(-x)),
        Gpt2Activation.QuickGelu => x / (1 + Math.Exp(-1.702 * x)),
        Gpt2Activation.Tanh => Math.Tanh(x),
        _ => throw new ArgumentOutOfRangeException(nameof(activation)),
    };

    public static double Derivative(Gpt2Activation activation, double x)
    {
        switch (activation)
        {
            case Gpt2Activation.GeluNew:
                double tanh = Math.Tanh(Inner(x));
                double inner = Math.Sqrt(2 / Math.PI) * (1 + 3 * 0.044715 * x * x);
                return 0.5 * (1 + tanh) + 0.5 * x * (1 - tanh * tanh) * inner;
            case Gpt2Activation.Gelu:
                return 0.5 * (1 + Erf(x / Math.Sqrt(2))) + x * Math.Exp(-x * x / 2) / Math.Sqrt(2 * Math.PI);
            case Gpt2Activation.Relu:
                return x > 0 ? 1 : 0;
            case Gpt2Activation.Silu:
                return Gated(x, 1);
            case Gpt2Activation.QuickGelu:
                return Gated(x, 1.702);
            case Gpt2Activation.Tanh:
                return 1 - Math.Tanh(x) * Math.Tanh(x);
            default:
                throw new ArgumentOutOfRangeException(nameof(activation));
        }
    }

    /// <summary>
    /// erf(x) = 2/sqrt(pi) exp(-x^2) sum over n of 2^n x^(2n+1) / (1 3 5 ... (2n+1)): all terms have one sign, so nothing cancels.
    /// Beyond 6 it is 1 to the last bit.
    /// </summary>
    public static double Erf(double x)
    {
        if (Math.Abs(x) > 6)
        {
            return Math.Sign(x);
        }
        double term = x, sum = x;
        for (int n = 1; Math.Abs(term) > 1e-18 * Math.Abs(sum); n++)
        {
            term *= 2 * x * x / (2 * n + 1);
            sum += term;
        }
        return 2 / Math.Sqrt(Math.PI) * Math.Exp(-x * x) * sum;
    }

    // The derivative of x / (1 + exp(-k x)).
    private static double Gated(double x, double k)
    {
        double sigmoid = 1 / (1 + Math.Exp(-k * x));
        return sigmoid + k * x * sigmoid * (1 - sigmoid);
    }

    private static double Inner(double x) => Math.Sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x);
}
