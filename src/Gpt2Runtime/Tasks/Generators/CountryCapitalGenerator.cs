using Gradpath.Gpt2Runtime.Tokenization;

namespace Gradpath.Gpt2Runtime.Tasks.Generators;

/// <summary>
/// Country and capital: "Cairo, the capital of" -> " Egypt" against the corrupted prompt's country. Corrupted: another capital.
/// </summary>
internal sealed class CountryCapitalGenerator : TaskGenerator
{
    private readonly Words _words = WordList.Read<Words>(TaskCatalog.CountryCapital);
    private readonly IReadOnlyList<string[]> _pairs;

    public CountryCapitalGenerator(BpeTokenizer tokenizer)
        : base(TaskCatalog.CountryCapital, tokenizer) =>
        _pairs = KeepSingleTokens(_words.Pairs, pair => pair[1], "countries (those that are single tokens)", needed: 2);

    public override PromptDraft Draw(SplitMix64 random)
    {
        var template = random.Below(_words.Templates.Length);
        var (clean, corrupted) = random.PickTwo(_pairs);
        return new PromptDraft(
            _words.Templates[template].Replace("{capital}", clean[0], StringComparison.Ordinal),
            _words.Templates[template].Replace("{capital}", corrupted[0], StringComparison.Ordinal),
            [Id(clean[1])],
            [Id(corrupted[1])],
            $"template={template};capital={clean[0]}");
    }

    private sealed record Words(string[] Templates, string[][] Pairs);
}
