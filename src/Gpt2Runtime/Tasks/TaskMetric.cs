namespace Gradpath.Gpt2Runtime.Tasks;

/// <summary>What a run's output is judged by, per item, at the last position. As a loss the first two are negated.</summary>
public enum TaskMetric
{
    /// <summary><c>logit-diff</c>: mean logit of the answers minus mean logit of the wrong answers.</summary>
    [CanonicalName("logit-diff")]
    LogitDifference,

    /// <summary><c>prob-diff</c>: sum of the answers' probabilities minus sum of the wrong answers'.</summary>
    [CanonicalName("prob-diff")]
    ProbabilityDifference,

    /// <summary><c>kl</c>: KL(clean run || this run), summed over the vocabulary.</summary>
    [CanonicalName("kl")]
    KlDivergence,
}
