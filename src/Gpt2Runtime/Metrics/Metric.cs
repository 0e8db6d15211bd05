using Gradpath.Gpt2Runtime.Checkpoints;

namespace Gradpath.Gpt2Runtime.Metrics;

/// <summary>
/// What a run's output is judged by, per prompt pair, at the last position. Everything that lists or describes metrics, or asks what one
/// needs, asks this object. <see cref="BuiltInMetrics"/> is the table of those that come with the library; <see cref="Of"/> makes one
/// of a program's own.
/// </summary>
public abstract class Metric
{
    /// <summary>Makes a metric.</summary>
    /// <param name="name">The canonical name.</param>
    /// <param name="traits">What holds for it.</param>
    private protected Metric(string name, MetricTraits traits)
    {
        Name = name;
        Title = traits.Title ?? name;
        Meaning = traits.Meaning ?? name;
        NeedsAnswers = traits.NeedsAnswers;
        NeedsWrongAnswers = traits.NeedsWrongAnswers;
        MeasuresDistance = traits.MeasuresDistance;
        PositiveIsRight = traits.PositiveIsRight;
        LossSign = traits.IsLoss || traits.MeasuresDistance ? 1 : -1;
    }

    /// <summary>The canonical name: what options and result files call the metric, such as <c>logit-diff</c>.</summary>
    public string Name { get; }

    /// <summary>What tables and prose call it, such as <c>logit difference</c>.</summary>
    public string Title { get; }

    /// <summary>What its value is, as a noun phrase.</summary>
    public string Meaning { get; }

    /// <summary>Whether every prompt pair must have a right answer.</summary>
    public bool NeedsAnswers { get; }

    /// <summary>Whether every prompt pair must have a wrong answer.</summary>
    public bool NeedsWrongAnswers { get; }

    /// <summary>
    /// Whether it is a distance from the clean run: 0 there, which is its least value, so that its gradient there is 0 too.
    /// </summary>
    public bool MeasuresDistance { get; }

    /// <summary>
    /// Whether a value above 0 says that the model answers right. Else it does where the most probable token is an answer.
    /// </summary>
    public bool PositiveIsRight { get; }

    /// <summary>What makes the metric a loss when it is multiplied by it: 1 where less is better, -1 where more is.</summary>
    public int LossSign { get; }

    /// <summary>Whether it judges answers of several tokens by all of them, see <see cref="AnswerSequences"/>.</summary>
    internal virtual bool JudgesSequences => false;

    /// <summary>Whether its head judges logits; else the final LayerNorm's output is enough, and no logits are made.</summary>
    internal abstract bool ReadsLogits { get; }

    /// <summary>Makes a metric from a function. Everything that takes a metric takes it, on every device.</summary>
    /// <param name="name">
    /// What result files call it; no name of <see cref="BuiltInMetrics"/>. Two metrics of one name are two metrics all the same.
    /// </param>
    /// <param name="traits">What holds for it.</param>
    /// <param name="function">Its value and gradient.</param>
    /// <returns>The metric.</returns>
    /// <exception cref="ArgumentException">The name is empty, or a built-in metric's.</exception>
    public static Metric Of(string name, MetricTraits traits, MetricFunction function)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(traits);
        ArgumentNullException.ThrowIfNull(function);
        if (BuiltInMetrics.TryFind(name, out Metric? taken))
            throw new ArgumentException($"{name} is the name of a built-in metric ({taken.Title}); give yours another", nameof(name));
        return new CustomMetric(name, traits, function);
    }

    /// <summary>The canonical name.</summary>
    /// <returns><see cref="Name"/>.</returns>
    public override string ToString() => Name;

    /// <summary>What judges rows on a device.</summary>
    /// <param name="weights">The weights of the model, on the device that computes.</param>
    /// <param name="items">Prompts of the largest batch.</param>
    /// <param name="sequences">Prompts of all copies of the largest pass.</param>
    /// <returns>The head, with all its memory.</returns>
    internal abstract MetricHead Head(Gpt2Weights weights, int items, int sequences);

    /// <summary>What a prompt pair lacks to be judged.</summary>
    /// <param name="pair">The pair.</param>
    /// <returns>The end of a message; null where it lacks nothing.</returns>
    internal string? LackOf(PromptPair pair)
    {
        if (NeedsAnswers && pair.Answers.Length == 0) return $"there is no answer; the metric {Name} needs at least one right answer";
        if (NeedsWrongAnswers && pair.WrongAnswers.Length == 0)
            return $"there is no wrong answer; the metric {Name} needs at least one";
        return null;
    }
}
