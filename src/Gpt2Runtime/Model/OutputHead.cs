using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Model;

/// <summary>
/// The metric of a run and the gradient of its loss at the residual stream: final LayerNorm at the answer rows, the unembedding where the
/// metric reads logits, then the metric's own <see cref="MetricHead"/>.
/// </summary>
internal sealed class OutputHead : ResourceOwner
{
    private readonly Gpt2Weights _weights;
    private readonly Device _device;
    private readonly Metric _metric;
    private readonly MetricHead _head;
    private readonly int _d;
    private readonly int _vocabulary;
    private readonly Tensor _residual;
    private readonly Tensor _mean;
    private readonly Tensor _rstd;
    private readonly Tensor _normed;
    private readonly Tensor _normedGradient;
    private readonly Tensor? _logits;
    private readonly FrozenNorm? _frozen;
    private IReadOnlyList<PromptPair> _pairs = [];
    private int[]? _numbers;

    // The rows of the last evaluation: where the pass has left them, or this object's own.
    private Activations.Boundary _evaluated;
    private Tensor _evaluatedNormed;
    private bool _amongAll;

    /// <summary>Allocates for the largest pass.</summary>
    /// <param name="weights">The weights of the model, on the device that computes.</param>
    /// <param name="metric">The metric.</param>
    /// <param name="items">Prompts of the largest batch.</param>
    /// <param name="sequences">Prompts of all copies of the largest pass.</param>
    /// <param name="rules">What gradients go by; null for derivatives.</param>
    /// <param name="finalRows">With rules, the final rows of the largest pass.</param>
    public OutputHead(
        Gpt2Weights weights, Metric metric, int items, int sequences, BackwardRules? rules = null, int finalRows = 0)
    {
        _weights = weights;
        _device = weights.Device;
        _metric = metric;
        _d = weights.Config.Width;
        _vocabulary = weights.Config.Vocabulary;
        _residual = Own(_device.Allocate(sequences, _d));
        _mean = Own(_device.Allocate(sequences));
        _rstd = Own(_device.Allocate(sequences));
        _normed = Own(_device.Allocate(sequences, _d));
        _normedGradient = Own(_device.Allocate(sequences, _d));
        if (metric.ReadsLogits) _logits = Own(_device.Allocate(sequences, _vocabulary));
        if (rules is { FrozenNorms: true }) _frozen = Own(new FrozenNorm(_device, Math.Max(sequences, finalRows), _d));
        _evaluatedNormed = _normed;
        _head = Own(metric.Head(weights, items, sequences));
    }

    /// <summary>
    /// Whether a value that is NaN or infinite ends the run. It does unless the owner judges the values itself: no table, circuit or curve
    /// is to come of a model that overflows.
    /// </summary>
    public bool ChecksValues { get; init; } = true;

    /// <summary>The metric of every prompt of every copy, after <see cref="Evaluate"/>; not negated.</summary>
    public double[] Values => _head.Values;

    /// <summary>[rows]: the values on the device, as they are computed.</summary>
    public DeviceArray<double> DeviceValues => _head.DeviceValues;

    /// <summary>
    /// Whether values stay on the device, unchecked; <see cref="Values"/> then keeps what it has, and an evaluation can be part of a
    /// recorded pass.
    /// </summary>
    public bool LeavesValues
    {
        get => _head.LeavesValues;
        set => _head.LeavesValues = value;
    }

    /// <summary>Where the metric compares with one: the reference, [items, vocabulary] log-probabilities.</summary>
    public Tensor Reference => _head.Reference;

    /// <summary>Takes a new batch.</summary>
    /// <param name="pairs">Its items.</param>
    /// <param name="numbers">Their places in the run from 0, for messages; null where they are 0, 1, ...</param>
    public void SetItems(IReadOnlyList<PromptPair> pairs, int[]? numbers = null)
    {
        _head.SetItems(pairs, numbers);
        _pairs = pairs;
        _numbers = numbers;
    }

    /// <summary>Where the metric compares with a reference: takes a new batch of which only that is needed. Allocates nothing.</summary>
    /// <param name="logProbabilities">[items, vocabulary] of the reference; used until another takes its place.</param>
    /// <param name="items">Number of prompts.</param>
    public void UseReference(Tensor logProbabilities, int items) => _head.UseReference(logProbabilities, items);

    /// <summary>Computes the metric of every prompt of every copy into <see cref="Values"/>.</summary>
    /// <param name="shape">The pass.</param>
    /// <param name="a">Its activations.</param>
    /// <param name="cleanCopy">The copy that holds the clean run, or -1 to go on comparing with that of an earlier call.</param>
    /// <param name="values">Whether values are wanted, and not only the gradient that follows, which may need none.</param>
    /// <exception cref="GradpathException">A value is not a finite number; the message names the metric and the item.</exception>
    public void Evaluate(PassShape shape, Activations a, int cleanCopy, bool values = true)
    {
        int rows = shape.Sequences;
        (_evaluated, _amongAll) = (a.Boundaries[^1], !shape.AnswerOnly);
        if (!values && rows <= _head.Items && _head.LossDirections is not null) return;
        _evaluatedNormed = shape.AnswerOnly ? a.Normed : _normed;
        if (!shape.AnswerOnly) _device.GatherRows(a.Normed, shape.AnswerRows, rows, _d, _normed);
        EvaluateNormed(rows, cleanCopy);
    }

