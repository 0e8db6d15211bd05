using System.Globalization;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Tasks.Generators;
using Gradpath.Gpt2Runtime.Tokenization;

namespace Gradpath.Gpt2Runtime.Tasks.Catalog;

/// <summary>
/// Greater-than: "The siege lasted from the year 1745 to the year 17"; right are the two-digit tokens 46 to 99, wrong are 00 to 45.
/// Only years that the vocabulary splits into century and two digits are used. Corrupted: the first year ends in 01.
/// </summary>
internal sealed class GreaterThanTask : TaskGenerator
{
    private const string Name = "greater-than";

    private readonly Words _words = WordList.Read(Name, WordListContext.Default.GreaterThanWords);
    private readonly TwoDigitTokens _digits;
    private readonly IReadOnlyList<(int Century, int Year)> _years;

    public GreaterThanTask(BpeTokenizer tokenizer)
        : base(Name, tokenizer)
    {
        _digits = new TwoDigitTokens(Name, tokenizer);
        var all =
            from century in _words.Centuries
            from year in Enumerable.Range(2, 97)
            select (century, year);
        _years = Keep(
            [.. all],
            entry => Splits(entry.century, entry.year) && Splits(entry.century, 1),
            "years (those that split like 17|45)",
            needed: 2);
    }

    /// <summary>The row of <see cref="TaskCatalog"/>.</summary>
    public static CircuitTask Row { get; } = new(
        Name,
        "Greater-than: two digits of a year that come after a given year of the same century.",
        BuiltInMetrics.ProbabilityDifference,
        ["clean", "corrupted", "correct_idx"],
        new TaskExample(
            "The war lasted from the year 1743 to the year 17", "The war lasted from the year 1701 to the year 17", "44 to 99", "00 to 43"),
        tokenizer => new GreaterThanTask(tokenizer),
        Read)
    {
        Difference = "year",
        OldColumns = [("label", "correct_idx")],
    };

    public override PromptDraft Draw(SplitMix64 random)
    {
        var template = random.Below(_words.Templates.Length);
        var (century, year) = random.Pick(_years);
        var noun = random.Pick(_words.Nouns);
        var prompt = _words.Templates[template]
            .Replace("{noun}", noun, StringComparison.Ordinal)
            .Replace("{century}", century.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);
        return new PromptDraft(
            prompt.Replace("{from}", $"{century}{year:00}", StringComparison.Ordinal),
            prompt.Replace("{from}", $"{century}01", StringComparison.Ordinal),
            _digits.After(year),
            _digits.UpTo(year),
            $"template={template};noun={noun};year={century}{year:00}");
    }

    private bool Splits(int century, int year) =>
        Tokenizer.SingleToken($" {century}") is { } first
        && Tokenizer.Encode($" {century}{year:00}") is [var one, var two]
        && one == first
        && two == _digits[year];

    private static Func<CsvRecord, PromptPair> Read(CsvTaskReader file)
    {
        TwoDigitTokens digits = new(Name, file.Tokenizer);
        return row =>
        {
            int year = row.Integer("correct_idx");
            if (year is < 0 or > 99)
                throw new GradpathException($"{row.Where}: the year {year} is not within 0 and 99.");
            if (!row["clean"].Contains($"{year:00} ", StringComparison.Ordinal))
            {
                throw new GradpathException(
                    $"{row.Where}: correct_idx is {year}, but no number in {Quoted.Text(row["clean"])} ends in {year:00}.");
            }
            return file.Pair(row, digits.After(year), digits.UpTo(year));
        };
    }

    internal sealed record Words(string[] Templates, int[] Centuries, string[] Nouns);
}
