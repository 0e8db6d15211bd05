using Gradpath.Gpt2Runtime.Metrics;

namespace Gradpath.Host.Options;

/// <summary>The help of options about metrics, made from the table of metrics. Public because the parser of options wants it so.</summary>
public static class MetricHelp
{
    /// <summary><c>--metric</c>.</summary>
    public static string Metric =>
        $"{EnumNames.Choice(BuiltInMetrics.All.Select(m => m.Name))}, judged at the last token (default: the task's own; "
        + $"{BuiltInMetrics.LogitDifference} without --task).";
}
