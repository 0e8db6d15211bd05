namespace Gradpath.Gpt2Runtime.Positions;

/// <summary>An edge between spans, see <see cref="PositionalGraph"/>.</summary>
/// <param name="Row">The writer.</param>
/// <param name="From">The span of the positions at which it writes.</param>
/// <param name="Column">The reader.</param>
/// <param name="To">The span in which what it reads is used: for keys and values that of the query.</param>
public readonly record struct PositionalEdge(int Row, int From, int Column, int To);
