using Gradpath.Gpt2Runtime.Checkpoints;

namespace Gradpath.Gpt2Runtime.Metrics;

/// <summary>A metric of a program's own.</summary>
internal sealed class CustomMetric(string name, MetricTraits traits, MetricFunction function) : Metric(name, traits)
{
    /// <inheritdoc />
    internal override bool ReadsLogits => true;

    /// <inheritdoc />
    internal override MetricHead Head(Gpt2Weights weights, int items, int sequences) =>
        new FunctionHead(Name, function, weights, items, sequences);
}
