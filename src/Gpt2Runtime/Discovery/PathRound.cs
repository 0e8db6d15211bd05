namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>One round: who feeds the receivers, and which of the edges were followed.</summary>
/// <param name="Maps">A map per kind of input, and one of all inputs together where there are several kinds.</param>
/// <param name="Edges">The edges that were followed, strongest first.</param>
public sealed record PathRound(IReadOnlyList<PathMap> Maps, IReadOnlyList<PathEdge> Edges);
