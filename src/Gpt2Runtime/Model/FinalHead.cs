using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Model;

/// <summary>The end of the model: normed = LN_f(residual), logits = normed U^T (+ b_U).</summary>
internal static class FinalHead
{
    /// <summary>The final LayerNorm.</summary>
    /// <param name="weights">The weights of the model, on the device that computes.</param>
    /// <param name="residual">[rows, D]: the final residual stream.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="mean">[rows], out.</param>
    /// <param name="rstd">[rows], out.</param>
    /// <param name="normed">[rows, D], out.</param>
    public static void Normalize(Gpt2Weights weights, Tensor residual, int rows, Tensor mean, Tensor rstd, Tensor normed) =>
        weights.Device.LayerNorm(
            residual, weights.FinalGain, weights.FinalShift, weights.Config.Epsilon, rows, weights.Config.Width, mean, rstd, normed);

    /// <summary>Adds the gradient at the final residual stream, from the gradient behind the LayerNorm.</summary>
    /// <param name="weights">The weights of the model, on the device that computes.</param>
    /// <param name="gradient">[rows, D]: the gradient at normed.</param>
    /// <param name="residual">[rows of the forward pass, D].</param>
    /// <param name="mean">[rows of the forward pass].</param>
    /// <param name="rstd">[rows of the forward pass].</param>
    /// <param name="rows">Rows of the gradient and of the forward pass.</param>
    /// <param name="target">[rows, D]: the gradient at the residual stream is added.</param>
    /// <param name="reader">[base rows, D]: the first <paramref name="contributingRows"/> rows are added, or null.</param>
    /// <param name="contributingRows">Rows of the gradient that count for the reader.</param>
    /// <param name="chosen">[rows], ascending: the rows of the residual stream and of the target; null for the first ones.</param>
    /// <param name="fresh">Whether the target's rows are set in place of being added to.</param>
    /// <param name="clearedRows">Where rows are chosen: the target's rows below this that are not become zeros.</param>
    public static void NormalizeBackward(
        Gpt2Weights weights, Tensor gradient, Tensor residual, Tensor mean, Tensor rstd, GradientRows rows, Tensor target,
        Tensor? reader = null, int contributingRows = 0, DeviceArray<int>? chosen = null, bool fresh = false,
        int clearedRows = 0) =>
        weights.Device.LayerNormBackward(
            gradient, residual, weights.FinalGain, mean, rstd, rows, weights.Config.Width, target, reader, contributingRows, chosen,
            fresh, clearedRows);

    /// <summary>The logits.</summary>
    /// <param name="weights">The weights of the model, on the device that computes.</param>
    /// <param name="normed">[rows, D].</param>
    /// <param name="rows">Rows.</param>
    /// <param name="logits">[rows, V], out.</param>
    public static void Logits(Gpt2Weights weights, Tensor normed, int rows, Tensor logits) => weights.Device.Gemm(
        normed.AsMatrix(rows, weights.Config.Width),
        weights.Unembedding.AsMatrix().T,
        logits.AsMatrix(rows, weights.Config.Vocabulary),
        new GemmOptions(Bias: weights.UnembeddingBias));

    /// <summary>The gradient behind the LayerNorm, from the gradient at the logits.</summary>
    /// <param name="weights">The weights of the model, on the device that computes.</param>
    /// <param name="gradient">[rows, V].</param>
    /// <param name="rows">Rows.</param>
    /// <param name="normedGradient">[rows, D], out.</param>
    public static void LogitsBackward(Gpt2Weights weights, Tensor gradient, int rows, Tensor normedGradient) => weights.Device.Gemm(
        gradient.AsMatrix(rows, weights.Config.Vocabulary),
        weights.Unembedding.AsMatrix(),
        normedGradient.AsMatrix(rows, weights.Config.Width));
}
