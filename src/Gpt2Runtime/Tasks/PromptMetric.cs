using Gradpath.Gpt2Runtime.Metrics;

namespace Gradpath.Gpt2Runtime.Tasks;

/// <summary>The metric that rows of a file name, which must be one for all of them.</summary>
internal static class PromptMetric
{
    /// <summary>The metric of rows.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="reading">What answers of several tokens stand for.</param>
    /// <returns>The metric, or null where the first row names none; and the rows, which are refused on the way where one differs.</returns>
    /// <exception cref="GradpathException">There is no such metric, or it cannot judge such answers.</exception>
    public static (Metric? Metric, IEnumerable<PromptRow> Rows) Of(IEnumerable<PromptRow> rows, AnswerReading reading)
    {
        IEnumerator<PromptRow> all = rows.GetEnumerator();
        if (!all.MoveNext())
        {
            all.Dispose();
            return (null, []);
        }
        PromptRow first = all.Current;
        Metric? metric = first.Metric is null ? null : Find(first);
        if (metric is not null && reading == AnswerReading.Sequence && metric != BuiltInMetrics.LogProbability)
        {
            Metric needed = BuiltInMetrics.LogProbability;
            throw GradpathException.Worded(
                $"{first.Where}: the metric is {metric}; {Terms.AnswerReading.With(reading)} needs {needed}.");
        }
        return (metric, Alike(first, metric, all));
    }

    private static IEnumerable<PromptRow> Alike(PromptRow first, Metric? metric, IEnumerator<PromptRow> others)
    {
        using (others)
        {
            yield return first;
            while (others.MoveNext())
            {
                PromptRow row = others.Current;
                if ((row.Metric is null ? null : Find(row)) != metric)
                {
                    (string own, string other) = (row.Metric ?? "not named", first.Metric ?? "not named");
                    throw new GradpathException($"{row.Where}: the metric is {own}, and that of {first.Where} is {other}; "
                        + "all rows of a file are judged by one.");
                }
                yield return row;
            }
        }
    }

    private static Metric Find(PromptRow row) => BuiltInMetrics.TryFind(row.Metric!, out Metric? metric) ? metric
        : throw new GradpathException($"{row.Where}: the metric {Quoted.Text(row.Metric)}: {BuiltInMetrics.Unknown(row.Metric!)}.");
}
