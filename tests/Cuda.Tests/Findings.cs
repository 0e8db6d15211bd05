namespace Gradpath.Cuda.Tests;

/// <summary>
/// What a piece of circuit discovery gives: numbers that two devices may round differently, and decisions that they may not.
/// </summary>
/// <param name="Values">Numbers.</param>
/// <param name="Decisions">Circuits and the like, in words.</param>
internal sealed record Findings(double[] Values, string Decisions);
