namespace Gradpath.Gpt2Runtime;

/// <summary>Checks of the spans of one prompt.</summary>
internal static class TokenSpans
{
    /// <summary>Spans behind tokens that are put in front.</summary>
    /// <param name="spans">The spans.</param>
    /// <param name="tokens">How many tokens; negative where as many are taken away.</param>
    public static IReadOnlyList<TokenSpan> Behind(IReadOnlyList<TokenSpan> spans, int tokens) => tokens == 0
        ? spans
        : [.. spans.Select(s => s with { From = s.From + tokens, To = s.To + tokens })];

    /// <summary>What is wrong with spans.</summary>
    /// <param name="spans">The spans.</param>
    /// <param name="length">Tokens of the prompt.</param>
    /// <returns>The end of a message; null where nothing is.</returns>
    public static string? Wrong(IReadOnlyList<TokenSpan> spans, int length)
    {
        var before = default(TokenSpan);
        foreach (TokenSpan span in spans)
        {
            if (string.IsNullOrWhiteSpace(span.Name) || span.Name.AsSpan().IndexOfAny("@>,<") >= 0 || span.Name.Any(char.IsControl))
                return $"{Quoted.Text(span.Name ?? "")} cannot be the name of a span; a name has characters other than @, <, > and commas";
            if (span.From >= 0 && span.From <= span.To && span.To <= length) continue;
            return $"the span {Quoted.Text(span.Name)} is [{span.From}, {span.To}); the clean prompt has {length} tokens, and a span goes "
                + "from its first one to the one behind its last";
        }
        foreach (TokenSpan span in spans.Where(s => s.From < s.To).OrderBy(s => s.From))
        {
            if (before.Name is not null && span.From < before.To)
                return $"the spans {Quoted.Text(before.Name)} and {Quoted.Text(span.Name)} share the token {span.From}";
            before = span;
        }
        IGrouping<string, TokenSpan>? twice = spans.GroupBy(s => s.Name, StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1);
        return twice is null ? null : $"the span {Quoted.Text(twice.Key)} appears twice";
    }
}
