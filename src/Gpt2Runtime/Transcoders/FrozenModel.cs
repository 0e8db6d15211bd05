using System.Numerics.Tensors;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Model;
using Gradpath.Kernels;
using Tensor = Gradpath.Kernels.Tensor;

namespace Gradpath.Gpt2Runtime.Transcoders;

/// <summary>
/// A model on one prompt as a linear map: attention patterns and LayerNorm scales are those of the prompt, MLPs are what their sources
/// write (a transcoder's skip connection is linear and stays). A reader's value is then a sum over sources and constants, and a source's
/// share is its vector times the reader's gradient where it writes. One pass makes the gradients of many readers of one layer:
///
///     attention:  g += rstd_key (I - 1 1^T / D) diag(gain) W_V  sum over queries p(query, key) W_O g(query)
///     skip:       g += rstd (I - 1 1^T / D) diag(gain) W_skip^T g
/// </summary>
internal sealed class FrozenModel : ResourceOwner
{
    private readonly Gpt2Weights _weights;
    private readonly Device _device;
    private readonly int _d;
    private readonly GraphSources _sources;
    private readonly Tensor _tokens;
    private readonly Tensor[] _patterns;
    private readonly Tensor[] _values;
    private readonly Tensor?[] _skips;
    private readonly Tensor?[] _skipScales;
    private readonly Tensor _gradient;
    private readonly Tensor _mixed;
    private readonly Tensor _spread;
    private readonly Tensor _effects;
    private readonly float[] _host;

    /// <summary>Freezes a model.</summary>
    /// <param name="weights">The weights of the model, on the device that computes.</param>
    /// <param name="prompt">One sequence, run.</param>
    /// <param name="transcoders">The transcoders, whose skip connections take part.</param>
    /// <param name="sources">The sources, with their vectors.</param>
    /// <param name="batch">Most targets of a pass.</param>
    public FrozenModel(Gpt2Weights weights, TracedPrompt prompt, TranscoderSet transcoders, GraphSources sources, int batch)
    {
        (_weights, _device, _d, _sources, Batch) = (weights, weights.Device, weights.Config.Width, sources, batch);
        int rows = prompt.Rows, layers = weights.Config.Layers;
        _tokens = prompt.Activations.Boundaries[0].Residual;
        _patterns = new Tensor[layers];
        _values = new Tensor[layers];
        _skips = new Tensor?[layers];
        _skipScales = new Tensor?[layers];
        for (int l = 0; l < layers; l++)
        {
            _patterns[l] = Own(Pattern(prompt, l, rows));
            _values[l] = Own(Values(weights.Layers[l]));
            if (transcoders.Layers[l] is not { Skip: { } skip } transcoder) continue;
            float[] scales = transcoder.Spec.Input == TranscoderInput.Residual
                ? Enumerable.Repeat(1f, rows).ToArray()
                : Part(prompt.Activations.Boundaries[(2 * l) + 1].Rstd, rows);
            _skips[l] = Own(SkipMatrix(l, skip, transcoder.Spec.Input));
            _skipScales[l] = Own(_device.StoreTensor([.. scales.SelectMany(s => Enumerable.Repeat(s, batch))], rows * batch));
        }
        _gradient = Own(_device.Allocate(rows * batch, _d));
        _mixed = Own(_device.Allocate(rows * batch, _d));
        _spread = Own(_device.Allocate(rows * batch, _d));
        _effects = Own(_device.Allocate(batch, sources.Count));
        _host = new float[rows * batch * _d];
    }

    /// <summary>Most targets of a pass.</summary>
    public int Batch { get; }

    /// <summary>Bytes of the device that a pass of some targets takes.</summary>
    /// <param name="rows">Positions of the prompt.</param>
    /// <param name="width">D.</param>
    /// <param name="sources">Number of sources.</param>
    public static long BytesPerTarget(int rows, int width, int sources) => ((3L * rows * width) + sources) * sizeof(float);

    /// <summary>What every source adds to some targets that read in front of the same MLP.</summary>
    /// <param name="targets">The targets, at most <see cref="Batch"/>.</param>
    /// <param name="effects">
    /// [targets, sources], out: columns of slots below the layer's first one, and of tokens, hold the effects; the others hold 0.
    /// </param>
    public void Effects(ReadOnlySpan<FrozenTarget> targets, Span<float> effects)
    {
        int layers = _sources.Layers, layer = targets[0].Layer, batch = targets.Length, rows = 0;
        foreach (FrozenTarget target in targets) rows = Math.Max(rows, target.Position + 1);
        Span<float> gradient = _host.AsSpan(0, rows * batch * _d);
        gradient.Clear();
        for (int t = 0; t < batch; t++)
            targets[t].Direction.Span.CopyTo(gradient.Slice(((targets[t].Position * batch) + t) * _d, _d));
        using (Tensor part = _gradient.Slice(0, rows * batch, _d)) part.Upload(gradient);
        _device.Fill(_effects, 0, (long)batch * _sources.Count);
        if (layer < layers) Attention(layer, rows, batch);
        for (int l = layer - 1; l >= 0; l--)
        {
            Contract(l, rows, batch);
            if (_skips[l] is { } skip) Skip(skip, _skipScales[l]!, rows, batch);
            Attention(l, rows, batch);
        }

        // A token's row times each target's gradient there: one column a position.
        _device.Gemm(
            _gradient.AsMatrix(batch, _d), _tokens.AsMatrix(1, _d).T, new Matrix(_effects, _sources.Slots.Length, batch, 1, _sources.Count),
            new GemmOptions(Batch: rows, StepA: (long)batch * _d, StepB: _d, StepC: 1));
        using Tensor result = _effects.Slice(0, batch, _sources.Count);
        result.Download(effects[..(batch * _sources.Count)]);
    }

