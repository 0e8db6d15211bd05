using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Model;

/// <summary>
/// The metric of a run and the gradient of its loss at the residual stream: final LayerNorm at the answer rows, then the unembedding.
/// The logit difference needs no logits: it is the product with one direction per item. The other metrics make the answer rows' logits.
/// </summary>
internal sealed class OutputHead : ResourceOwner
{
    private readonly Gpt2Weights _weights;
    private readonly Device _device;
    private readonly TaskMetric _metric;
    private readonly int _d;
    private readonly int _vocabulary;
    private readonly Tensor _residual;
    private readonly Tensor _mean;
    private readonly Tensor _rstd;
    private readonly Tensor _normed;
    private readonly Tensor _normedGradient;
    private readonly Tensor _residualGradient;
    private readonly Tensor? _directions;
    private readonly Tensor? _biasSums;
    private readonly Tensor? _logits;
    private readonly Tensor? _cleanLogProbabilities;
    private readonly DeviceArray<double> _deviceValues;
    private AnswerTokens _answers;
    private Tensor? _reference;
    private float[] _biasDifference = [];
    private int[] _answerStart = [];
    private int[] _answerTokens = [];
    private float[] _answerWeights = [];
    private int _items;

    /// <summary>Allocates for the largest pass.</summary>
    /// <param name="weights">The model.</param>
    /// <param name="metric">The metric.</param>
    /// <param name="items">Prompts of the largest batch.</param>
    /// <param name="sequences">Prompts of all copies of the largest pass.</param>
    public OutputHead(Gpt2Weights weights, TaskMetric metric, int items, int sequences)
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
        _residualGradient = Own(_device.Allocate(sequences, _d));
        _deviceValues = Own(_device.AllocateArray<double>(sequences));
        Values = new double[sequences];
        if (metric == TaskMetric.LogitDifference) _directions = Own(_device.Allocate(items, _d));
        else _logits = Own(_device.Allocate(sequences, _vocabulary));
        if (metric == TaskMetric.LogitDifference && weights.UnembeddingBias is not null) _biasSums = Own(_device.Allocate(items, 1));
        if (metric == TaskMetric.KlDivergence) _cleanLogProbabilities = Own(_device.Allocate(items, _vocabulary));
    }

    /// <summary>The metric of every prompt of every copy, after <see cref="Evaluate"/>; not negated.</summary>
    public double[] Values { get; }

    /// <summary>The sign that makes a metric a loss.</summary>
    /// <param name="metric">The metric.</param>
    /// <returns>-1 for the differences, +1 for KL.</returns>
    public static int LossSign(TaskMetric metric) => metric == TaskMetric.KlDivergence ? 1 : -1;

    /// <summary>Bytes that it takes, without allocating it.</summary>
    /// <param name="config">The model's shape.</param>
    /// <param name="metric">The metric.</param>
    /// <param name="items">Prompts of the largest batch.</param>
    /// <param name="sequences">Prompts of all copies of the largest pass.</param>
    /// <returns>Bytes, up to small change.</returns>
    public static long Bytes(Gpt2Config config, TaskMetric metric, int items, int sequences) =>
        sizeof(float) * ((4L * sequences * config.Width) + (metric switch
        {
            TaskMetric.LogitDifference => (long)items * config.Width,
            TaskMetric.ProbabilityDifference => (long)sequences * config.Vocabulary,
            _ => (long)(sequences + items) * config.Vocabulary,
        }));

    /// <summary>Takes the answers of a new batch.</summary>
    /// <param name="pairs">Its items.</param>
    public void SetItems(IReadOnlyList<PromptPair> pairs)
    {
        _items = pairs.Count;
        Judge(pairs);
        if (_directions is null) return;
        _device.WeightedRowSums(_weights.Unembedding, _answers, _items, _d, _directions);
        if (_biasDifference.Length != _items) _biasDifference = new float[_items];
        if (_weights.UnembeddingBias is { } bias)
        {
            _device.WeightedRowSums(bias, _answers, _items, 1, _biasSums!);
            _biasSums!.Download(_biasDifference);
        }
    }

    /// <summary>For KL: takes a new batch of which only the reference is needed. Allocates nothing.</summary>
    /// <param name="logProbabilities">[items, vocabulary] of the reference; used until another takes its place.</param>
    /// <param name="items">Number of prompts.</param>
    public void UseReference(Tensor logProbabilities, int items)
    {
        _items = items;
        _reference = logProbabilities;
    }

    /// <summary>For KL: the reference, [items, vocabulary] log-probabilities.</summary>
    public Tensor Reference => _reference ?? throw new InvalidOperationException("no reference has been taken");

    /// <summary>Computes the metric of every prompt of every copy into <see cref="Values"/>.</summary>
    /// <param name="shape">The pass.</param>
    /// <param name="a">Its activations.</param>
    /// <param name="cleanCopy">For KL: the copy that holds the clean run, or -1 to keep the reference of an earlier call.</param>
    public void Evaluate(PassShape shape, Activations a, int cleanCopy)
    {
        int rows = shape.Sequences;
        Tensor final = a.Boundaries[^1].Residual;
        if (shape.AnswerOnly) _device.CopyBlock(final, 0, _residual, 0, (long)rows * _d);
        else _device.GatherRows(final, shape.AnswerRows, rows, _d, _residual);
        EvaluateResidual(rows, cleanCopy);
    }

    /// <summary>Computes the metric from residual streams that were made outside a plain pass.</summary>
    /// <param name="residual">[rows, D] final residual stream at the answer positions; row r belongs to item r mod items.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="cleanCopy">For KL: the copy that holds the clean run, or -1 to keep the reference of an earlier call.</param>
    public void EvaluateRows(Tensor residual, int rows, int cleanCopy = -1)
    {
        _device.CopyBlock(residual, 0, _residual, 0, (long)rows * _d);
        EvaluateResidual(rows, cleanCopy);
    }

    /// <summary>After an evaluation of a metric that needs all logits: the most probable token of every row.</summary>
    /// <param name="rows">Number of rows evaluated.</param>
    /// <returns>Token ids.</returns>
    public int[] MostProbable(int rows)
    {
        using DeviceArray<int> tokens = _device.AllocateArray<int>(rows);
        _device.ArgMax(_logits ?? throw new InvalidOperationException("the logit difference makes no logits"), rows, _vocabulary, tokens);
        return tokens.ToArray();
    }

    /// <summary>
    /// After <see cref="Evaluate"/>: the gradient of the loss (each item by itself) at the final residual stream of the first copies,
    /// as the first cotangent of a backward pass.
    /// </summary>
    /// <param name="shape">The pass to run backwards: the evaluated one or its first copies.</param>
    /// <param name="backward">Its <see cref="BackwardPass.Residual"/> is set.</param>
    /// <param name="readers">Where the gradient at the logits reader is added, or null.</param>
    /// <param name="readerCopies">How many copies count for it.</param>
    public void LossGradient(PassShape shape, BackwardPass backward, ReaderGradients? readers, int readerCopies)
    {
        int rows = shape.Sequences;
        Tensor target = shape.AnswerOnly ? backward.Residual : _residualGradient;
        MakeLossGradient(rows, target, readers?.Logits, readerCopies * _items);
        if (shape.AnswerOnly) return;
        _device.Fill(backward.Residual, 0, (long)shape.Rows * _d);
        _device.ScatterAddRows(_residualGradient, shape.AnswerRows, rows, _d, backward.Residual);
    }

    /// <summary>After an evaluation: the gradient of the loss (each row by itself) at the residual stream of the evaluated rows.</summary>
    /// <param name="rows">Number of rows evaluated.</param>
    /// <param name="gradient">[rows, D], out.</param>
    public void LossGradientAt(int rows, Tensor gradient) => MakeLossGradient(rows, gradient, null, 0);

    /// <inheritdoc />
    public override void Dispose()
    {
        FreeAnswers();
        base.Dispose();
    }

    private void MakeLossGradient(int rows, Tensor target, Tensor? reader, int contributingRows)
    {
        if (_directions is not null)
        {
            for (int first = 0; first < rows; first += _items) _device.CopyBlock(_directions, 0, _normedGradient, (long)first * _d, (long)_items * _d);
        }
        else
        {
            if (_metric == TaskMetric.ProbabilityDifference) _device.ProbabilityDifference(_logits!, _answers, _items, rows, _vocabulary, _deviceValues, _logits);
            else _device.KlDivergence(_logits!, Reference, _items, rows, _vocabulary, _deviceValues, _logits);
            _device.Gemm(_logits!.AsMatrix(rows, _vocabulary), _weights.Unembedding.AsMatrix(), _normedGradient.AsMatrix(rows, _d));
        }
        if (LossSign(_metric) < 0) _device.Combine(-1, _normedGradient, 0, _normedGradient, (long)rows * _d, _normedGradient);
        _device.Fill(target, 0, (long)rows * _d);
        _device.LayerNormBackward(_normedGradient, _residual, _weights.FinalGain, _mean, _rstd, new GradientRows(rows, rows, _items), _d, target, reader, contributingRows);
    }

    private void EvaluateResidual(int rows, int cleanCopy)
    {
        _device.LayerNorm(_residual, _weights.FinalGain, _weights.FinalShift, _weights.Config.Epsilon, rows, _d, _mean, _rstd, _normed);
        if (_directions is not null)
        {
            _device.RowDots(_normed, _directions, _items, rows, _d, _deviceValues);
            _deviceValues.Download(Values.AsSpan(0, rows));
            for (int r = 0; r < rows; r++) Values[r] += _biasDifference[r % _items];
            return;
        }
        _device.Gemm(
            _normed.AsMatrix(rows, _d), _weights.Unembedding.AsMatrix().T, _logits!.AsMatrix(rows, _vocabulary), new GemmOptions(Bias: _weights.UnembeddingBias));
        _device.LogSoftmax(_logits, rows, _vocabulary);
        if (_metric == TaskMetric.ProbabilityDifference)
        {
            _device.ProbabilityDifference(_logits, _answers, _items, rows, _vocabulary, _deviceValues, null);
        }
        else
        {
            if (cleanCopy >= 0)
            {
                _device.CopyBlock(_logits, (long)cleanCopy * _items * _vocabulary, _cleanLogProbabilities!, 0, (long)_items * _vocabulary);
                _reference = _cleanLogProbabilities;
            }
            _device.KlDivergence(_logits, Reference, _items, rows, _vocabulary, _deviceValues, null);
        }
        _deviceValues.Download(Values.AsSpan(0, rows));
    }

    // Means for the logit difference, sums for the probability difference; a token that is listed twice counts twice. Memory is kept from
    // batch to batch and grows where it must.
    private void Judge(IReadOnlyList<PromptPair> pairs)
    {
        int most = 0;
        for (int i = 0; i < pairs.Count; i++) most += pairs[i].Answers.Length + pairs[i].WrongAnswers.Length;
        if (_answers.Start is null || _answerStart.Length <= pairs.Count || _answerTokens.Length < most)
        {
            FreeAnswers();
            _answerStart = new int[pairs.Count + 1];
            _answerTokens = new int[most];
            _answerWeights = new float[most];
            _answers = new AnswerTokens(_device.AllocateArray<int>(pairs.Count + 1), _device.AllocateArray<int>(most), _device.AllocateArray<float>(most), 0);
        }
        bool mean = _metric == TaskMetric.LogitDifference;
        int count = 0;
        for (int i = 0; i < pairs.Count; i++)
        {
            int first = count;
            int[] right = pairs[i].Answers, wrong = pairs[i].WrongAnswers;
            foreach (int token in right) Weigh(token, mean ? 1f / right.Length : 1, first, ref count);
            foreach (int token in wrong) Weigh(token, -(mean ? 1f / wrong.Length : 1), first, ref count);
            _answerStart[i + 1] = count;
        }
        _answers.Start.Upload(_answerStart.AsSpan(0, pairs.Count + 1));
        _answers.Token.Upload(_answerTokens.AsSpan(0, count));
        _answers.Weight.Upload(_answerWeights.AsSpan(0, count));
        _answers = _answers with { Count = count };
    }

    // Adds to a token's weight among those of an item, which are in order.
    private void Weigh(int token, float weight, int first, ref int count)
    {
        int at = first + _answerTokens.AsSpan(first, count - first).BinarySearch(token);
        if (at >= first)
        {
            _answerWeights[at] += weight;
            return;
        }
        at = first + ~(at - first);
        _answerTokens.AsSpan(at, count - at).CopyTo(_answerTokens.AsSpan(at + 1));
        _answerWeights.AsSpan(at, count - at).CopyTo(_answerWeights.AsSpan(at + 1));
        _answerTokens[at] = token;
        _answerWeights[at] = weight;
        count++;
    }

    private void FreeAnswers()
    {
        _answers.Start?.Dispose();
        _answers.Token?.Dispose();
        _answers.Weight?.Dispose();
        _answers = default;
    }
}
