using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Model;

/// <summary>
/// The MLP of a layer, as every pass computes it from what its reader reads:
///
///     output = f(LN2(input) W_up + b_up) W_down + b_down
/// </summary>
internal static class MlpBlock
{
    /// <summary>Where a pass keeps what the MLP computes on the way.</summary>
    /// <param name="Mean">[rows], out: the LayerNorm's means.</param>
    /// <param name="Rstd">[rows], out: the LayerNorm's reciprocal deviations.</param>
    /// <param name="Normed">[rows, D]: scratch; forward it holds LN2(input), backward the gradient there.</param>
    /// <param name="Derivative">[rows, inner], out: f', which the backward pass needs.</param>
    /// <param name="Hidden">[rows, inner]: scratch; forward it holds f, backward the gradient there.</param>
    /// <param name="Slopes">[rows, inner]: scratch, given where <paramref name="Derivative"/> is to hold f(x) / x, not f'.</param>
    public readonly record struct Buffers(
        Tensor Mean, Tensor Rstd, Tensor Normed, Tensor Derivative, Tensor Hidden, Tensor? Slopes = null);

    /// <summary>Computes the output.</summary>
    /// <param name="weights">The weights of the model, on the device that computes.</param>
    /// <param name="layer">Index of the layer.</param>
    /// <param name="rows">Rows of the input.</param>
    /// <param name="input">[rows, D].</param>
    /// <param name="b">Workspace.</param>
    /// <param name="output">[rows, D], out; may be <paramref name="addend"/>.</param>
    /// <param name="addend">[rows, D]: added to the input, or null.</param>
    /// <param name="sum">[rows, D], out where there is an addend: the input with it.</param>
    public static void Forward(
        Gpt2Weights weights, int layer, int rows, Tensor input, in Buffers b, Tensor output, Tensor? addend = null, Tensor? sum = null)
    {
        Gpt2Layer w = weights.Layers[layer];
        Device device = weights.Device;
        (int d, int inner) = (weights.Config.Width, weights.Config.InnerWidth);
        float epsilon = weights.Config.Epsilon;
        if (addend is null) device.LayerNorm(input, w.MlpGain, w.MlpShift, epsilon, rows, d, b.Mean, b.Rstd, b.Normed);
        else device.AddLayerNorm(input, addend, sum!, w.MlpGain, w.MlpShift, epsilon, rows, d, b.Mean, b.Rstd, b.Normed);
        Activate(device, weights.Config, b.Normed.AsMatrix(rows, d), w, b);
        device.Gemm(b.Hidden.AsMatrix(rows, inner), w.DownWeight.AsMatrix(), output.AsMatrix(rows, d), new GemmOptions(Bias: w.DownBias));
    }

    /// <summary>Adds the gradient at the input, from the gradient at the output.</summary>
    /// <param name="weights">The weights of the model, on the device that computes.</param>
    /// <param name="layer">Index of the layer.</param>
    /// <param name="rows">Rows of the gradient and of the forward pass.</param>
    /// <param name="gradient">[rows, D]: the gradient at the output.</param>
    /// <param name="input">[rows of the forward pass, D]: what the MLP read.</param>
    /// <param name="b">What the forward pass has left, and scratch for all rows of the gradient.</param>
    /// <param name="target">[rows, D]: the gradient at the input is added. It may be <paramref name="gradient"/>.</param>
    /// <param name="reader">[base rows, D]: the first <paramref name="contributingRows"/> rows are added, or null.</param>
    /// <param name="contributingRows">Rows of the gradient that count for the reader.</param>
    public static void Backward(
        Gpt2Weights weights, int layer, GradientRows rows, Tensor gradient, Tensor input, in Buffers b, Tensor target,
        Tensor? reader = null, int contributingRows = 0)
    {
        Gpt2Layer w = weights.Layers[layer];
        Device device = weights.Device;
        (int d, int inner) = (weights.Config.Width, weights.Config.InnerWidth);
        device.GemmMultiply(gradient.AsMatrix(rows.Rows, d), w.DownWeight.AsMatrix().T, b.Derivative, rows.ActivationRows, b.Hidden);
        device.Gemm(b.Hidden.AsMatrix(rows.Rows, inner), w.UpWeight.AsMatrix().T, b.Normed.AsMatrix(rows.Rows, d));
        device.LayerNormBackward(b.Normed, input, w.MlpGain, b.Mean, b.Rstd, rows, d, target, reader, contributingRows);
    }

    private static void Activate(Device device, Gpt2Config config, in Matrix input, Gpt2Layer w, in Buffers b)
    {
        ActivationFunction function = Function(config);
        if (b.Slopes is null)
        {
            device.GemmActivate(input, w.UpWeight.AsMatrix(), w.UpBias, function, b.Derivative, b.Hidden);
            return;
        }
        long length = (long)input.Rows * config.InnerWidth;
        device.Gemm(input, w.UpWeight.AsMatrix(), b.Derivative.AsMatrix(input.Rows, config.InnerWidth), new GemmOptions(Bias: w.UpBias));
        device.CopyBlock(b.Derivative, 0, b.Slopes, 0, length);
        device.Activate(function, b.Slopes, length, b.Hidden);
        device.Ratios(b.Derivative, b.Hidden, SlopeAtZero(function), length);
    }

    // The limit of f(x) / x at 0.
    private static float SlopeAtZero(ActivationFunction function) => function switch
    {
        ActivationFunction.Relu => 0,
        ActivationFunction.Tanh => 1,
        _ => 0.5f,
    };

    private static ActivationFunction Function(Gpt2Config config) => config.Activation switch
    {
        Gpt2Activation.GeluNew => ActivationFunction.GeluTanh,
        Gpt2Activation.Gelu => ActivationFunction.GeluErf,
        Gpt2Activation.Relu => ActivationFunction.Relu,
        Gpt2Activation.Silu => ActivationFunction.Silu,
        Gpt2Activation.QuickGelu => ActivationFunction.QuickGelu,
        Gpt2Activation.Tanh => ActivationFunction.Tanh,
        _ => throw new ArgumentOutOfRangeException(nameof(config), config.Activation, "not an activation function"),
    };
}