    /// <summary>Computes the metric from residual streams that were made outside a plain pass.</summary>
    /// <param name="residual">[rows, D] final residual stream at the answer positions; row r belongs to item r mod items.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="cleanCopy">The copy that holds the clean run, or -1 to go on comparing with that of an earlier call.</param>
    /// <exception cref="GradpathException">A value is not a finite number; the message names the metric and the item.</exception>
    public void EvaluateRows(Tensor residual, int rows, int cleanCopy = -1)
    {
        _device.CopyBlock(residual, 0, _residual, 0, (long)rows * _d);
        (_evaluated, _amongAll) = (new Activations.Boundary(_residual, _mean, _rstd), false);
        _evaluatedNormed = _normed;
        FinalHead.Normalize(_weights, _residual, rows, _mean, _rstd, _normed);
        EvaluateNormed(rows, cleanCopy);
    }

    /// <summary>After an evaluation of a metric that needs all logits: the most probable token of every row.</summary>
    /// <param name="rows">Number of rows evaluated.</param>
    /// <returns>Token ids.</returns>
    public int[] MostProbable(int rows)
    {
        using DeviceArray<int> tokens = _device.AllocateArray<int>(rows);
        _device.ArgMax(_logits ?? throw new InvalidOperationException($"{_metric} makes no logits"), rows, _vocabulary, tokens);
        return tokens.ToArray();
    }

    /// <summary>
    /// After <see cref="Evaluate"/>, with the pass's activations as they were: the gradient of the loss (each item by itself) at the final
    /// residual stream of the first copies, as the first cotangent of a backward pass.
    /// </summary>
    /// <param name="shape">The pass to run backwards: the evaluated one or its first copies.</param>
    /// <param name="backward">Its <see cref="BackwardPass.Residual"/> is set.</param>
    /// <param name="readers">Where the gradient at the logits reader is added, or null.</param>
    /// <param name="readerCopies">How many copies count for it.</param>
    public void LossGradient(PassShape shape, BackwardPass backward, ReaderGradients? readers, int readerCopies)
    {
        MakeLossGradient(
            shape.Sequences, backward.Residual, readers?.Logits, readerCopies * _head.Items, _amongAll ? shape.AnswerRows : null,
            _amongAll ? shape.FinalRows : 0);
    }

    /// <summary>After an evaluation: the gradient of the loss (each row by itself) at the residual stream of the evaluated rows.</summary>
    /// <param name="rows">Number of rows evaluated.</param>
    /// <param name="gradient">[rows, D], out.</param>
    public void LossGradientAt(int rows, Tensor gradient) => MakeLossGradient(rows, gradient, null, 0);

    private void MakeLossGradient(
        int rows, Tensor target, Tensor? reader, int contributingRows, DeviceArray<int>? chosen = null, int clearedRows = 0)
    {
        // Rows beyond the batch's items are other copies of them.
        Tensor? known = rows <= _head.Items ? _head.LossDirections : null;
        if (known is null) MakeNormedGradient(rows);
        var gradientRows = new GradientRows(rows, rows, _head.Items);
        FinalHead.NormalizeBackward(
            _weights, known ?? _normedGradient, _frozen?.Input ?? _evaluated.Residual, _frozen?.Mean ?? _evaluated.Mean, _evaluated.Rstd,
            gradientRows, target, reader, contributingRows, chosen, fresh: true, clearedRows);
    }

    private void MakeNormedGradient(int rows)
    {
        if (_logits is null)
        {
            _head.Gradient(_evaluatedNormed, rows, _normedGradient);
        }
        else
        {
            _head.Gradient(_logits, rows, _logits);
            FinalHead.LogitsBackward(_weights, _logits, rows, _normedGradient);
        }
        if (_metric.LossSign < 0) _device.Combine(-1, _normedGradient, 0, _normedGradient, (long)rows * _d, _normedGradient);
    }

    private void EvaluateNormed(int rows, int cleanCopy)
    {
        if (_logits is not null) FinalHead.Logits(_weights, _evaluatedNormed, rows, _logits);
        _head.Evaluate(_logits ?? _evaluatedNormed, rows, cleanCopy);
        if (ChecksValues && !LeavesValues) RequireFinite(rows);
    }

    private void RequireFinite(int rows)
    {
        for (int r = 0; r < rows; r++)
        {
            if (double.IsFinite(_head.Values[r])) continue;
            int item = r % _head.Items;
            string of = item < _pairs.Count ? $" of {_pairs[item].NameAt((_numbers?[item] ?? item) + 1)}" : "";
            throw Overflow.Of($"{_metric.Name}{of}");
        }
    }
}
