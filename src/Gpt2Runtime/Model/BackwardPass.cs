using System.Diagnostics;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Model;

/// <summary>
/// The backward pass along the residual stream, with the gradient at every reader on the way. It makes no weight gradients, so it costs
/// one forward pass. One or two cotangents may run over the same activations; the first one's rows come first. <see cref="BackwardRules"/>
/// may put something else in place of derivatives.
/// </summary>
internal sealed class BackwardPass : ResourceOwner
{
    private readonly Gpt2Weights _weights;
    private readonly Gpt2Config _config;
    private readonly Device _device;
    private readonly Tensor _hidden;
    private readonly Tensor _normed;
    private readonly Tensor _dz;
    private readonly Tensor _dqkv;
    private readonly Tensor _dq;
    private readonly Tensor _dkv;
    private readonly Tensor? _answerDq;
    private readonly Tensor? _answerDkv;
    private readonly Tensor _answerResidual;
    private readonly FrozenNorm? _frozen;
    private readonly AttentionRules? _attention;

    /// <summary>Allocates for the largest pass.</summary>
    /// <param name="weights">The weights of the model, on the device that computes.</param>
    /// <param name="capacity">The largest forward pass.</param>
    /// <param name="cotangents">Gradients per forward pass: 1 or 2.</param>
    /// <param name="rules">What to put in place of derivatives; null for nothing. Activations that keep ratios go with rules for
    /// them.</param>
    public BackwardPass(Gpt2Weights weights, PassCapacity capacity, int cotangents, BackwardRules? rules = null)
    {
        rules ??= BackwardRules.Derivatives;
        _weights = weights;
        _config = weights.Config;
        _device = weights.Device;
        int d = _config.Width;
        int rows = capacity.Rows * cotangents;
        Residual = Own(_device.Allocate(rows, d));
        _hidden = Own(_device.Allocate(rows, _config.InnerWidth));
        _normed = Own(_device.Allocate(rows, d));
        _dz = Own(_device.Allocate(rows, d));
        _dqkv = Own(_device.Allocate(rows, 3 * d));
        (_dq, _dkv) = (Activations.QueriesOf(_dqkv, d), Activations.KeysValuesOf(_dqkv, d));
        if (capacity.AnswerOnly)
        {
            _answerDq = Own(_device.Allocate(capacity.FinalRows * cotangents, d));
            _answerDkv = Own(_device.Allocate(rows, 2 * d));
        }
        _answerResidual = Own(_device.Allocate(capacity.Sequences * cotangents, d));
        if (rules.FrozenNorms) _frozen = Own(new FrozenNorm(_device, capacity.Rows, d));
        if (AttentionRules.Change(rules)) _attention = Own(new AttentionRules(weights, rules, capacity, cotangents));
    }

    /// <summary>
    /// The gradient at the residual stream. In: at the boundary where the pass starts (of the output: its final rows). Out: at the
    /// boundary where it ends; at boundary 0 that is the gradient at the token embedding.
    /// </summary>
    public Tensor Residual { get; }

    /// <summary>The gradient at the heads' mixed values of the last layer whose attention was run [query rows, D].</summary>
    public Tensor MixedGradient => _dz;

    /// <summary>Runs from one boundary down to another.</summary>
    /// <param name="shape">The forward pass (or its first copies).</param>
    /// <param name="a">Its activations.</param>
    /// <param name="cotangents">Gradients per forward pass.</param>
    /// <param name="readers">Where readers' gradients are added (the caller advances it by the points), or null.</param>
    /// <param name="readerCopies">How many copies count for the readers, from the first of the first cotangent.</param>
    /// <param name="from">The boundary where <see cref="Residual"/> stands now, or -1 for the output.</param>
    /// <param name="downTo">The boundary to reach.</param>
    public void Run(PassShape shape, Activations a, int cotangents, ReaderGradients? readers, int readerCopies, int from = -1,
        int downTo = 0) => _device.Replay(
        shape.Slot(new PassKey(this, a, readers, from, downTo, readers?.Points ?? 0, readerCopies, cotangents)),
        (Pass: this, shape, a, cotangents, readers, readerCopies, from, downTo),
        static s => s.Pass.Issue(s.shape, s.a, s.cotangents, s.readers, s.readerCopies, s.from, s.downTo));

    /// <summary>
    /// Passes a layer by, with one gradient per forward pass: <see cref="Residual"/> behind it becomes that in front of it, as if
    /// attention and MLP wrote constants.
    /// </summary>
    /// <param name="shape">The forward pass.</param>
    /// <param name="layer">Index of the layer.</param>
    public void Skip(PassShape shape, int layer)
    {
        if (shape.AnswerOnly && layer == _config.Layers - 1) SpreadAnswers(shape, shape.FinalRows, shape.Rows);
    }

