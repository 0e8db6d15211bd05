namespace Gradpath.Gpt2Runtime.Compilation;

/// <summary>
/// A string, a mark, and the string backwards as far as it has been written: the next letter of it. RASP's reverse, made causal: the place
/// of the mark is found, from it and the position the place of the next letter is computed, and the letter there is copied.
/// </summary>
internal sealed class ReverseProgram() : CompiledProgram("reverse", "the next letter of a string written backwards behind a mark")
{
    private const int LetterCount = 6;
    private const int Mark = LetterCount + 1;
    private const int Length = 10;
    private const int Shortest = 5;

    /// <inheritdoc />
    public override CompiledModel Compile(DistractorOptions distractors)
    {
        ProgramCompiler c = new(layers: 2, Length, Mark + 1, distractors);
        Variable marked = c.Declare("place of the mark", Length);
        Variable source = c.Declare("place of the next letter", Length);
        Variable answer = c.Declare("next letter", LetterCount);
        c.Attend(
            0, new HeadScores { Fixed = (c.Tokens, t => t == Mark ? ProgramCompiler.Sharp : 0), Begin = ProgramCompiler.Sharp / 2 },
            [HeadCopy.Of(c.Positions, marked)]);
        List<HiddenUnit> units = [];
        for (int mark = 1; mark < Length; mark++)
        {
            for (int p = mark; p < Length && (2 * mark) - p - 1 > 0; p++)
                units.Add(HiddenUnit.Both((marked, mark), (c.Positions, p), (source, (2 * mark) - p - 1)));
        }
        c.Compute(0, units);
        c.Attend(
            1, new HeadScores { Matches = [(source, c.Positions, (q, k) => q == k ? ProgramCompiler.Sharp : 0)] },
            [HeadCopy.Of(c.Tokens, answer, first: 1)]);
        c.Answer(answer, 1);
        return c.Build();
    }

    /// <inheritdoc />
    public override int Answer(ReadOnlySpan<int> prompt)
    {
        int mark = prompt.IndexOf(Mark);
        return prompt[(2 * mark) - prompt.Length];
    }

    /// <inheritdoc />
    public override string NameOf(int token) => token == Mark ? "mark" : Letter(token);

    /// <inheritdoc />
    protected override (int[] Clean, int[] Corrupted) Draw(SplitMix64 random) => (Prompt(random), Prompt(random));

    private static int[] Prompt(SplitMix64 random)
    {
        // Of Length tokens two are the begin token and the mark.
        int letters = Shortest + random.Below(Length - 2 - Shortest + 1);
        int[] text = Letters(random, letters, LetterCount);
        return [Begin, .. text, Mark, .. text.Reverse().Take(Length - 2 - letters)];
    }
}
