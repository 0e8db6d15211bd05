namespace Gradpath.Gpt2Runtime.Compilation;

/// <summary>
/// Letters, a mark, and the letters in order as far as they have been written: the next of them. One head counts the last letter before the
/// mark against behind it, another looks for the smallest letter that is larger; an MLP says whether a copy of the last letter is left,
/// and the next MLP takes that or the larger letter.
/// </summary>
internal sealed class SortProgram() : CompiledProgram("sort", "the next of the letters before a mark in order")
{
    private const int LetterCount = 6;
    private const int Mark = LetterCount + 1;
    private const int Sorted = 5;
    private const int Positions = 1 + Sorted + 1 + Sorted - 1;

    // Scores grow by this from letter to letter.
    private const double Step = 12;

    /// <inheritdoc />
    public override CompiledModel Compile(DistractorOptions distractors)
    {
        ProgramCompiler c = new(layers: 2, Positions, Mark + 1, distractors);
        Variable left = c.Declare("copies left", 1);
        Variable larger = c.Declare("next larger letter", LetterCount);
        Variable again = c.Declare("the last letter again", 1);
        Variable answer = c.Declare("next letter", LetterCount);
        c.Attend(
            0, new HeadScores
            {
                Matches = [(c.Tokens, c.Tokens, (q, k) => q == k && q != Begin ? ProgramCompiler.Sharp : 0)],
                Begin = ProgramCompiler.Sharp,
            },
            [new HeadCopy(c.Positions, left, (p, _) => p is 0 or Sorted + 1 ? 0 : p <= Sorted ? 1 : -1)]);
        c.Attend(
            0, new HeadScores
            {
                Matches = [(c.Tokens, c.Tokens, (q, k) => k is > 0 and < Mark && (q == Mark || k > q) ? Step * (Mark - k) : 0)],
                Begin = Step / 2,
            },
            [HeadCopy.Of(c.Tokens, larger, first: 1)]);

        // Of one copy that is left there is a tenth at least: one in five before the mark and four behind it, and the begin token.
        c.Compute(0, [.. HiddenUnit.Step(left, 0.025, 0.075, (again, 0, 1))]);
        c.Compute(1, [.. Enumerable.Range(0, LetterCount).SelectMany(i => new[]
        {
            HiddenUnit.Both((c.Tokens, i + 1), (again, 0), (answer, i)),
            new HiddenUnit(-1, [(larger, i, 2), (again, 0, -2)], [(answer, i, 1)]),
        })]);
        c.Answer(answer, 1);
        return c.Build();
    }

    /// <inheritdoc />
    public override int Answer(ReadOnlySpan<int> prompt)
    {
        int[] letters = prompt[1..(1 + Sorted)].ToArray();
        Array.Sort(letters);
        return letters[prompt.Length - Sorted - 2];
    }

    /// <inheritdoc />
    public override string NameOf(int token) => token == Mark ? "mark" : Letter(token);

    /// <inheritdoc />
    protected override (int[] Clean, int[] Corrupted) Draw(SplitMix64 random)
    {
        int written = random.Below(Sorted);
        return (Prompt(random, written), Prompt(random, written));
    }

    private static int[] Prompt(SplitMix64 random, int written)
    {
        int[] letters = Letters(random, Sorted, LetterCount);
        return [Begin, .. letters, Mark, .. letters.Order().Take(written)];
    }
}
