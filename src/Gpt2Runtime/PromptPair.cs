using System.Collections.ObjectModel;

namespace Gradpath.Gpt2Runtime;

/// <summary>
/// One item of a task: a clean prompt, its corrupted counterpart of the same token count, and the tokens that are judged.
/// </summary>
/// <param name="Clean">Token ids exactly as the model sees them (a begin token is already in place where the task has one).</param>
/// <param name="Corrupted">Token ids of the same count.</param>
/// <param name="Answers">Ids of the right answers, a set: one that stands there twice counts once.</param>
/// <param name="WrongAnswers">Ids of the wrong answers, a set that shares none with <paramref name="Answers"/>.</param>
/// <param name="Id">A name for messages and per-item results, or null.</param>
/// <param name="Label">Free text that groups items, or null.</param>
/// <param name="CleanText">The clean prompt's text where it came as text.</param>
/// <param name="CorruptedText">The corrupted prompt's text where it came as text.</param>
public sealed record PromptPair(
    int[] Clean,
    int[] Corrupted,
    int[] Answers,
    int[] WrongAnswers,
    string? Id = null,
    string? Label = null,
    string? CleanText = null,
    string? CorruptedText = null)
{
    /// <summary>Ids of the right answers, each once.</summary>
    public int[] Answers { get; init => field = Set(value); } = Set(Answers);

    /// <summary>Ids of the wrong answers, each once.</summary>
    public int[] WrongAnswers { get; init => field = Set(value); } = Set(WrongAnswers);

    /// <summary>
    /// Positions that the pair has names for, such as <c>S2</c>: generated prompts of a task that has names, and files that name some; else
    /// empty.
    /// </summary>
    public IReadOnlyDictionary<string, int> KeyPositions { get; init; } = ReadOnlyDictionary<string, int>.Empty;

    /// <summary>
    /// The parts of the clean prompt that have names, for scores with positions: no two share a token, and tokens may be in none. Empty
    /// where the pair names none.
    /// </summary>
    public IReadOnlyList<TokenSpan> Spans { get; init; } = [];

    /// <summary>
    /// The answers where one of them has several tokens; <see cref="Answers"/> and <see cref="WrongAnswers"/> are their first tokens then.
    /// Null where every answer is one token.
    /// </summary>
    public AnswerSequences? Sequences { get; init; }

    /// <summary>Number of tokens of either prompt.</summary>
    public int Length => Clean.Length;

    /// <summary>How much each of <see cref="Answers"/>, then of <see cref="WrongAnswers"/>, counts; null where all count alike.</summary>
    internal double[]? AnswerWeights { get; init; }

    /// <summary>What messages call the pair.</summary>
    /// <param name="number">Its place in the prompt set, from 1.</param>
    /// <returns>The number, with the pair's id where it has one.</returns>
    internal string NameAt(int number) => Id is null ? $"item {number}" : $"item {number} ({Id})";

    /// <summary>What is wrong with the answers as sets.</summary>
    /// <returns>The end of a message; null where nothing is.</returns>
    internal string? Contradiction()
    {
        if (Sequences is { } sequences)
            return sequences.Contradiction() is { } tokens ? $"the answer {Quoted.Ids(tokens.AsSpan())} is both right and wrong" : null;
        foreach (int answer in Answers)
        {
            if (Array.IndexOf(WrongAnswers, answer) >= 0) return $"token {answer} is both a right and a wrong answer";
        }
        return null;
    }

    private static int[] Set(int[] answers) => answers.Length < 2 ? answers : [.. answers.Distinct()];
}
