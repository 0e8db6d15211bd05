namespace Gradpath.Gpt2Runtime.Model;

/// <summary>The positions of a prompt that a pass runs over: all behind a prefix whose keys and values are known.</summary>
/// <param name="Prefix">Positions in front that are not run.</param>
/// <param name="Length">Positions that are run; at least 1.</param>
internal readonly record struct PromptSpan(int Prefix, int Length)
{
    /// <summary>Positions of the whole prompt.</summary>
    public int Total => Prefix + Length;

    /// <summary>Spans of whole prompts.</summary>
    /// <param name="lengths">Their lengths.</param>
    /// <returns>Spans without prefixes.</returns>
    public static PromptSpan[] Whole(IReadOnlyList<int> lengths) => [.. lengths.Select(length => new PromptSpan(0, length))];

    /// <summary>A batch that is at least as large as any that can be cut from the items.</summary>
    /// <param name="spans">Spans of all items.</param>
    /// <param name="size">Items of the batch.</param>
    /// <returns>Equal spans.</returns>
    public static PromptSpan[] Largest(IReadOnlyList<PromptSpan> spans, int size) =>
        [.. Enumerable.Repeat(new PromptSpan(spans.Max(s => s.Prefix), spans.Max(s => s.Length)), size)];

    /// <summary>The prefixes that are not empty, as whole prompts.</summary>
    /// <param name="spans">The prompts.</param>
    /// <returns>One span per prompt that has a prefix.</returns>
    public static PromptSpan[] Prefixes(IReadOnlyList<PromptSpan> spans) =>
        Whole([.. spans.Select(s => s.Prefix).Where(prefix => prefix > 0)]);
}
