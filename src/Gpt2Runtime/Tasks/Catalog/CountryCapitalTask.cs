using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Tasks.Generators;
using Gradpath.Gpt2Runtime.Tokenization;

namespace Gradpath.Gpt2Runtime.Tasks.Catalog;

/// <summary>
/// Country and capital: "Cairo, the capital of" -> " Egypt" against the corrupted prompt's country. Corrupted: another capital.
/// </summary>
internal sealed class CountryCapitalTask : TaskGenerator
{
    private const string Name = "country-capital";

    private readonly Words _words = WordList.Read(Name, WordListContext.Default.CountryCapitalWords);
    private readonly IReadOnlyList<string[]> _pairs;

    public CountryCapitalTask(BpeTokenizer tokenizer)
        : base(Name, tokenizer) =>
        _pairs = KeepSingleTokens(_words.Pairs, pair => pair[1], "countries (those that are single tokens)", needed: 2);

    /// <summary>The row of <see cref="TaskCatalog"/>.</summary>
    public static CircuitTask Row { get; } = new(
        Name,
        "Country and capital: the country whose capital is named.",
        BuiltInMetrics.LogitDifference,
        ["clean", "corrupted", "country", "country_idx", "corrupted_country", "corrupted_country_idx"],
        new TaskExample(
            "Paris, the capital of", "Lima, the capital of", "France", "Peru"),
        tokenizer => new CountryCapitalTask(tokenizer),
        file => Read(file, "country", "country"))
    {
        Difference = "capital",

        // "Cuba, whose capital," -> " Havana". In the published file the columns capital and country have each other's words.
        Variants =
        [
            new("reversed", ["clean", "corrupted", "country", "capital_idx", "corrupted_country", "corrupted_capital_idx"],
                file => Read(file, "country", "capital")),
        ],
    };

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

    private static Func<CsvRecord, PromptPair> Read(CsvTaskReader file, string word, string token)
    {
        return row => file.Pair(row, [Answer(row, "")], [Answer(row, "corrupted_")]);

        int Answer(CsvRecord row, string which)
        {
            int id = row.Integer($"{which}{token}_idx");
            file.RequireFirstToken(row, row[which + word], id);
            return id;
        }
    }

    internal sealed record Words(string[] Templates, string[][] Pairs);
}
