using System.Globalization;
using Gradpath.Gpt2Runtime.Tokenization;

namespace Gradpath.Gpt2Runtime.Tasks.Generators;

/// <summary>
/// Makes prompt pairs for the tasks of <see cref="TaskCatalog"/> from this library's own templates and word lists, for any vocabulary: both
/// prompts of a pair have the same token count and every answer is one token. The same task, vocabulary, count and seed give the same
/// prompts everywhere.
/// </summary>
public static class PromptGenerator
{
    // A task with few combinations left draws mostly prompts that it has drawn before, or of unequal lengths.
    private const int DrawsPerPrompt = 2000;

    /// <summary>Draws different prompt pairs.</summary>
    /// <param name="task">A task's name, as in <see cref="TaskCatalog"/>.</param>
    /// <param name="tokenizer">The vocabulary of the model that the prompts are for.</param>
    /// <param name="count">How many pairs.</param>
    /// <param name="seed">The seed of the draw. A larger count with the same seed begins with the same pairs.</param>
    /// <param name="progress">Told now and then how many there are; may be null.</param>
    /// <param name="cancellation">Stops the work between pairs.</param>
    /// <returns>
    /// The pairs, without a begin token. Ids are <c>task-0</c>, <c>task-1</c>, ...; labels name the combination, for example
    /// <c>template=3;names=Ann,Bob</c>, so that combinations can be held out.
    /// </returns>
    /// <exception cref="OptionException">There is no such task.</exception>
    /// <exception cref="GradpathException">A vocabulary that lacks the task's tokens, or fewer different pairs than asked for.</exception>
    public static IReadOnlyList<PromptPair> Generate(
        string task, BpeTokenizer tokenizer, int count, ulong seed, IProgress<int>? progress = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(task);
        ArgumentNullException.ThrowIfNull(tokenizer);
        if (count is < 1 or > PromptOptions.MostGenerated)
        {
            throw GradpathException.Worded(
                $"{Terms.Limit.With(count)}: the number of prompts to generate must be from 1 to {PromptOptions.MostGenerated}.");
        }

        var row = TaskCatalog.Find(task);
        var generator = row.Generator(tokenizer);
        var random = new SplitMix64(seed);
        var seen = new HashSet<(string, string)>();
        var pairs = new List<PromptPair>();
        while (pairs.Count < count)
        {
            pairs.Add(DrawNew());
            if (pairs.Count % PromptOptions.ReportEvery == 0) progress?.Report(pairs.Count);
        }

        return pairs;

        PromptPair DrawNew()
        {
            cancellation.ThrowIfCancellationRequested();
            for (var draw = 0; draw < DrawsPerPrompt; draw++)
            {
                var draft = generator.Draw(random);
                int[] clean = tokenizer.Encode(draft.Clean), corrupted = tokenizer.Encode(draft.Corrupted);
                if (clean.Length != corrupted.Length || !seen.Add((draft.Clean, draft.Corrupted)))
                    continue;
                var id = string.Create(CultureInfo.InvariantCulture, $"{row.Name}-{pairs.Count}");
                return new PromptPair(clean, corrupted, draft.Answers, draft.WrongAnswers, id, draft.Label, draft.Clean, draft.Corrupted)
                {
                    KeyPositions = generator.KeyPositions(draft, clean),
                    Spans = generator.Spans(draft, clean, corrupted),
                };
            }

            throw GradpathException.Worded(
                $"{Terms.Limit.With(count)}: with this vocabulary {row} has hardly more than {pairs.Count} different prompt pairs.");
        }
    }
}
