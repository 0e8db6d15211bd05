using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Model;

/// <summary>
/// GPT-2's forward pass over the residual stream, sublayer by sublayer:
///
///     q, k, v = LN1(r) W + b;   r += softmax(q k^T / sqrt(w), causal) v W_O + b_O;   r += f(LN2(r) W_up + b_up) W_down + b_down
///
/// It is never split per head: all readers of a layer read the same residual stream when nothing is patched. A pass may start at any
/// boundary whose residual stream is in place, and single steps may be run alone, for passes that change something on the way.
/// </summary>
internal sealed class ForwardPass(Gpt2Weights weights)
{
    private readonly Gpt2Config _config = weights.Config;
    private readonly Device _device = weights.Device;
    private readonly Tensor[] _keyValueBias = [.. weights.Layers.Select(l =>
        l.QkvBias.Slice(weights.Config.Width, 2 * weights.Config.Width))];

    /// <summary>The token embeddings plus positions become the residual stream at boundary 0.</summary>
    /// <param name="shape">The pass.</param>
    /// <param name="a">Workspace.</param>
    /// <param name="embeddings">[rows, D] token embeddings, or points between them.</param>
    public void Embed(PassShape shape, Activations a, Tensor embeddings) =>
        _device.GatherRows(weights.PositionEmbedding, shape.Positions, shape.Rows, _config.Width, a.Boundaries[0].Residual, embeddings);

    /// <summary>
    /// Runs from boundary <paramref name="from"/> to the output, whose final LayerNorm is left in <see cref="Activations.Normed"/>.
    /// </summary>
    /// <param name="shape">The pass.</param>
    /// <param name="a">Workspace; boundary <paramref name="from"/> holds the residual stream.</param>
    /// <param name="from">First sublayer to run.</param>
    public void Run(PassShape shape, Activations a, int from = 0) => _device.Replay(
        shape.Slot(new PassKey(this, a, From: from)), (Pass: this, shape, a, from), static s => s.Pass.Issue(s.shape, s.a, s.from));

    /// <summary>Queries, keys and values of a layer from its residual stream.</summary>
    /// <param name="shape">The pass.</param>
    /// <param name="a">Workspace.</param>
    /// <param name="layer">Index of the layer.</param>
    /// <param name="joins">Whether the MLP before has written its output, but it is not part of the residual stream yet.</param>
    public void ProjectAttention(PassShape shape, Activations a, int layer, bool joins = false)
    {
        Gpt2Layer w = weights.Layers[layer];
        Activations.Boundary boundary = a.Boundaries[2 * layer];
        int d = _config.Width;
        if (joins)
        {
            _device.AddLayerNorm(
                a.Boundaries[(2 * layer) - 1].Residual, a.MlpOutput[layer - 1], boundary.Residual, w.AttentionGain, w.AttentionShift,
                _config.Epsilon, shape.Rows, d, boundary.Mean, boundary.Rstd, a.Normed);
        }
        else
        {
            _device.LayerNorm(
                boundary.Residual, w.AttentionGain, w.AttentionShift, _config.Epsilon, shape.Rows, d, boundary.Mean, boundary.Rstd,
                a.Normed);
        }
        Matrix qkv = w.QkvWeight.AsMatrix();
        if (a.Qkv[layer] is { } all && !AnswerRowsOnly(shape, layer))
        {
            _device.Gemm(a.Normed.AsMatrix(shape.Rows, d), qkv, all.AsMatrix(shape.Rows, 3 * d), new GemmOptions(Bias: w.QkvBias));
            return;
        }
        HeadGroup heads = a.HeadsOf(_config, layer);
        Tensor queryInput = a.Normed;
        int queryRows = shape.QueryRows(layer, _config.Layers);
        if (AnswerRowsOnly(shape, layer))
        {
            _device.GatherRows(a.Normed, shape.AnswerRows, queryRows, d, a.AnswerNormed);
            _device.GatherRows(boundary.Rstd, shape.AnswerRows, queryRows, 1, a.AnswerRstd);
            queryInput = a.AnswerNormed;
        }
        _device.Gemm(
            queryInput.AsMatrix(queryRows, d), qkv.SliceColumns(0, d), new Matrix(a.Q[layer], 0, queryRows, d, heads.QueryStride),
            new GemmOptions(Bias: w.QkvBias));
        _device.Gemm(
            a.Normed.AsMatrix(shape.Rows, d),
            qkv.SliceColumns(d, 2 * d),
            new Matrix(a.Kv[layer], 0, shape.Rows, 2 * d, heads.KeyStride),
            new GemmOptions(Bias: _keyValueBias[layer]));
    }

    /// <summary>Attention of a layer, added to the residual stream, and its MLP, which the next LayerNorm adds on its way.</summary>
    /// <param name="shape">The pass.</param>
    /// <param name="a">Workspace; queries, keys and values of the layer are in place.</param>
    /// <param name="layer">Index of the layer.</param>
    public void FinishLayer(PassShape shape, Activations a, int layer)
    {
        SequenceLayout layout = AnswerRowsOnly(shape, layer) ? shape.Final : shape.All;
        _device.Attention(
            a.Q[layer], a.Kv[layer], layout, a.HeadsOf(_config, layer), a.Probabilities[layer], a.Z[layer], a.Prefix?.Of(layer));
        if (AnswerRowsOnly(shape, layer))
        {
            AddHeads(shape, a, layer);
            Mlp(shape, a, layer, a.Boundaries[(2 * layer) + 1].Residual, null);
        }
        else
        {
            ProjectHeads(shape, a, layer);
            Mlp(shape, a, layer, a.Boundaries[2 * layer].Residual, a.MlpOutput[layer]);
        }
    }

