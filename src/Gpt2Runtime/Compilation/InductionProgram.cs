namespace Gradpath.Gpt2Runtime.Compilation;

/// <summary>
/// ... A B ... A: the letter that stood behind the last letter before. A head notes the letter before each position, and an induction head
/// finds where the last letter has been noted. A negative head looks for the letter that is predicted so far and predicts against it, and a
/// backup head does the induction head's work at half the strength where that has found nothing.
/// </summary>
internal sealed class InductionProgram() : CompiledProgram(
    "induction", "the letter that followed the last letter before, with a negative and a backup head")
{
    private const int LetterCount = 12;
    private const int Longest = 8;
    private const int Shortest = 6;

    private const double Against = 0.4;
    private const double Backup = 0.5;

    /// <inheritdoc />
    public override CompiledModel Compile(DistractorOptions distractors)
    {
        const double sharp = ProgramCompiler.Sharp;
        ProgramCompiler c = new(layers: 3, Longest, 1 + LetterCount, distractors);
        Variable previous = c.Declare("letter before", LetterCount);
        Variable answer = c.Declare("next letter", LetterCount);
        Variable found = c.Declare("found", 1);
        (Variable, Variable, Func<int, int, double>) repeated =
            (c.Tokens, previous, (q, k) => q == k + 1 ? sharp : 0);
        c.Attend(
            0, new HeadScores { Matches = [(c.Positions, c.Positions, (q, k) => q == k + 1 ? sharp : 0)] },
            [HeadCopy.Of(c.Tokens, previous, first: 1)]);
        c.Attend(
            1, new HeadScores { Matches = [repeated], Begin = sharp / 2 },
            [HeadCopy.Of(c.Tokens, answer, first: 1), new HeadCopy(c.Tokens, found, (token, _) => token == Begin ? 0 : 1)]);
        c.Attend(
            2, new HeadScores { Matches = [(answer, c.Tokens, (q, k) => q + 1 == k ? sharp : 0)], Begin = sharp / 2 },
            [HeadCopy.Of(c.Tokens, answer, first: 1, -Against)]);
        c.Attend(
            2, new HeadScores { Matches = [repeated], Begin = sharp / 2, BeginWhere = (found, 2 * sharp) },
            [HeadCopy.Of(c.Tokens, answer, first: 1, Backup)], HeadRole.Backup);
        c.Answer(answer, 1);
        return c.Build();
    }

    /// <inheritdoc />
    public override int Answer(ReadOnlySpan<int> prompt)
    {
        int first = prompt[..^1].IndexOf(prompt[^1]);
        return first < 0 ? Begin : prompt[first + 1];
    }

    /// <inheritdoc />
    public override string NameOf(int token) => Letter(token);

    /// <inheritdoc />
    protected override (int[] Clean, int[] Corrupted) Draw(SplitMix64 random)
    {
        // Where nothing in the corrupted prompt is repeated, the backup head takes over when the induction head is cut.
        int letters = Shortest + random.Below(Longest - Shortest + 1) - 1;
        return (Prompt(random, letters, repeats: true), Prompt(random, letters, repeats: random.Below(2) == 0));
    }

    private static int[] Prompt(SplitMix64 random, int count, bool repeats)
    {
        int[] alphabet = [.. Enumerable.Range(1, LetterCount)];
        random.Shuffle<int>(alphabet);
        int[] letters = alphabet[..count];

        // Not the letter right before the last one, which would be its own answer.
        if (repeats) letters[^1] = letters[random.Below(count - 2)];
        return [Begin, .. letters];
    }
}
