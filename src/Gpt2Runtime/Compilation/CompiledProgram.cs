using System.Globalization;

namespace Gradpath.Gpt2Runtime.Compilation;

/// <summary>
/// A program that is compiled to a model whose circuit is known, with its task: what the token behind a prompt is.
/// </summary>
/// <param name="name">What options and files call it.</param>
/// <param name="summary">What it computes, in one line.</param>
internal abstract class CompiledProgram(string name, string summary)
{
    /// <summary>The token that begins every prompt.</summary>
    public const int Begin = 0;

    // Draws in a row that give nothing new before a request for more is refused.
    private const int MostDraws = 10_000;

    /// <summary>What options and files call it.</summary>
    public string Name { get; } = name;

    /// <summary>What it computes, in one line.</summary>
    public string Summary { get; } = summary;

    /// <summary>Compiles it.</summary>
    /// <param name="distractors">Decides which heads work and what the others do; the function is the same.</param>
    /// <returns>The model.</returns>
    public abstract CompiledModel Compile(DistractorOptions distractors);

    /// <summary>The function that the model computes.</summary>
    /// <param name="prompt">A prompt of the task.</param>
    /// <returns>The token behind it.</returns>
    public abstract int Answer(ReadOnlySpan<int> prompt);

    /// <summary>A token as people read it.</summary>
    /// <param name="token">The token.</param>
    /// <returns>A letter, a word or a number.</returns>
    public abstract string NameOf(int token);

    /// <summary>Prompt pairs of the task, all different: the clean prompt's answer is right, the corrupted prompt's is wrong.</summary>
    /// <param name="count">How many.</param>
    /// <param name="seed">Seed of the draws.</param>
    /// <returns>The pairs.</returns>
    /// <exception cref="GradpathException">The task has not so many.</exception>
    public IReadOnlyList<PromptPair> Pairs(int count, ulong seed)
    {
        SplitMix64 random = new(seed);
        HashSet<string> seen = [];
        List<PromptPair> pairs = [];
        for (int draws = 0; pairs.Count < count; draws++)
        {
            if (draws == MostDraws)
                throw new GradpathException($"{Name} has fewer than {count} prompt pairs that are easily found; ask for {pairs.Count}");
            (int[] clean, int[] corrupted) = Draw(random);
            int right = Answer(clean), wrong = Answer(corrupted);
            if (right == wrong || !seen.Add($"{Text(clean)}/{Text(corrupted)}")) continue;
            pairs.Add(new PromptPair(clean, corrupted, [right], [wrong]));
            draws = -1;
        }
        return pairs;
    }

    /// <summary>Draws two prompts of one length.</summary>
    /// <param name="random">The source of randomness.</param>
    /// <returns>The prompts.</returns>
    protected abstract (int[] Clean, int[] Corrupted) Draw(SplitMix64 random);

    /// <summary>Letters at random.</summary>
    /// <param name="random">The source of randomness.</param>
    /// <param name="count">How many.</param>
    /// <param name="letters">Number of letters; their tokens begin at 1.</param>
    /// <returns>Their tokens.</returns>
    protected static int[] Letters(SplitMix64 random, int count, int letters) =>
        [.. Enumerable.Range(0, count).Select(_ => 1 + random.Below(letters))];

    /// <summary>The name of a token that is a letter or the begin token.</summary>
    /// <param name="token">The token.</param>
    /// <returns>begin, A, B and so on.</returns>
    protected static string Letter(int token) =>
        token == Begin ? "begin" : ((char)('A' + token - 1)).ToString(CultureInfo.InvariantCulture);

    private static string Text(int[] prompt) => string.Join(',', prompt);
}