    /// <summary>The heads' outputs and b_O, added to the residual stream.</summary>
    /// <param name="shape">The pass.</param>
    /// <param name="a">Workspace; Z of the layer is in place.</param>
    /// <param name="layer">Index of the layer.</param>
    public void AddHeads(PassShape shape, Activations a, int layer)
    {
        ProjectHeads(shape, a, layer);
        int d = _config.Width;
        int rows = shape.QueryRows(layer, _config.Layers);
        Tensor before = a.Boundaries[2 * layer].Residual, heads = a.MlpOutput[layer];
        Tensor after = a.Boundaries[(2 * layer) + 1].Residual;
        if (AnswerRowsOnly(shape, layer)) _device.GatherRows(before, shape.AnswerRows, rows, d, after, heads);
        else _device.Combine(1, before, 1, heads, (long)rows * d, after);
    }

    /// <summary>The MLP of a layer, added to the residual stream.</summary>
    /// <param name="shape">The pass.</param>
    /// <param name="a">Workspace.</param>
    /// <param name="layer">Index of the layer.</param>
    /// <param name="input">What the MLP reads where that is not the residual stream itself (a patched input), else null.</param>
    public void RunMlp(PassShape shape, Activations a, int layer, Tensor? input = null)
    {
        Mlp(shape, a, layer, input ?? a.Boundaries[(2 * layer) + 1].Residual, null);
        AddMlp(shape, a, layer);
    }

    /// <summary>The MLP's output, added to the residual stream.</summary>
    /// <param name="shape">The pass.</param>
    /// <param name="a">Workspace; the layer's MLP output is in place.</param>
    /// <param name="layer">Index of the layer.</param>
    public void AddMlp(PassShape shape, Activations a, int layer) => _device.Combine(
        1,
        a.Boundaries[(2 * layer) + 1].Residual,
        1,
        a.MlpOutput[layer],
        (long)shape.QueryRows(layer, _config.Layers) * _config.Width,
        a.Boundaries[(2 * layer) + 2].Residual);

    /// <summary>All heads of a layer.</summary>
    /// <param name="config">The model's shape.</param>
    /// <param name="layer">Index of the layer.</param>
    /// <returns>What the device needs of them.</returns>
    public static HeadGroup HeadsOf(Gpt2Config config, int layer) => new(config.Heads, config.HeadWidth, config.AttentionScale(layer));

    private void Issue(PassShape shape, Activations a, int from)
    {
        int first = (from + 1) / 2;
        if (from % 2 == 1) RunMlp(shape, a, from / 2);
        for (int layer = first; layer < _config.Layers; layer++)
        {
            ProjectAttention(shape, a, layer, joins: layer > first);
            FinishLayer(shape, a, layer);
        }
        NormalizeOutput(shape, a, joins: first < _config.Layers);
    }

    // Joins: whether the last MLP has written its output, but it is not part of the residual stream yet.
    private void NormalizeOutput(PassShape shape, Activations a, bool joins)
    {
        Activations.Boundary output = a.Boundaries[^1];
        int last = _config.Layers - 1;
        if (!joins)
        {
            FinalHead.Normalize(weights, output.Residual, shape.FinalRows, output.Mean, output.Rstd, a.Normed);
            return;
        }
        _device.AddLayerNorm(
            a.Boundaries[^2].Residual, a.MlpOutput[last], output.Residual, weights.FinalGain, weights.FinalShift, _config.Epsilon,
            shape.FinalRows, _config.Width, output.Mean, output.Rstd, a.Normed);
    }

    // The heads' outputs and b_O, where the layer's MLP will leave its own, which nobody has asked for yet.
    private void ProjectHeads(PassShape shape, Activations a, int layer)
    {
        Gpt2Layer w = weights.Layers[layer];
        int d = _config.Width, rows = shape.QueryRows(layer, _config.Layers);
        _device.Gemm(
            a.Z[layer].AsMatrix(rows, d), w.OutputWeight.AsMatrix(), a.MlpOutput[layer].AsMatrix(rows, d),
            new GemmOptions(Bias: w.OutputBias));
    }

    // With heads, input + heads is what the MLP reads, and becomes the residual stream in front of it.
    private void Mlp(PassShape shape, Activations a, int layer, Tensor input, Tensor? heads)
    {
        Activations.Boundary boundary = a.Boundaries[(2 * layer) + 1];
        var buffers = new MlpBlock.Buffers(boundary.Mean, boundary.Rstd, a.Normed, a.Derivative[layer], a.Hidden, a.Slopes);
        MlpBlock.Forward(
            weights, layer, shape.QueryRows(layer, _config.Layers), input, buffers, a.MlpOutput[layer], heads, boundary.Residual);
    }

    private bool AnswerRowsOnly(PassShape shape, int layer) => shape.AnswerOnly && layer == _config.Layers - 1;
}
