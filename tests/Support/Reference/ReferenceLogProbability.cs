namespace Gradpath.Tests.Support.Reference;

/// <summary>Mean log-probability of answers - mean log-probability of wrong answers, where there are any.</summary>
internal sealed class ReferenceLogProbability() : ReferenceMetric("log-prob", isLoss: false)
{
    /// <inheritdoc />
    public override IReadOnlyList<ReferenceMetricExample> Examples =>
    [
        new([0, Math.Log(2), Math.Log(3), Math.Log(4)], [0, 0, 0, 0], [3], [], Math.Log(0.4)),
        new([0, Math.Log(2), Math.Log(3), Math.Log(4)], [0, 0, 0, 0], [3, 2], [0], (Math.Log(0.4 * 0.3) / 2) - Math.Log(0.1)),
    ];

    /// <inheritdoc />
    protected override TapeNode Of(Tape tape, TapeNode last, PromptPair pair, RealMatrix cleanLastLogits) => tape.Dot(
        tape.LogSoftmax(last), Weights(last, pair, 1.0 / pair.Answers.Length, -1.0 / Math.Max(1, pair.WrongAnswers.Length)));
}
