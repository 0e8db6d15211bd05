using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>
/// Everything that decides which circuit ACDC finds. <see cref="SearchOptions.Metric"/> is what an edge must raise to stay, per item at the
/// last position and averaged: KL from the full model by default, else minus a task metric.
/// </summary>
public sealed record AcdcOptions : SearchOptions
{
    /// <summary>The threshold tau, 0 or more: an edge goes where the objective rises by less without it.</summary>
    public double Threshold { get; init; } = 0.01;

    /// <summary>
    /// Compare the size of the change, so that an edge also stays where its removal lowers the objective by the threshold.
    /// </summary>
    public bool Absolute { get; init; }

    /// <summary>The order of the senders.</summary>
    public SenderOrder Order { get; init; } = SenderOrder.Normal;

    /// <summary>The scores of <see cref="SenderOrder.Score"/>; not read with another order.</summary>
    public EdgeScores? Scores { get; init; }

    /// <summary>
    /// Candidates tried at once, which changes the time and nothing else; 0 tries as many as seem to pay, pass by pass. Fewer where the
    /// memory does not suffice.
    /// </summary>
    public int Candidates { get; init; }

    /// <summary>The metric with its default in place.</summary>
    internal Metric Objective => Metric ?? BuiltInMetrics.KlDivergence;

    /// <inheritdoc />
    public override JsonObject Describe(ComputationGraph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        return new JsonObject
        {
            ["tau"] = Threshold,
            ["absolute"] = Absolute,
            ["order"] = CanonicalNames.Of(Order),
            ["order_scores"] = Order == SenderOrder.Score ? Scores?.Provenance?.Method : null,
        };
    }

    /// <inheritdoc />
    internal override SearchOptions At(double size) => this with { Threshold = size };
}
