namespace Gradpath.Gpt2Runtime.Runs;

/// <summary>How a run was cut into batches.</summary>
/// <param name="Batches">Number of batches.</param>
/// <param name="Size">Pairs in the largest.</param>
/// <param name="Positions">Token positions of all pairs that every run goes over.</param>
/// <param name="SharedPositions">Positions before the first difference of a pair, which are run once.</param>
/// <param name="PlannedBytes">What the workspaces were planned to take, the model's weights not counted.</param>
/// <param name="Budget">What they might have taken.</param>
public sealed record BatchSummary(int Batches, int Size, long Positions, long SharedPositions, long PlannedBytes, long Budget);
