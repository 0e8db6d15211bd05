using Gradpath.Gpt2Runtime.Metrics;

namespace Gradpath.Host.Options;

/// <summary>Metrics as options name them.</summary>
internal static class MetricNames
{
    /// <summary>The metric that an option names.</summary>
    /// <param name="option">The option without its dashes.</param>
    /// <param name="name">Its value.</param>
    /// <exception cref="UsageException">There is none of this name; the message says which one may be meant.</exception>
    public static Metric Parse(string option, string name) =>
        BuiltInMetrics.TryFind(name, out Metric? metric)
            ? metric
            : throw new UsageException($"--{option} {name}: {BuiltInMetrics.Unknown(name)}.");
}
