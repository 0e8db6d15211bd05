namespace Gradpath.Gpt2Runtime.Evaluation;

/// <summary>Nodes that play one part in a circuit.</summary>
/// <param name="Name">The part.</param>
/// <param name="Rows">The nodes.</param>
public sealed record NodeClass(string Name, IReadOnlyList<int> Rows);
