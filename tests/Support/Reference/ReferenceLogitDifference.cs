namespace Gradpath.Tests.Support.Reference;

/// <summary>Mean logit of answers - mean logit of wrong answers.</summary>
internal sealed class ReferenceLogitDifference() : ReferenceMetric("logit-diff", isLoss: false)
{
    /// <inheritdoc />
    public override IReadOnlyList<ReferenceMetricExample> Examples =>
    [
        new([1, 2, 4, 8], [0, 0, 0, 0], [3, 2], [0], 5),
        new([1, 2, 4, 8], [0, 0, 0, 0], [3, 3, 2], [0, 1], 6 - 1.5),
    ];

    /// <inheritdoc />
    protected override TapeNode Of(Tape tape, TapeNode last, PromptPair pair, RealMatrix cleanLastLogits) =>
        tape.Dot(last, Weights(last, pair, 1.0 / pair.Answers.Length, -1.0 / pair.WrongAnswers.Length));
}
