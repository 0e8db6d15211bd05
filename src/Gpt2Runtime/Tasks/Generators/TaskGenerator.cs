using System.Collections.ObjectModel;
using Gradpath.Gpt2Runtime.Tokenization;

namespace Gradpath.Gpt2Runtime.Tasks.Generators;

/// <summary>
/// Draws the prompts of one task from its word list. A generator sees to it that answers are single tokens of the vocabulary in use;
/// that both prompts have the same token count is checked by <see cref="PromptGenerator"/>, which draws again where they have not.
/// </summary>
internal abstract class TaskGenerator(string task, BpeTokenizer tokenizer)
{
    protected BpeTokenizer Tokenizer { get; } = tokenizer;

    public abstract PromptDraft Draw(SplitMix64 random);

    /// <summary>The positions of a clean prompt that the task has names for.</summary>
    /// <param name="draft">What was drawn.</param>
    /// <param name="clean">The clean prompt's tokens.</param>
    public virtual IReadOnlyDictionary<string, int> KeyPositions(PromptDraft draft, int[] clean) => ReadOnlyDictionary<string, int>.Empty;

    /// <summary>The spans of a clean prompt that the task has names for; here what differs, what stands before it and behind it, and the
    /// last token.</summary>
    /// <param name="draft">What was drawn.</param>
    /// <param name="clean">The clean prompt's tokens.</param>
    /// <param name="corrupted">The corrupted prompt's tokens.</param>
    public virtual IReadOnlyList<TokenSpan> Spans(PromptDraft draft, int[] clean, int[] corrupted) =>
        SpanNames.OfDifference(clean, corrupted, TaskCatalog.Find(task).Difference);

    /// <summary>The entries whose word, with a leading space, is one token.</summary>
    /// <exception cref="GradpathException">Fewer than <paramref name="needed"/> are.</exception>
    protected IReadOnlyList<T> KeepSingleTokens<T>(IReadOnlyList<T> entries, Func<T, string> word, string what, int needed) =>
        Keep(entries, entry => Tokenizer.SingleToken(" " + word(entry)) is not null, what, needed);

    /// <summary>The entries that are usable with this vocabulary.</summary>
    /// <exception cref="GradpathException">Fewer than <paramref name="needed"/> are.</exception>
    protected IReadOnlyList<T> Keep<T>(IReadOnlyList<T> entries, Func<T, bool> usable, string what, int needed)
    {
        var kept = entries.Where(usable).ToArray();
        if (kept.Length < needed)
        {
            throw new GradpathException(
                $"Task {task}: with this vocabulary only {kept.Length} of {entries.Count} {what} can be used; {needed} are needed to make "
                    + "prompts.");
        }

        return kept;
    }

    /// <summary>Id of a word with a leading space that is known to be one token.</summary>
    protected int Id(string word) =>
        Tokenizer.SingleToken(" " + word)
        ?? throw new GradpathException(
            $"Task {task}: \" {word}\" is not a single token of this vocabulary, and every prompt of the task needs it.");
}
