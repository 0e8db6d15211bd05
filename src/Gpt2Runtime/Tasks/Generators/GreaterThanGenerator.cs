using System.Globalization;
using Gradpath.Gpt2Runtime.Tokenization;

namespace Gradpath.Gpt2Runtime.Tasks.Generators;

/// <summary>
/// Greater-than: "The siege lasted from the year 1745 to the year 17"; right are the two-digit tokens 46 to 99, wrong are 00 to 45.
/// Only years that the vocabulary splits into century and two digits are used. Corrupted: the first year ends in 01.
/// </summary>
internal sealed class GreaterThanGenerator : TaskGenerator
{
    private readonly Words _words = WordList.Read<Words>(TaskCatalog.GreaterThan);
    private readonly TwoDigitTokens _digits;
    private readonly IReadOnlyList<(int Century, int Year)> _years;

    public GreaterThanGenerator(BpeTokenizer tokenizer)
        : base(TaskCatalog.GreaterThan, tokenizer)
    {
        _digits = new TwoDigitTokens(tokenizer);
        var all =
            from century in _words.Centuries
            from year in Enumerable.Range(2, 97)
            select (century, year);
        _years = Keep([.. all], entry => Splits(entry.century, entry.year) && Splits(entry.century, 1),
            "years (those that split like 17|45)", needed: 2);
    }

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

    private sealed record Words(string[] Templates, int[] Centuries, string[] Nouns);
}
