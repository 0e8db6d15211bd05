namespace Gradpath.Tests.Support.Reference;

/// <summary>Sum over the vocabulary of p (log p - log q), p the clean run, q this run.</summary>
internal sealed class ReferenceKlDivergence() : ReferenceMetric("kl", isLoss: true)
{
    /// <inheritdoc />
    public override IReadOnlyList<ReferenceMetricExample> Examples =>
    [
        new([0, Math.Log(3)], [0, 0], [], [], 0.5 * Math.Log(4 / 3.0)),
        new([1, 2, 3], [2, 3, 4], [], [], 0),
    ];

    /// <inheritdoc />
    protected override TapeNode Of(Tape tape, TapeNode last, PromptPair pair, RealMatrix cleanLastLogits)
    {
        Tape cleanTape = new();
        RealMatrix cleanLog = cleanTape.LogSoftmax(cleanTape.Leaf(cleanLastLogits)).Value;
        RealMatrix weights = new(1, last.Value.Columns);
        double entropy = 0;
        for (int v = 0; v < weights.Columns; v++)
        {
            double p = Math.Exp(cleanLog[0, v]);
            entropy += p * cleanLog[0, v];
            weights[0, v] = -p;
        }
        return tape.Dot(tape.LogSoftmax(last), weights, entropy);
    }
}
