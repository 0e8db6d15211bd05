using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Native.Calls;

namespace Gradpath.Native.Options;

/// <summary>The option <c>metric</c>, and the metric of the caller's in its place.</summary>
internal static class MetricOption
{
    /// <summary>The metric that a call is to use.</summary>
    /// <param name="o">The options.</param>
    /// <param name="own">The caller's own metric; null for none.</param>
    /// <returns>The metric; null where the prompts decide.</returns>
    /// <exception cref="CallException">Both are given.</exception>
    public static Metric? Read(OptionObject o, Metric? own)
    {
        string? name = o.Text("metric");
        if (name is not null && own is not null)
            throw CallException.Argument($"options: metric {name} is given beside a metric of the caller's; leave one of them out");
        return name is null ? own : BuiltInMetrics.Find(name);
    }
}