    private void Issue(PassShape shape, Activations a, int cotangents, ReaderGradients? readers, int readerCopies, int from, int downTo)
    {
        for (int s = (from < 0 ? 2 * _config.Layers : from) - 1; s >= downTo; s--)
        {
            if (s % 2 == 1) Mlp(shape, a, s / 2, cotangents, readers, readerCopies);
            else Attention(shape, a, s / 2, cotangents, readers, readerCopies);
        }
    }

    private void Mlp(PassShape shape, Activations a, int layer, int cotangents, ReaderGradients? readers, int readerCopies)
    {
        Activations.Boundary boundary = a.Boundaries[(2 * layer) + 1];
        int activationRows = shape.QueryRows(layer, _config.Layers);
        int rows = activationRows * cotangents;
        int baseRows = activationRows / shape.Copies;
        var buffers = new MlpBlock.Buffers(_frozen?.Mean ?? boundary.Mean, boundary.Rstd, _normed, a.Derivative[layer], _hidden);
        MlpBlock.Backward(
            _weights, layer, new GradientRows(rows, activationRows, baseRows), Residual, _frozen?.Input ?? boundary.Residual, buffers,
            Residual, readers?.Mlp(layer), readers is null ? 0 : readerCopies * baseRows);
    }

    private void Attention(PassShape shape, Activations a, int layer, int cotangents, ReaderGradients? readers, int readerCopies)
    {
        Gpt2Layer w = _weights.Layers[layer];
        Activations.Boundary boundary = a.Boundaries[2 * layer];
        bool answerRows = shape.AnswerOnly && layer == _config.Layers - 1;
        SequenceLayout layout = answerRows ? shape.Final : shape.All;
        int d = _config.Width;
        int queryRows = layout.QueryRows * cotangents;
        int rows = shape.Rows * cotangents;
        HeadGroup heads = a.HeadsOf(_config, layer);
        Debug.Assert(heads.Joined != answerRows, "the queries of the answer rows alone stand apart");
        (Tensor dq, Tensor dkv) = answerRows ? (_answerDq!, _answerDkv!) : (_dq, _dkv);
        Matrix qkv = w.QkvWeight.AsMatrix();
        _device.Gemm(Residual.AsMatrix(queryRows, d), w.OutputWeight.AsMatrix().T, _dz.AsMatrix(queryRows, d));
        _device.AttentionBackward(
            _dz, a.Q[layer], a.Kv[layer], a.Probabilities[layer], layout, heads, cotangents, dq, dkv, a.Prefix?.Of(layer));
        _attention?.Apply(a, layer, heads, layout, cotangents, _dz, answerRows ? null : _dqkv, dq, dkv);
        readers?.AddSpans(shape, a, layer, heads, _dz, _attention, readerCopies);
        if (answerRows)
        {
            readers?.AddAnswers(shape, a, layer, dq, dkv, readerCopies);
            _device.Gemm(dkv.AsMatrix(rows, 2 * d), qkv.SliceColumns(d, 2 * d).T, _normed.AsMatrix(rows, d));

            // Only the answer rows have queries and an onward residual stream; from here down every row has a gradient.
            _device.Gemm(dq.AsMatrix(queryRows, d), qkv.SliceColumns(0, d).T, _answerResidual.AsMatrix(queryRows, d));
            _device.ScatterAddRows(_answerResidual, shape.AnswerRows, queryRows, d, _normed);
            SpreadAnswers(shape, queryRows, rows);
        }
        else
        {
            _device.Gemm(_dqkv.AsMatrix(rows, 3 * d), qkv.T, _normed.AsMatrix(rows, d));
        }
        (Tensor input, Tensor mean) = (_frozen?.Input ?? boundary.Residual, _frozen?.Mean ?? boundary.Mean);
        var all = new GradientRows(rows, shape.Rows, shape.BaseRows);
        if (readers is null || answerRows)
        {
            _device.LayerNormBackward(_normed, input, w.AttentionGain, mean, boundary.Rstd, all, d, Residual, null, 0);
            return;
        }
        readers.AddAttention(shape, a, layer, _dqkv, readerCopies, _normed, input, mean, all, Residual);
    }

    private void SpreadAnswers(PassShape shape, int answers, int rows)
    {
        int d = _config.Width;
        _device.Combine(1, Residual, 0, Residual, (long)answers * d, _answerResidual);
        _device.Fill(Residual, 0, (long)rows * d);
        _device.ScatterAddRows(_answerResidual, shape.AnswerRows, answers, d, Residual);
    }
}