    /// <summary>A direction behind a LayerNorm as one in front of it, the scale being a constant.</summary>
    /// <param name="direction">[D].</param>
    /// <param name="gain">[D], or none.</param>
    /// <param name="rstd">The scale.</param>
    /// <returns>rstd (I - 1 1^T / D) diag(gain) direction.</returns>
    public static float[] ThroughNorm(ReadOnlySpan<float> direction, ReadOnlySpan<float> gain, float rstd)
    {
        float[] result = direction.ToArray();
        if (!gain.IsEmpty) TensorPrimitives.Multiply(result, gain, result);
        double mean = 0;
        foreach (float value in result) mean += value;
        TensorPrimitives.Subtract(result, (float)(mean / result.Length), result);
        TensorPrimitives.Multiply(result, rstd, result);
        return result;
    }

    private void Attention(int layer, int rows, int batch)
    {
        (int heads, int width, int all) = (_weights.Config.Heads, _weights.Config.HeadWidth, _sources.Positions);
        Matrix gradient = _gradient.AsMatrix(rows * batch, _d);
        _device.Gemm(gradient, _weights.Layers[layer].OutputWeight.AsMatrix().T, _mixed.AsMatrix(rows * batch, _d));
        for (int h = 0; h < heads; h++)
        {
            // A product a target: its rows lie batch rows apart.
            _device.Gemm(
                new Matrix(_patterns[layer], (long)h * all * all, rows, rows, all).T,
                new Matrix(_mixed, h * width, rows, width, batch * _d),
                new Matrix(_spread, h * width, rows, width, batch * _d),
                new GemmOptions(Batch: batch, StepA: 0, StepB: _d, StepC: _d));
        }
        _device.Gemm(_spread.AsMatrix(rows * batch, _d), _values[layer].AsMatrix().T, gradient, new GemmOptions(Accumulate: true));
    }

    private void Contract(int layer, int rows, int batch)
    {
        for (int i = 0; i < rows; i++)
        {
            (int first, int count) = _sources.Block(layer, i);
            _device.Gemm(
                new Matrix(_gradient, (long)i * batch * _d, batch, _d, _d),
                new Matrix(_sources.Vectors!, (long)first * _d, count, _d, _d).T,
                new Matrix(_effects, first, batch, count, _sources.Count));
        }
    }

    private void Skip(Tensor skip, Tensor scales, int rows, int batch)
    {
        int all = rows * batch;
        _device.Gemm(_gradient.AsMatrix(all, _d), skip.AsMatrix().T, _mixed.AsMatrix(all, _d));
        if (batch == Batch)
        {
            _device.ScaleRows(_mixed, scales, all, all, _d, _mixed);
        }
        else
        {
            float[] every = Part(scales, rows * Batch);
            using Tensor part = _device.StoreTensor([.. Enumerable.Range(0, all).Select(r => every[r / batch * Batch])], all);
            _device.ScaleRows(_mixed, part, all, all, _d, _mixed);
        }
        _device.Combine(1, _gradient, 1, _mixed, (long)all * _d, _gradient);
    }

    // [heads, queries, keys], times the scale of LayerNorm at each key.
    private Tensor Pattern(TracedPrompt prompt, int layer, int rows)
    {
        float[] pattern = Part(prompt.Activations.Probabilities[layer], _weights.Config.Heads * rows * rows);
        float[] rstd = Part(prompt.Activations.Boundaries[2 * layer].Rstd, rows);
        for (int at = 0; at < pattern.Length; at += rows)
            TensorPrimitives.Multiply(pattern.AsSpan(at, rows), rstd, pattern.AsSpan(at, rows));
        return _device.StoreTensor(pattern, _weights.Config.Heads * rows, rows);
    }

    // (I - 1 1^T / D) diag(gain) W_V: [D, D].
    private Tensor Values(Gpt2Layer w)
    {
        float[] all = w.QkvWeight.ToArray(), gain = w.AttentionGain.ToArray(), values = new float[_d * _d];
        for (int r = 0; r < _d; r++)
            TensorPrimitives.Multiply(all.AsSpan((r * 3 * _d) + (2 * _d), _d), gain[r], values.AsSpan(r * _d, _d));
        Centre(values);
        return _device.StoreTensor(values, _d, _d);
    }

    // (I - 1 1^T / D) diag(gain) W_skip^T: [D in, D out].
    private Tensor SkipMatrix(int layer, float[] skip, TranscoderInput input)
    {
        float[] matrix = new float[_d * _d];
        float[]? gain = input == TranscoderInput.Mlp ? _weights.Layers[layer].MlpGain.ToArray() : null;
        for (int r = 0; r < _d; r++)
        {
            for (int c = 0; c < _d; c++) matrix[(r * _d) + c] = skip[(c * _d) + r] * (gain?[r] ?? 1);
        }
        if (input != TranscoderInput.Residual) Centre(matrix);
        return _device.StoreTensor(matrix, _d, _d);
    }

    // Every column's mean becomes 0.
    private void Centre(float[] matrix)
    {
        double[] means = new double[_d];
        for (int i = 0; i < matrix.Length; i++) means[i % _d] += matrix[i] / (double)_d;
        for (int i = 0; i < matrix.Length; i++) matrix[i] -= (float)means[i % _d];
    }

    private static float[] Part(Tensor tensor, int length)
    {
        using Tensor part = tensor.Slice(0, length);
        return part.ToArray();
    }
}
