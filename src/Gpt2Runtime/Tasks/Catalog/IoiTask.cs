using System.Collections.ObjectModel;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Tasks.Generators;
using Gradpath.Gpt2Runtime.Tokenization;

namespace Gradpath.Gpt2Runtime.Tasks.Catalog;

/// <summary>
/// Indirect object identification: two names, one of them again, and the other is the answer ("... John gave a book to" -> " Mary").
/// Half the prompts are ABBA (indirect object first), half BABA. Corrupted: a third name in place of the repeated one.
/// </summary>
internal sealed class IoiTask : TaskGenerator
{
    private const string Name = "ioi";

    private readonly Words _words = WordList.Read(Name, WordListContext.Default.IoiWords);
    private readonly IReadOnlyList<string> _names;

    public IoiTask(BpeTokenizer tokenizer)
        : base(Name, tokenizer) =>
        _names = KeepSingleTokens(_words.Names, name => name, "names (those that are single tokens)", needed: 3);

    /// <summary>The row of <see cref="TaskCatalog"/>.</summary>
    public static CircuitTask Row { get; } = new(
        Name,
        "Indirect object identification: which of two names was not repeated.",
        BuiltInMetrics.LogitDifference,
        ["clean", "corrupted", "correct_idx", "incorrect_idx"],
        new TaskExample(
            "When Anna and Paul went to the shop, Paul gave a book to",
            "When Anna and Paul went to the shop, Mark gave a book to",
            "Anna",
            "Paul"),
        tokenizer => new IoiTask(tokenizer),
        Read)
    {
        Difference = "S2",
        // The indirect object in place of the subject.
        HardCorruptionColumn = "corrupted_hard",
    };

    public override PromptDraft Draw(SplitMix64 random)
    {
        var template = random.Below(_words.Templates.Length);
        var (indirectObject, subject) = random.PickTwo(_names);
        string third;
        do
            third = random.Pick(_names);
        while (third == indirectObject || third == subject);

        var indirectObjectFirst = random.Below(2) == 0;
        var prompt = _words.Templates[template]
            .Replace("{A}", indirectObjectFirst ? indirectObject : subject, StringComparison.Ordinal)
            .Replace("{B}", indirectObjectFirst ? subject : indirectObject, StringComparison.Ordinal)
            .Replace("{place}", random.Pick(_words.Places), StringComparison.Ordinal)
            .Replace("{thing}", random.Pick(_words.Things), StringComparison.Ordinal);

        // The names in alphabetical order: the same two in the other roles are the same combination.
        var (early, late) = string.CompareOrdinal(indirectObject, subject) < 0 ? (indirectObject, subject) : (subject, indirectObject);
        return new PromptDraft(
            prompt.Replace("{S}", subject, StringComparison.Ordinal),
            prompt.Replace("{S}", third, StringComparison.Ordinal),
            [Id(indirectObject)],
            [Id(subject)],
            $"template={template};names={early},{late}");
    }

    /// <summary>
    /// The names of Wang et al. 2022: the indirect object, the subject's two places, the token behind the first, the last token.
    /// </summary>
    public override IReadOnlyDictionary<string, int> KeyPositions(PromptDraft draft, int[] clean) =>
        KeyPositions(clean, draft.Answers[0], draft.WrongAnswers[0]);

    /// <summary>
    /// Wang et al.'s positions as spans, and what stands between them: a word for every token. IO and S1 come in either order; what stands
    /// between the two is apart from what stands behind them.
    /// </summary>
    public override IReadOnlyList<TokenSpan> Spans(PromptDraft draft, int[] clean, int[] corrupted) =>
        Spans(clean, draft.Answers[0], draft.WrongAnswers[0]);

    private static IReadOnlyList<TokenSpan> Spans(int[] clean, int indirectObject, int subject)
    {
        int io = Array.IndexOf(clean, indirectObject), first = Array.IndexOf(clean, subject);
        int second = first < 0 ? -1 : Array.IndexOf(clean, subject, first + 1);
        if (io < 0 || second < 0 || io > second || second == clean.Length - 1)
            return [];
        (int one, int two) = (Math.Min(io, first), Math.Max(io, first));
        return
        [
            new("start", 0, one),
            new(one == io ? "IO" : "S1", one, one + 1),
            new("between", one + 1, two),
            new(two == io ? "IO" : "S1", two, two + 1),
            new("place", two + 1, second),
            new("S2", second, second + 1),
            new("thing", second + 1, clean.Length - 1),
            new("end", clean.Length - 1, clean.Length),
        ];
    }

    private static IReadOnlyDictionary<string, int> KeyPositions(int[] clean, int indirectObject, int subject)
    {
        var first = Array.IndexOf(clean, subject);
        var second = Array.IndexOf(clean, subject, first + 1);
        if (second < 0)
            return ReadOnlyDictionary<string, int>.Empty;
        return new Dictionary<string, int>(StringComparer.Ordinal)
        {
            ["IO"] = Array.IndexOf(clean, indirectObject),
            ["S1"] = first,
            ["S1+1"] = first + 1,
            ["S2"] = second,
            ["END"] = clean.Length - 1,
        };
    }

    private static Func<CsvRecord, PromptPair> Read(CsvTaskReader file) => row =>
    {
        int right = row.Integer("correct_idx"), wrong = row.Integer("incorrect_idx");
        PromptPair pair = file.Pair(row, [right], [wrong]);
        foreach (int id in (int[])[right, wrong])
        {
            if (!pair.Clean.Contains(id))
                throw CsvTaskReader.NotThisVocabulary(row, $"token {id} does not occur in {Quoted.Text(pair.CleanText)}");
        }
        return pair with
        {
            KeyPositions = KeyPositions(pair.Clean, right, wrong),
            Spans = Spans(pair.Clean, right, wrong),
        };
    };

    internal sealed record Words(string[] Templates, string[] Names, string[] Places, string[] Things);
}
