using Gradpath.Gpt2Runtime.Model;

namespace Gradpath.Gpt2Runtime.Runs;

/// <summary>
/// Which positions of prompt pairs are run. Up to the first token in which clean and corrupted differ, every run between the two is the
/// same at every node. Such a prefix is run once per pair: differences and scores are 0 there.
/// </summary>
internal static class PairSpans
{
    /// <summary>The spans of pairs.</summary>
    /// <param name="pairs">Items.</param>
    /// <param name="sharePrefixes">Whether the positions before the first difference are left out. The last position is always run.</param>
    /// <returns>One span per item.</returns>
    public static PromptSpan[] Of(IReadOnlyList<PromptPair> pairs, bool sharePrefixes) => [.. pairs.Select(p =>
    {
        int prefix = sharePrefixes ? PrefixOf(p) : 0;
        return new PromptSpan(prefix, p.Length - prefix);
    })];

    /// <summary>The number of positions before the first difference of a pair, without the last position.</summary>
    /// <param name="pair">The pair.</param>
    public static int PrefixOf(PromptPair pair) => Math.Min(pair.Length - 1, pair.Clean.AsSpan().CommonPrefixLength(pair.Corrupted));
}
