using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Host.Sweeps.Units;

/// <summary>What computing a unit gives: its result, and what it found.</summary>
/// <param name="Result">The result.</param>
/// <param name="Scores">The scores of a method that scores; null else.</param>
/// <param name="Circuit">The circuit of a search; null else.</param>
/// <param name="Sums">[F, K] row-major: the scores of a part of the pairs before they are rounded; null else.</param>
internal sealed record UnitOutcome(UnitResult Result, EdgeScores? Scores, Circuit? Circuit, double[]? Sums);
