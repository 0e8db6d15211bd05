using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Tests.Support.Reference;

/// <summary>
/// The metrics at the last position, on the tape.
/// logit-diff: mean logit of answers - mean logit of wrong answers.
/// prob-diff: sum of the answers' probabilities - sum of the wrong answers'.
/// kl: sum over the vocabulary of p (log p - log q), p the clean run, q this run. The loss is minus the first two, plus kl.
/// </summary>
internal static class ReferenceMetric
{
    /// <summary>The metric of a run as a scalar on the run's tape.</summary>
    public static TapeNode Of(TaskMetric metric, ReferenceRun run, PromptPair pair, RealMatrix cleanLastLogits) =>
        Of(metric, run.Tape, run.Tape.LastRow(run.Logits), pair, cleanLastLogits);

    /// <summary>+1 or -1: loss = sign x metric.</summary>
    public static double LossSign(TaskMetric metric) => metric == TaskMetric.KlDivergence ? 1 : -1;

    /// <summary>The metric of last-position logits [1, V].</summary>
    public static double Value(TaskMetric metric, RealMatrix lastLogits, PromptPair pair, RealMatrix cleanLastLogits)
    {
        Tape tape = new();
        return Of(metric, tape, tape.Leaf(lastLogits), pair, cleanLastLogits).Value[0, 0];
    }

    private static TapeNode Of(TaskMetric metric, Tape tape, TapeNode last, PromptPair pair, RealMatrix cleanLastLogits)
    {
        RealMatrix weights = new(1, last.Value.Columns);
        switch (metric)
        {
            case TaskMetric.LogitDifference:
                AddAt(weights, pair.Answers, 1.0 / pair.Answers.Length);
                AddAt(weights, pair.WrongAnswers, -1.0 / pair.WrongAnswers.Length);
                return tape.Dot(last, weights);
            case TaskMetric.ProbabilityDifference:
                AddAt(weights, pair.Answers, 1);
                AddAt(weights, pair.WrongAnswers, -1);
                return tape.Dot(tape.Softmax(last), weights);
            case TaskMetric.KlDivergence:
                RealMatrix cleanLog = LogSoftmax(cleanLastLogits);
                double entropy = 0;
                for (int v = 0; v < weights.Columns; v++)
                {
                    double p = Math.Exp(cleanLog[0, v]);
                    entropy += p * cleanLog[0, v];
                    weights[0, v] = -p;
                }
                return tape.Dot(tape.LogSoftmax(last), weights, entropy);
            default:
                throw new ArgumentOutOfRangeException(nameof(metric));
        }
    }

    private static void AddAt(RealMatrix weights, int[] tokens, double value)
    {
        foreach (int token in tokens)
        {
            weights[0, token] += value;
        }
    }

    private static RealMatrix LogSoftmax(RealMatrix logits)
    {
        Tape tape = new();
        return tape.LogSoftmax(tape.Leaf(logits)).Value;
    }
}
