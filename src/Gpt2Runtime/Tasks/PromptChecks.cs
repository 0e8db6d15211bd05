using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Tokenization;

namespace Gradpath.Gpt2Runtime.Tasks;

/// <summary>What every prompt pair goes through on its way to the model: the begin token, then the checks.</summary>
internal sealed class PromptChecks(PromptOptions options, Metric metric, Lazy<BpeTokenizer>? tokenizer, PromptNotes notes)
{
    private BeginToken? _begin;

    /// <summary>The prompts with what is known of their begin token once all have been through <see cref="Finish"/>.</summary>
    public PromptSet Complete(PromptSet prompts)
    {
        var warnings = tokenizer is { IsValueCreated: true } ? tokenizer.Value.Warnings.ToList() : [];
        warnings.AddRange(notes.Lines);
        return prompts with { BeginToken = _begin, Warnings = warnings };
    }

    public PromptPair Finish(PromptRow row)
    {
        var begins = row.FromText && options.PrependBos;
        var pair = begins ? Begin(row) : row.Pair;
        if (pair.Clean.Length != pair.Corrupted.Length)
        {
            var uncounted = begins ? 1 : 0;
            throw new GradpathException(
                $"{row.Where}: clean and corrupted must have the same number of tokens, "
                + $"but {Show(pair.Clean, pair.CleanText)} has {pair.Clean.Length - uncounted} "
                + $"and {Show(pair.Corrupted, pair.CorruptedText)} has {pair.Corrupted.Length - uncounted}.");
        }

        if (pair.Clean.AsSpan().SequenceEqual(pair.Corrupted))
            notes.Add("pairs are so", row.Where, "clean and corrupted are the same tokens, so patching one into the other changes nothing");
        if (pair.Length == 0)
            throw new GradpathException($"{row.Where}: the prompt is empty.");
        if (pair.Length > options.Positions)
            throw new GradpathException($"{row.Where}: the prompt has {pair.Length} tokens; the model has {options.Positions} positions.");
        CheckIds(row.Where, "clean", pair.Clean);
        CheckIds(row.Where, "corrupted", pair.Corrupted);

        if (pair.Contradiction() is { } contradiction)
            throw new GradpathException($"{row.Where}: {contradiction}.");
        if (metric.LackOf(pair) is { } lack)
            throw new GradpathException($"{row.Where}: {lack}.");
        CheckIds(row.Where, "the answers", pair.Answers);
        CheckIds(row.Where, "the wrong answers", pair.WrongAnswers);
        return pair;
    }

    // The begin token in front of both texts; one that a text already begins with is it.
    private PromptPair Begin(PromptRow row)
    {
        _begin = tokenizer!.Value.BeginToken ?? throw NoBeginToken(
            row,
            "prompts are to start with a begin token, and the model's vocabulary has none "
            + $"(no file names one, and {BpeTokenizer.EndOfTextToken} is not in it)");
        if (_begin.Id >= options.Vocabulary)
        {
            throw NoBeginToken(
                row,
                $"the begin token {_begin}, {tokenizer.Value.BeginTokenSource}, is outside the model's vocabulary "
                + $"(0 to {options.Vocabulary - 1})");
        }

        var clean = Begin(row, row.Pair.Clean);
        return row.Pair with
        {
            Clean = clean,
            Corrupted = Begin(row, row.Pair.Corrupted),
            KeyPositions = row.Pair.KeyPositions.ToDictionary(
                p => p.Key, p => p.Value + clean.Length - row.Pair.Clean.Length, StringComparer.Ordinal),
            Spans = TokenSpans.Behind(row.Pair.Spans, clean.Length - row.Pair.Clean.Length),
        };
    }

    private static GradpathException NoBeginToken(PromptRow row, string reason) =>
        GradpathException.Worded($"{row.Where}: {reason}. Leave it out ({Terms.PrependBos}).");

    private int[] Begin(PromptRow row, int[] ids)
    {
        var begin = _begin!.Id;
        if (ids.Length == 0 || ids[0] != begin)
            return [begin, .. ids];
        notes.Add(
            "texts begin so", row.Where, $"the text begins with the begin token {_begin} already, so no second one was put in front");
        return ids;
    }

    private void CheckIds(string where, string part, int[] ids)
    {
        foreach (var id in ids)
        {
            if (id < 0 || id >= options.Vocabulary)
            {
                throw new GradpathException(options.Vocabulary is { } size
                    ? $"{where}: token id {id} in {part} is outside the model's vocabulary (0 to {size - 1})."
                    : $"{where}: token id {id} in {part} is negative.");
            }
        }
    }

    private static string Show(int[] ids, string? text) => text is null ? Quoted.Ids(ids) : Quoted.Text(text);
}
