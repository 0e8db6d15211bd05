using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Tasks.Generators;
using Gradpath.Gpt2Runtime.Tokenization;

namespace Gradpath.Gpt2Runtime.Tasks.Catalog;

/// <summary>
/// Subject-verb agreement, with and without a second noun that distracts: "The boys near the king" -> all verbs in the plural against
/// all verbs in the singular. Corrupted: the subject in its other number.
/// </summary>
internal sealed class SvaTask : TaskGenerator
{
    private const string Name = "sva";

    private readonly Words _words = WordList.Read(Name, WordListContext.Default.SvaWords);
    private readonly IReadOnlyList<string[]> _nouns;
    private readonly int[] _singular;
    private readonly int[] _plural;

    public SvaTask(BpeTokenizer tokenizer)
        : base(Name, tokenizer)
    {
        _nouns = Keep(_words.Nouns, noun => SameLength(noun[0], noun[1]), "nouns (those of equal length in both numbers)", needed: 2);
        var verbs = Keep(
            _words.Verbs,
            verb => tokenizer.SingleToken(" " + verb[0]) is not null && tokenizer.SingleToken(" " + verb[1]) is not null,
            "verbs (those with single tokens in both numbers)",
            needed: 2);
        _singular = [.. verbs.Select(verb => Id(verb[0]))];
        _plural = [.. verbs.Select(verb => Id(verb[1]))];
    }

    /// <summary>The row of <see cref="TaskCatalog"/>.</summary>
    public static CircuitTask Row { get; } = new(
        Name,
        "Subject-verb agreement: verbs in the subject's number against verbs in the other.",
        BuiltInMetrics.ProbabilityDifference,
        ["clean", "corrupted", "plural"],
        new TaskExample(
            "The doctor near the windows", "The doctors near the windows", "is, has, runs ...", "are, have, run ..."),
        tokenizer => new SvaTask(tokenizer),
        Read)
    {
        Difference = "subject",
    };

    public override PromptDraft Draw(SplitMix64 random)
    {
        var template = random.Below(_words.Templates.Length);
        var (subject, other) = random.PickTwo(_nouns);
        var plural = random.Below(2) == 1;
        var otherPlural = random.Below(2) == 1;

        var text = _words.Templates[template].Replace("{other}", Form(other, otherPlural), StringComparison.Ordinal);
        foreach (var verb in _words.Verbs)
            text = text.Replace($"[{verb[1]}]", Form(verb, otherPlural), StringComparison.Ordinal);

        return new PromptDraft(
            WithSubject(text, subject, plural),
            WithSubject(text, subject, !plural),
            plural ? _plural : _singular,
            plural ? _singular : _plural,
            $"template={template};subject={subject[0]};number={(plural ? "plural" : "singular")}");
    }

    private string WithSubject(string text, string[] subject, bool plural)
    {
        text = text.Replace("{subject}", Form(subject, plural), StringComparison.Ordinal);
        foreach (var verb in _words.Verbs)
            text = text.Replace($"<{verb[1]}>", Form(verb, plural), StringComparison.Ordinal);
        return text;
    }

    private static string Form(string[] word, bool plural) => word[plural ? 1 : 0];

    private bool SameLength(string one, string two) => Tokenizer.Encode(" " + one).Length == Tokenizer.Encode(" " + two).Length;

    private static Func<CsvRecord, PromptPair> Read(CsvTaskReader file)
    {
        VerbList verbs = VerbList.Read(Name, file.Beside(VerbList.FileName), file.Tokenizer);
        return row => row["plural"] switch
        {
            "0" => file.Pair(row, verbs.Singular, verbs.Plural, row.Optional("group")),
            "1" => file.Pair(row, verbs.Plural, verbs.Singular, row.Optional("group")),
            var other => throw new GradpathException($"{row.Where}: plural is {Quoted.Text(other)}; 0 or 1 is needed."),
        };
    }

    internal sealed record Words(string[] Templates, string[][] Nouns, string[][] Verbs);
}
