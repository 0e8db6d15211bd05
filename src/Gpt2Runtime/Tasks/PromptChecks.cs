namespace Gradpath.Gpt2Runtime.Tasks;

/// <summary>What every prompt pair goes through on its way to the model: the begin token, then the checks.</summary>
internal sealed class PromptChecks(PromptOptions options, TaskMetric metric, int? beginToken)
{
    private const string NoBeginToken = "prompts are to start with <|endoftext|>, which is not in the vocabulary";

    public PromptPair Finish(PromptRow row)
    {
        var pair = row.Pair;
        if (pair.Clean.Length != pair.Corrupted.Length)
        {
            throw new GradpathException(
                $"{row.Where}: clean and corrupted must have the same number of tokens, but {Show(pair.Clean, pair.CleanText)} has {pair.Clean.Length} and {Show(pair.Corrupted, pair.CorruptedText)} has {pair.Corrupted.Length}.");
        }

        if (row.FromText && options.PrependBos)
        {
            var begin = beginToken ?? throw GradpathException.Worded(
                $"{row.Where}: {NoBeginToken}. Leave the begin token out ({Terms.PrependBos}).");
            pair = pair with
            {
                Clean = [begin, .. pair.Clean],
                Corrupted = [begin, .. pair.Corrupted],
                KeyPositions = pair.KeyPositions.ToDictionary(p => p.Key, p => p.Value + 1, StringComparer.Ordinal),
            };
        }

        if (pair.Length == 0)
            throw new GradpathException($"{row.Where}: the prompt is empty.");
        if (pair.Length > options.Positions)
            throw new GradpathException($"{row.Where}: the prompt has {pair.Length} tokens; the model has {options.Positions} positions.");
        CheckIds(row.Where, "clean", pair.Clean);
        CheckIds(row.Where, "corrupted", pair.Corrupted);

        if (pair.Answers.Length == 0)
            throw new GradpathException($"{row.Where}: there is no answer; at least one right answer is needed.");
        if (pair.WrongAnswers.Length == 0 && metric != TaskMetric.KlDivergence)
            throw new GradpathException($"{row.Where}: there is no wrong answer; the difference that the metric takes needs at least one.");
        CheckIds(row.Where, "the answers", pair.Answers);
        CheckIds(row.Where, "the wrong answers", pair.WrongAnswers);
        return pair;
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

    private static string Show(int[] ids, string? text) => text is null ? $"[{string.Join(", ", ids)}]" : $"\"{text}\"";
}
