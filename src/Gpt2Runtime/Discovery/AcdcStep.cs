namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>One edge's turn.</summary>
/// <param name="Row">The sender.</param>
/// <param name="Column">The reader.</param>
/// <param name="Before">The objective of the circuit with the edge; lower is better.</param>
/// <param name="After">The objective without it; NaN where the edge was dropped.</param>
/// <param name="Decision">What became of it.</param>
/// <param name="EdgesLeft">Edges in the circuit from then on, those included whose turn had not come.</param>
public readonly record struct AcdcStep(int Row, int Column, double Before, double After, AcdcDecision Decision, int EdgesLeft);
