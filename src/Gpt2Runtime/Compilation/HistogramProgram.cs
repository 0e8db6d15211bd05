using System.Globalization;

namespace Gradpath.Gpt2Runtime.Compilation;

/// <summary>
/// How often the last letter has occurred. A head looks at the begin token and at all letters like the current one alike, so that the
/// begin token gets one part in the count plus one; an MLP reads the count off that.
/// </summary>
internal sealed class HistogramProgram() : CompiledProgram("histogram", "how often the last letter has occurred")
{
    private const int LetterCount = 5;
    private const int MostLetters = 8;

    /// <inheritdoc />
    public override CompiledModel Compile(DistractorOptions distractors)
    {
        ProgramCompiler c = new(layers: 2, MostLetters + 1, 1 + LetterCount + MostLetters, distractors);
        Variable share = c.Declare("part of the begin token", 1);
        Variable count = c.Declare("count", MostLetters);
        c.Attend(
            0, new HeadScores
            {
                Matches = [(c.Tokens, c.Tokens, (q, k) => q == k && q != Begin ? ProgramCompiler.Sharp : 0)],
                Begin = ProgramCompiler.Sharp,
            },
            [new HeadCopy(c.Positions, share, (position, _) => position == 0 ? 1 : 0)]);
        List<HiddenUnit> units = [];
        for (int n = 1; n < MostLetters; n++)
        {
            // The part is 1/(n+1) for a count of n. Above this step it is n or less, below it n + 1 or more.
            double more = 1.0 / (n + 2), less = 1.0 / (n + 1), quarter = (less - more) / 4;
            units.AddRange(HiddenUnit.Step(share, more + quarter, less - quarter, (count, n - 1, 1), (count, n, -1)));
        }
        c.Compute(0, units, (count, MostLetters - 1, 1));
        c.Answer(count, 1 + LetterCount);
        return c.Build();
    }

    /// <inheritdoc />
    public override int Answer(ReadOnlySpan<int> prompt) => LetterCount + prompt.Count(prompt[^1]);

    /// <inheritdoc />
    public override string NameOf(int token) =>
        token > LetterCount ? (token - LetterCount).ToString(CultureInfo.InvariantCulture) : Letter(token);

    /// <inheritdoc />
    protected override (int[] Clean, int[] Corrupted) Draw(SplitMix64 random) =>
        ([Begin, .. Letters(random, MostLetters, LetterCount)], [Begin, .. Letters(random, MostLetters, LetterCount)]);
}
