using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Tasks.Generators;
using Gradpath.Gpt2Runtime.Tokenization;

namespace Gradpath.Gpt2Runtime.Tasks.Catalog;

/// <summary>
/// Gender bias: "The nurse said that" -> " she" against " he", the pronoun of the profession's stereotype being the answer.
/// Corrupted: "man" or "woman", whichever has the other pronoun, in place of the profession. Both kinds are equally frequent.
/// </summary>
internal sealed class GenderBiasTask : TaskGenerator
{
    private const string Name = "gender-bias";

    private readonly Words _words = WordList.Read(Name, WordListContext.Default.GenderBiasWords);
    private readonly IReadOnlyList<string> _he;
    private readonly IReadOnlyList<string> _she;

    public GenderBiasTask(BpeTokenizer tokenizer)
        : base(Name, tokenizer)
    {
        _ = (Id("man"), Id("woman"));
        _he = KeepSingleTokens(_words.He, word => word, "single-token professions of the stereotype \"he\"", needed: 1);
        _she = KeepSingleTokens(_words.She, word => word, "single-token professions of the stereotype \"she\"", needed: 1);
    }

    /// <summary>The row of <see cref="TaskCatalog"/>.</summary>
    public static CircuitTask Row { get; } = new(
        Name,
        "Gender bias: which pronoun follows a profession.",
        BuiltInMetrics.LogitDifference,
        ["clean", "corrupted", "clean_answer_idx", "corrupted_answer_idx"],
        new TaskExample(
            "The nurse said that", "The man said that", "she", "he"),
        tokenizer => new GenderBiasTask(tokenizer),
        Read)
    {
        Difference = "profession",
    };

    public override PromptDraft Draw(SplitMix64 random)
    {
        var template = random.Below(_words.Templates.Length);
        var male = random.Below(2) == 0;
        var profession = random.Pick(male ? _he : _she);
        int he = Id("he"), she = Id("she");
        return new PromptDraft(
            _words.Templates[template].Replace("{who}", profession, StringComparison.Ordinal),
            _words.Templates[template].Replace("{who}", male ? "woman" : "man", StringComparison.Ordinal),
            [male ? he : she],
            [male ? she : he],
            $"template={template};who={profession}");
    }

    private static Func<CsvRecord, PromptPair> Read(CsvTaskReader file) => row =>
    {
        int right = row.Integer("clean_answer_idx"), wrong = row.Integer("corrupted_answer_idx");
        int? he = file.Tokenizer.SingleToken(" he"), she = file.Tokenizer.SingleToken(" she");
        if ((right, wrong) != (he, she) && (right, wrong) != (she, he))
            throw CsvTaskReader.NotThisVocabulary(row, $"tokens {right} and {wrong} are not \" he\" and \" she\"");
        return file.Pair(row, [right], [wrong]);
    };

    internal sealed record Words(string[] Templates, string[] He, string[] She);
}
