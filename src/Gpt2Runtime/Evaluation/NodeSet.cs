using System.Text.Json;

namespace Gradpath.Gpt2Runtime.Evaluation;

/// <summary>A set of a circuit's nodes that is knocked out.</summary>
/// <param name="Kind"><c>empty</c>, <c>class</c>, <c>random</c> or <c>greedy</c>.</param>
/// <param name="Name">The class's name, or the number of the draw or step.</param>
/// <param name="Nodes">Rows, lowest first.</param>
public sealed record NodeSet(string Kind, string Name, IReadOnlyList<int> Nodes);
