using Gradpath.Gpt2Runtime.Attribution;

namespace Gradpath.Host.Commands;

/// <summary>A figure that others published of GPT-2 small, and how it is made here.</summary>
/// <param name="Method">What the table calls the scores.</param>
/// <param name="Scores">How they are made.</param>
/// <param name="Edges">Edges of the circuit, before pruning; 0 where the figure is an area over all sizes.</param>
/// <param name="Value">What was published; null where nothing was.</param>
/// <param name="Source">Where it is from.</param>
internal sealed record PublishedFigure(string Method, AttributionOptions Scores, int Edges, double? Value, string Source);
