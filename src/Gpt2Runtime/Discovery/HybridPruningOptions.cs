using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>
/// How HAP is run: edge pruning among the edges of largest absolute score. <see cref="SearchOptions.Scorer"/> gives the scores.
/// </summary>
public sealed record HybridPruningOptions : EdgePruningOptions
{
    /// <summary>
    /// Share of the edges that the scores keep, above 0 and at most 1. No share is published; the default is that of a third party's
    /// re-implementation.
    /// </summary>
    public double Share { get; init; } = 0.5;

    /// <inheritdoc />
    public override JsonObject Describe(ComputationGraph graph)
    {
        JsonObject json = base.Describe(graph);
        json["keep"] = Share;
        json["scorer"] = Scorer?.Name;
        return json;
    }

    /// <inheritdoc />
    private protected override void Check()
    {
        base.Check();
        if (Share is not (> 0 and <= 1)) throw new OptionException($"{Terms.Share.With(Share)}: must be above 0 and at most 1");
        if (1 - Share > Sparsity)
        {
            Term sparsity = Terms.Sparsity.With(Sparsity), least = Terms.Share.With(Math.Round(1 - Sparsity, 6));
            throw new OptionException(
                $"{Terms.Share.With(Share)} leaves fewer edges than a circuit of {sparsity} has; it must be at least {least}");
        }
    }
}
