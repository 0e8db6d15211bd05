using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Model;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary>
/// The squared distance of a run's output from the target run's that the path of EAP-GP descends: its gradient at the final residual
/// stream, for every objective but the metric's (whose gradient is the metric's own, scaled).
/// </summary>
internal sealed class EmbeddingPathObjectiveGradient : ResourceOwner
{
    private readonly Gpt2Weights _weights;
    private readonly Device _device;
    private readonly EmbeddingPathObjective _objective;
    private readonly OutputDistance? _distance;
    private readonly Tensor? _targetResidual;
    private readonly Tensor? _normed;
    private readonly Tensor? _logits;
    private readonly Tensor? _targetLogProbabilities;
    private readonly Tensor _answers;

    /// <summary>Allocates for the largest batch.</summary>
    /// <param name="weights">The weights of the model, on the device that computes.</param>
    /// <param name="objective">Which distance.</param>
    /// <param name="capacity">The largest batch, two copies.</param>
    /// <param name="distance">The distance of the logits, for the objectives that are made of it.</param>
    public EmbeddingPathObjectiveGradient(
        Gpt2Weights weights, EmbeddingPathObjective objective, PassCapacity capacity, OutputDistance? distance)
    {
        _weights = weights;
        _device = weights.Device;
        _objective = objective;
        _distance = distance;
        int d = weights.Config.Width;
        _answers = Own(_device.Allocate(capacity.Sequences, d));
        if (objective is EmbeddingPathObjective.ResidualFinal or EmbeddingPathObjective.ResidualFinalLast)
            _targetResidual = Own(_device.Allocate(capacity.FinalRows, d));
        if (objective != EmbeddingPathObjective.ProbsLast) return;
        int vocabulary = weights.Config.Vocabulary;
        _normed = Own(_device.Allocate(capacity.Sequences, d));
        _logits = Own(_device.Allocate(capacity.Sequences, vocabulary));
        _targetLogProbabilities = Own(_device.Allocate(capacity.Sequences, vocabulary));
    }

    /// <summary>Whether an objective looks at the answer positions alone.</summary>
    /// <param name="objective">The objective.</param>
    /// <returns>True for all but the two that look at every position.</returns>
    public static bool AnswerOnly(EmbeddingPathObjective objective) =>
        objective is not (EmbeddingPathObjective.LogitsAll or EmbeddingPathObjective.ResidualFinal);

    /// <summary>Remembers a copy's output as the target.</summary>
    /// <param name="shape">The pass.</param>
    /// <param name="a">Its activations.</param>
    /// <param name="copy">Index of the copy.</param>
    public void CaptureTarget(PassShape shape, Activations a, int copy)
    {
        int d = _weights.Config.Width;
        switch (_objective)
        {
            case EmbeddingPathObjective.LogitsAll or EmbeddingPathObjective.LogitsLast:
                _distance!.CaptureTarget(shape, a, copy);
                break;
            case EmbeddingPathObjective.ResidualFinal or EmbeddingPathObjective.ResidualFinalLast:
                _device.CopyBlock(
                    a.Boundaries[^1].Residual, (long)copy * shape.BaseFinalRows * d, _targetResidual!, 0, (long)shape.BaseFinalRows * d);
                break;
            case EmbeddingPathObjective.ProbsLast:
                MakeLogProbabilities(shape, a);
                int vocabulary = _weights.Config.Vocabulary;
                _device.CopyBlock(
                    _logits!, (long)copy * shape.Items * vocabulary, _targetLogProbabilities!, 0, (long)shape.Items * vocabulary);
                break;
        }
    }

    /// <summary>The gradient of the squared distance at the final residual stream.</summary>
    /// <param name="shape">The pass, one copy.</param>
    /// <param name="a">Its activations.</param>
    /// <param name="residualGradient">[final rows, D], out.</param>
    public void Gradient(PassShape shape, Activations a, Tensor residualGradient)
    {
        int d = _weights.Config.Width;
        long length = (long)shape.FinalRows * d;
        switch (_objective)
        {
            case EmbeddingPathObjective.LogitsAll or EmbeddingPathObjective.LogitsLast:
                _distance!.Compare(shape, a);
                _distance.Gradient(shape, a, residualGradient);
                break;
            case EmbeddingPathObjective.ResidualFinal or EmbeddingPathObjective.ResidualFinalLast:
                _device.Combine(2, a.Boundaries[^1].Residual, -2, _targetResidual!, length, residualGradient);
                break;
            case EmbeddingPathObjective.ProbsLast:
                ProbabilityGradient(shape, a, residualGradient);
                return;
            default:
                throw new InvalidOperationException("the metric's own gradient serves this objective");
        }
        if (!AnswerOnly(_objective) || shape.AnswerOnly) return;
        _device.GatherRows(residualGradient, shape.AnswerRows, shape.Items, d, _answers);
        _device.Fill(residualGradient, 0, length);
        _device.ScatterAddRows(_answers, shape.AnswerRows, shape.Items, d, residualGradient);
    }

    /// <summary>Whether <see cref="Distances"/> has an answer: the objectives that are a distance at all positions.</summary>
    /// <param name="objective">The objective.</param>
    public static bool HasDistance(EmbeddingPathObjective objective) => !AnswerOnly(objective);

    /// <summary>The distance from the target, not squared, after <see cref="Gradient"/> at the same point.</summary>
    /// <param name="shape">The pass, one copy.</param>
    /// <param name="a">Its activations.</param>
    /// <param name="scratch">[rows, D], overwritten.</param>
    /// <param name="squares">[items], overwritten.</param>
    /// <param name="distances">[items], out.</param>
    public void Distances(PassShape shape, Activations a, Tensor scratch, DeviceArray<double> squares, Span<double> distances)
    {
        if (_objective == EmbeddingPathObjective.LogitsAll)
        {
            _distance!.Distances(shape, distances);
            return;
        }
        int d = _weights.Config.Width;
        _device.Combine(1, a.Boundaries[^1].Residual, -1, _targetResidual!, (long)shape.Rows * d, scratch);
        _device.SequenceDots(scratch, scratch, shape.All, d, squares);
        squares.Download(distances);
        foreach (ref double distance in distances) distance = Math.Sqrt(distance);
    }

    private void MakeLogProbabilities(PassShape shape, Activations a)
    {
        int d = _weights.Config.Width;
        int rows = shape.Sequences;
        if (!shape.AnswerOnly) _device.GatherRows(a.Normed, shape.AnswerRows, rows, d, _normed!);
        FinalHead.Logits(_weights, shape.AnswerOnly ? a.Normed : _normed!, rows, _logits!);
        _device.LogSoftmax(_logits!, rows, _weights.Config.Vocabulary);
    }

    private void ProbabilityGradient(PassShape shape, Activations a, Tensor residualGradient)
    {
        int rows = shape.Sequences;
        int vocabulary = _weights.Config.Vocabulary;
        MakeLogProbabilities(shape, a);
        _device.ProbabilityDistanceGradient(_logits!, _targetLogProbabilities!, shape.Items, rows, vocabulary, _logits!);
        FinalHead.LogitsBackward(_weights, _logits!, rows, _normed!);
        Activations.Boundary output = a.Boundaries[^1];
        FinalHead.NormalizeBackward(
            _weights, _normed!, output.Residual, output.Mean, output.Rstd, new GradientRows(rows, rows, rows), residualGradient,
            chosen: shape.AnswerOnly ? null : shape.AnswerRows, fresh: true, clearedRows: shape.AnswerOnly ? 0 : shape.FinalRows);
    }
}
