using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>What a search found.</summary>
/// <param name="Threshold">The threshold tau.</param>
/// <param name="Circuit">
/// The circuit, not pruned. Its scores are the changes of the objective when each edge was tested: at least the threshold for the edges
/// that stayed, less for the others, 0 for those that were dropped.
/// </param>
/// <param name="Steps">Every edge of the graph in the order of its turn.</param>
/// <param name="Full">The objective of the full model.</param>
/// <param name="Objective">The objective of the circuit.</param>
/// <param name="Effort">What it took.</param>
/// <param name="BatchSize">The number of pairs per pass that was used.</param>
public sealed record AcdcResult(
    double Threshold, Circuit Circuit, IReadOnlyList<AcdcStep> Steps, double Full, double Objective, AcdcEffort Effort, int BatchSize);
