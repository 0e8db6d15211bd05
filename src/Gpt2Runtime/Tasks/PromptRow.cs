namespace Gradpath.Gpt2Runtime.Tasks;

/// <summary>One prompt pair as a reader found it: not yet checked, without a begin token.</summary>
/// <param name="Pair">The pair.</param>
/// <param name="Where">File and row, for messages.</param>
/// <param name="FromText">Whether the ids were made from texts here; only those get a begin token.</param>
/// <param name="Metric">The metric that the row names; null for none.</param>
internal sealed record PromptRow(PromptPair Pair, string Where, bool FromText, string? Metric = null);
