namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>
/// What edge pruning gives. The circuit is the one of the requested sparsity, pruned, with the final masks as scores.
/// </summary>
public record EdgePruningResult : SearchResult
{
    /// <summary>Every step, of the draw that is kept.</summary>
    public required IReadOnlyList<EdgePruningStep> Log { get; init; }

    /// <summary>What was run, with every default in place.</summary>
    public required EdgePruningOptions Options { get; init; }

    /// <summary>
    /// Mean KL of each draw's circuit on the prompts that it was trained on; empty where <see cref="EdgePruningOptions.Draws"/> is 1,
    /// which asks for no judgement.
    /// </summary>
    public IReadOnlyList<double> DrawKl { get; init; } = [];

    /// <summary>Multiply-adds of a step for each token, see <see cref="Model.MaskedPlan.WorkPerRow"/>.</summary>
    public required long WorkPerRow { get; init; }
}
