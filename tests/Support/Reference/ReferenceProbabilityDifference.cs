namespace Gradpath.Tests.Support.Reference;

/// <summary>Sum of the answers' probabilities - sum of the wrong answers'.</summary>
internal sealed class ReferenceProbabilityDifference() : ReferenceMetric("prob-diff", isLoss: false)
{
    /// <inheritdoc />
    public override IReadOnlyList<ReferenceMetricExample> Examples =>
    [
        new([0, Math.Log(2), Math.Log(3), Math.Log(4)], [0, 0, 0, 0], [3, 2], [0], 0.6),
        new([0, Math.Log(2), Math.Log(3), Math.Log(4)], [0, 0, 0, 0], [3, 3], [1], 0.2),
    ];

    /// <inheritdoc />
    protected override TapeNode Of(Tape tape, TapeNode last, PromptPair pair, RealMatrix cleanLastLogits) =>
        tape.Dot(tape.Softmax(last), Weights(last, pair, 1, -1));
}
