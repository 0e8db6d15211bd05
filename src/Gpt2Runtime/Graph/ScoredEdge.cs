namespace Gradpath.Gpt2Runtime.Graph;

/// <summary>One edge with its score.</summary>
/// <param name="Row">The writer.</param>
/// <param name="Column">The reader.</param>
/// <param name="Score">The score.</param>
public readonly record struct ScoredEdge(int Row, int Column, float Score);
