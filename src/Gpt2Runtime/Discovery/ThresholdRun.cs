using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>One run of a search on the way to a circuit of a requested size.</summary>
/// <param name="Threshold">The threshold.</param>
/// <param name="Result">What it found.</param>
/// <param name="Pruned">The circuit without what lies on no path from the input to the logits.</param>
/// <param name="Time">How long it took.</param>
internal sealed record ThresholdRun(double Threshold, SearchResult Result, Circuit Pruned, TimeSpan Time);
