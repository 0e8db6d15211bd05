using Gradpath.Gpt2Runtime.Runs;

namespace Gradpath.Gpt2Runtime.Evaluation;

/// <summary>What an evaluation gives.</summary>
/// <param name="Full">The full model on the clean prompts.</param>
/// <param name="Empty">All edges ablated.</param>
/// <param name="Circuits">The circuits in the order given.</param>
/// <param name="Plan">How the run was cut into batches.</param>
/// <param name="PeakDeviceBytes">Largest amount of device memory in use during the run.</param>
public sealed record EvaluationResult(
    CircuitOutcome Full, CircuitOutcome Empty, IReadOnlyList<CircuitOutcome> Circuits, BatchSummary Plan, long PeakDeviceBytes);
