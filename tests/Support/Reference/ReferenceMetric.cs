using Gradpath.Gpt2Runtime.Metrics;

namespace Gradpath.Tests.Support.Reference;

/// <summary>
/// A metric at the last position in float64, written on the tape from its definition, with examples worked by hand. There is one class per
/// metric, built-in or made up by a test, and all of them are found here by the metric's name.
/// </summary>
internal abstract class ReferenceMetric(string name, bool isLoss)
{
    private static readonly Dictionary<string, ReferenceMetric> ByName = typeof(ReferenceMetric).Assembly.GetTypes()
        .Where(t => t.IsSubclassOf(typeof(ReferenceMetric)))
        .Select(t => (ReferenceMetric)Activator.CreateInstance(t)!)
        .ToDictionary(m => m.Name, StringComparer.Ordinal);

    /// <summary>All of them.</summary>
    public static IReadOnlyCollection<ReferenceMetric> All => ByName.Values;

    /// <summary>The metric's name.</summary>
    public string Name => name;

    /// <summary>Whether its gradient does not jump, so that a sum over a few points comes near its integral.</summary>
    public virtual bool IsSmooth => true;

    /// <summary>Values that are known by other means.</summary>
    public abstract IReadOnlyList<ReferenceMetricExample> Examples { get; }

    /// <summary>Built-in metrics whose gradients do not jump.</summary>
    public static IEnumerable<Metric> SmoothMetrics => BuiltInMetrics.All.Where(m => For(m).IsSmooth);

    /// <summary>The metric of a run as a scalar on the run's tape.</summary>
    public static TapeNode Of(Metric metric, ReferenceRun run, PromptPair pair, RealMatrix cleanLastLogits) =>
        For(metric).Of(run.Tape, run.Tape.LastRow(run.Logits), pair, cleanLastLogits);

    /// <summary>+1 or -1: loss = sign x metric.</summary>
    public static double LossSign(Metric metric) => For(metric).Sign;

    /// <summary>The metric of last-position logits [1, V].</summary>
    public static double Value(Metric metric, RealMatrix lastLogits, PromptPair pair, RealMatrix cleanLastLogits)
    {
        Tape tape = new();
        return For(metric).Of(tape, tape.Leaf(lastLogits), pair, cleanLastLogits).Value[0, 0];
    }

    /// <summary>The metric's derivative by last-position logits [1, V].</summary>
    public static RealMatrix Gradient(Metric metric, RealMatrix lastLogits, PromptPair pair, RealMatrix cleanLastLogits)
    {
        Tape tape = new();
        TapeNode logits = tape.Leaf(lastLogits);
        tape.Differentiate(For(metric).Of(tape, logits, pair, cleanLastLogits));
        return logits.GradientOrZero;
    }

    /// <summary>The metric on a tape.</summary>
    /// <param name="tape">The tape.</param>
    /// <param name="last">[1, V]: the logits.</param>
    /// <param name="pair">The prompts.</param>
    /// <param name="cleanLastLogits">[1, V]: those of the clean run.</param>
    protected abstract TapeNode Of(Tape tape, TapeNode last, PromptPair pair, RealMatrix cleanLastLogits);

    /// <summary>[1, V]: the answers' weight, and the wrong answers'; one that is listed twice counts once, as pairs hold it.</summary>
    protected static RealMatrix Weights(TapeNode last, PromptPair pair, double answers, double wrongAnswers)
    {
        RealMatrix weights = new(1, last.Value.Columns);
        foreach (int token in pair.Answers) weights[0, token] += answers;
        foreach (int token in pair.WrongAnswers) weights[0, token] += wrongAnswers;
        return weights;
    }

    private double Sign => isLoss ? 1 : -1;

    private static ReferenceMetric For(Metric metric) =>
        ByName.GetValueOrDefault(metric.Name) ?? throw new NotSupportedException($"the metric {metric.Name} has no reference");
}
