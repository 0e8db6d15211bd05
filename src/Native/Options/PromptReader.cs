using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Native.Options;

/// <summary>The options of prompts.</summary>
internal static class PromptReader
{
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
