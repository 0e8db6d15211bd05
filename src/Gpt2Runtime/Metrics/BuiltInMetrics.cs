using System.Diagnostics.CodeAnalysis;

namespace Gradpath.Gpt2Runtime.Metrics;

/// <summary>
/// The table of metrics. To add one is to write its file and its row here, a reference that it is compared with, and its line in the
/// README's table; tests go over all rows.
/// </summary>
public static class BuiltInMetrics
{
    /// <summary>How far the right answers' logits are above the wrong ones'.</summary>
    public static Metric LogitDifference { get; } = new LogitDifference();

    /// <summary>How much more probable the right answers are than the wrong ones.</summary>
    public static Metric ProbabilityDifference { get; } = new ProbabilityDifference();

    /// <summary>How far the distribution over tokens is from the clean run's.</summary>
    public static Metric KlDivergence { get; } = new KlDivergence();

    /// <summary>How probable the right answers are, on a logarithmic scale; the one that judges answers of several tokens.</summary>
    public static Metric LogProbability { get; } = new LogProbability();

    /// <summary>All metrics, in the order of tables and help.</summary>
    public static IReadOnlyList<Metric> All { get; } = [LogitDifference, ProbabilityDifference, KlDivergence, LogProbability];

    /// <summary>Finds a metric by its name.</summary>
    /// <param name="name">The name. Upper and lower case are the same, and so are dashes and underscores.</param>
    /// <returns>The metric.</returns>
    /// <exception cref="OptionException">There is none of this name. The message says which one may be meant, and which there
    /// are.</exception>
    public static Metric Find(string name) =>
        TryFind(name, out Metric? metric) ? metric : throw new OptionException($"{Terms.Metric.With(name)}: {Unknown(name)}");

    /// <summary>Finds a metric as <see cref="Find"/> does.</summary>
    /// <param name="name">The name.</param>
    /// <param name="metric">The metric; null where there is none of this name.</param>
    /// <returns>Whether there is one.</returns>
    public static bool TryFind(string name, [NotNullWhen(true)] out Metric? metric)
    {
        ArgumentNullException.ThrowIfNull(name);
        metric = All.FirstOrDefault(m => TableNames.Same(name, m.Name) || TableNames.Same(name, m.Title));
        return metric is not null;
    }

    /// <summary>What to say of a name that no metric has.</summary>
    /// <param name="name">The name.</param>
    /// <returns>The end of a message.</returns>
    internal static string Unknown(string name) =>
        TableNames.Unknown("metric", name, [.. All.Select(m => m.Name)], All.Select(m => m.Title));
}
