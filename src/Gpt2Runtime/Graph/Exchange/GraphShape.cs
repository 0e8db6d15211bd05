namespace Gradpath.Gpt2Runtime.Graph.Exchange;

/// <summary>The shape of a model, for files that do not state it.</summary>
/// <param name="Layers">Number of layers; null where it is not known.</param>
/// <param name="Heads">Heads per layer; null where it is not known.</param>
internal readonly record struct GraphShape(int? Layers, int? Heads);
