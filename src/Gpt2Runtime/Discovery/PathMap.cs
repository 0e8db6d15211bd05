using System.Collections.Immutable;

namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>The effects of all senders on one set of receivers.</summary>
/// <param name="Kind">What the receivers are: <c>q</c>, <c>k</c>, <c>v</c>, <c>mlp</c> or <c>logits</c>; <c>all</c> where they are several
/// of these together.</param>
/// <param name="Receivers">The receivers.</param>
/// <param name="Effects">[F]: per writer the mean change of the metric; NaN where it is no sender or feeds none of the receivers.</param>
public sealed record PathMap(string Kind, IReadOnlyList<PathReceiver> Receivers, ImmutableArray<double> Effects);
