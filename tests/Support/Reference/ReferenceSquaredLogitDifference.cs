namespace Gradpath.Tests.Support.Reference;

/// <summary>The square of the difference of the mean logits: see <see cref="Models.OwnMetrics"/>.</summary>
internal sealed class ReferenceSquaredLogitDifference() : ReferenceMetric("squared-logit-diff", isLoss: false)
{
    public override IReadOnlyList<ReferenceMetricExample> Examples => [new([1, 2, 4, 8], [0, 0, 0, 0], [3, 2], [0], 25)];

    protected override TapeNode Of(Tape tape, TapeNode last, PromptPair pair, RealMatrix cleanLastLogits)
    {
        TapeNode difference = tape.Dot(last, Weights(last, pair, 1.0 / pair.Answers.Length, -1.0 / pair.WrongAnswers.Length));
        return tape.Map(difference, d => d * d, d => 2 * d);
    }
}
