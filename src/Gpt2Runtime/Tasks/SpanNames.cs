namespace Gradpath.Gpt2Runtime.Tasks;

/// <summary>Spans of prompts whose two sides differ in one place.</summary>
internal static class SpanNames
{
    /// <summary>What stands before the difference, the difference, what stands behind it, and the last token.</summary>
    /// <param name="clean">The clean prompt.</param>
    /// <param name="corrupted">The corrupted one, of the same length.</param>
    /// <param name="difference">What the difference is called.</param>
    /// <returns>The spans, which may be empty; none where the prompts are the same or of different lengths.</returns>
    public static IReadOnlyList<TokenSpan> OfDifference(int[] clean, int[] corrupted, string difference)
    {
        if (clean.Length != corrupted.Length || clean.AsSpan().SequenceEqual(corrupted)) return [];
        int last = clean.Length - 1;
        int from = clean.AsSpan().CommonPrefixLength(corrupted), to = from;
        for (int p = from; p < clean.Length; p++)
        {
            if (clean[p] != corrupted[p]) to = p + 1;
        }

        // The last token is of its own unless the difference reaches it.
        int end = Math.Max(last, to);
        return [new("start", 0, from), new(difference, from, to), new("rest", to, end), new("end", end, clean.Length)];
    }
}
