using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Native.Options;

/// <summary>The options of prompts.</summary>
internal static class PromptReader
{
    /// <summary>
    /// Sees to the answers of pairs where no metric is named. Where no pair has what the usual metric needs, KL judges them, and the pairs
    /// say so; where some have it and some have not, that is a mistake.
    /// </summary>
    /// <param name="set">The prompts.</param>
    /// <param name="options">How they were read.</param>
    /// <returns>The prompts with the warning.</returns>
    /// <exception cref="GradpathException">Some pairs have answers, and one has none.</exception>
    public static PromptSet Judged(PromptSet set, PromptOptions options)
    {
        if (options.Metric is not null || set.Metric != BuiltInMetrics.KlDivergence) return set;
        Metric usual = BuiltInMetrics.LogitDifference;
        int lacking = set.Pairs.ToList().FindIndex(p => usual.LackOf(p) is not null);
        if (lacking >= 0 && set.Pairs.Any(p => p.Answers.Length > 0 && p.WrongAnswers.Length > 0))
            throw new GradpathException($"pair {lacking + 1}: {usual.LackOf(set.Pairs[lacking])}, and other pairs have answers.");
        return lacking < 0 ? set : set with
        {
            Warnings =
            [
                .. set.Warnings,
                $"no pair has right and wrong answers, so that the metric is {set.Metric} where none is named",
            ],
        };
    }

    /// <summary>Reads those that all prompts have.</summary>
    /// <param name="o">The options.</param>
    /// <param name="config">The model that the prompts are for.</param>
    public static PromptOptions Read(OptionObject o, Gpt2Config config)
    {
        string? metric = o.Text("metric");
        return new PromptOptions
        {
            Vocabulary = config.Vocabulary,
            Positions = config.Positions,
            PrependBos = o.Flag("bos") ?? true,
            Limit = o.Count("limit", 1),
            Metric = metric is null ? null : BuiltInMetrics.Find(metric),
            MetricIsRead = metric is not null,
            AnswerReading = o.Value<AnswerReading>("answer") ?? AnswerReading.OneToken,
        };
    }
}
