namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>What edge pruning gives.</summary>
/// <param name="Circuit">The circuit at the requested sparsity, pruned, with the final masks as scores.</param>
/// <param name="Log">Every step.</param>
/// <param name="Options">What was run, with every default in place.</param>
/// <param name="BatchSize">Prompt pairs of the largest batch.</param>
/// <param name="PeakDeviceBytes">Largest amount of device memory in use.</param>
/// <param name="WorkPerRow">Multiply-adds of a step for each token, see <see cref="Model.MaskedPlan.WorkPerRow"/>.</param>
public sealed record EdgePruningResult(
    Graph.Circuit Circuit,
    IReadOnlyList<EdgePruningStep> Log,
    EdgePruningOptions Options,
    int BatchSize,
    long PeakDeviceBytes,
    long WorkPerRow);
