namespace Gradpath.Tests.Support.Reference;

/// <summary>The margin to the best other token: see <see cref="Models.OwnMetrics"/>.</summary>
internal sealed class ReferenceMargin() : ReferenceMetric("margin", isLoss: false)
{
    public override IReadOnlyList<ReferenceMetricExample> Examples => [new([1, 2, 4, 8], [0, 0, 0, 0], [2, 3], [0], -4)];

    protected override TapeNode Of(Tape tape, TapeNode last, PromptPair pair, RealMatrix cleanLastLogits)
    {
        RealMatrix weights = new(1, last.Value.Columns);
        int other = Enumerable.Range(0, weights.Columns).Where(v => v != pair.Answers[0]).MaxBy(v => last.Value[0, v]);
        (weights[0, pair.Answers[0]], weights[0, other]) = (1, -1);
        return tape.Dot(last, weights);
    }
}
