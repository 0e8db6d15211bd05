namespace Gradpath.Gpt2Runtime.Compilation;

/// <summary>
/// Which part of the letters so far were A, in quarters, rounded down. An MLP marks the letter, a head takes the mean over all positions
/// but the begin token's, an MLP reads the quarters off it.
/// </summary>
internal sealed class FractionProgram() : CompiledProgram("fraction", "which part of the letters so far were A, in quarters rounded down")
{
    private const int LetterCount = 4;
    private const int MostLetters = 8;
    private const int Fewest = 4;
    private const int Quarters = 4;

    // The largest part below a quarter is 7/8, below the whole; all parts of up to eight letters are this far apart from the quarters.
    private const double Gap = 0.035;

    /// <inheritdoc />
    public override CompiledModel Compile(DistractorOptions distractors)
    {
        ProgramCompiler c = new(layers: 2, MostLetters + 1, 1 + LetterCount + Quarters + 1, distractors);
        Variable wanted = c.Declare("is A", 1);
        Variable part = c.Declare("part", 1);
        Variable quarters = c.Declare("quarters", Quarters + 1);
        // 0 or 1, whatever little is added to the token: the mean must be exact.
        c.Compute(0,
        [
            new HiddenUnit(-0.5, [(c.Tokens, 1, 2)], [(wanted, 0, 1)]),
            new HiddenUnit(-1.5, [(c.Tokens, 1, 2)], [(wanted, 0, -1)]),
        ]);
        c.Attend(
            1, new HeadScores { Begin = -ProgramCompiler.Sharp }, [new HeadCopy(wanted, part, (_, _) => 1)]);
        List<HiddenUnit> units = [];
        for (int q = 1; q <= Quarters; q++)
        {
            double quarter = (double)q / Quarters;
            units.AddRange(HiddenUnit.Step(
                part, quarter - (0.75 * Gap), quarter - (0.25 * Gap), (quarters, q, 1), (quarters, q - 1, -1)));
        }
        c.Compute(1, units, (quarters, 0, 1));
        c.Answer(quarters, 1 + LetterCount);
        return c.Build();
    }

    /// <inheritdoc />
    public override int Answer(ReadOnlySpan<int> prompt) => 1 + LetterCount + (Quarters * prompt.Count(1) / (prompt.Length - 1));

    /// <inheritdoc />
    public override string NameOf(int token) => token > LetterCount ? $"{token - LetterCount - 1}/{Quarters}" : Letter(token);

    /// <inheritdoc />
    protected override (int[] Clean, int[] Corrupted) Draw(SplitMix64 random)
    {
        int letters = Fewest + random.Below(MostLetters - Fewest + 1);
        return (Prompt(random, letters), Prompt(random, letters));
    }

    // Any number of A is as likely as another.
    private static int[] Prompt(SplitMix64 random, int count)
    {
        int wanted = random.Below(count + 1);
        int[] letters = [.. Enumerable.Range(0, count).Select(i => i < wanted ? 1 : 2 + random.Below(LetterCount - 1))];
        random.Shuffle<int>(letters);
        return [Begin, .. letters];
    }
}
