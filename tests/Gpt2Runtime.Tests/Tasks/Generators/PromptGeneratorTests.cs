using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Gpt2Runtime.Tasks.Generators;
using Gradpath.Gpt2Runtime.Tokenization;

namespace Gradpath.Gpt2Runtime.Tests.Tasks.Generators;

public sealed class PromptGeneratorTests
{
    // SHA-256 of the file of 50 pairs, seed 7, with the demo model's vocabulary and with GPT-2's. Results name prompts by seed and count,
    // so a seed's prompts never change.
    private static readonly Dictionary<string, (string Demo, string Gpt2)> s_hashes = new()
    {
        ["ioi"] = (
            "728fd91661432d26a695941d97b60160d3bc965c7dc80e30d4210bc85fd68fd2",
            "728fd91661432d26a695941d97b60160d3bc965c7dc80e30d4210bc85fd68fd2"),
        ["greater-than"] = (
            "96553a91e4f91de04c15cfbe3b703bfd8b09d85989bfb82f5621bd70855c893e",
            "df2142b09398a7ddd24341a91afce5eb613bc2626381d1f94e8397a74915cfdd"),
        ["sva"] = (
            "279e0b01942f0ac738769a6fbfbedb9eb0e704354f893da885850b59b17b6134",
            "ccf9ef542a222fd3e301b3194529a2e897e44291403b196c948e1ee10a0796a7"),
        ["gender-bias"] = (
            "5594e8466619b1e75a0ab44d4feab8040d97978fbf1bdd4ecca42dc1e5d33499",
            "c3674684201ee140f2e2be625fbfe4f56023923267c45781bf0351b1acc7aabe"),
        ["country-capital"] = (
            "459870c2be8e547780bd039ed1b217d5a02968c36807a9d5617889ef888d882b",
            "f87d96b21742f436e78df588112ce8b8ba2d5afa0a0e211e67c3712528998edf"),
        ["hypernymy"] = (
            "511093a6ee6ae950b8cad514212504cee73c0f6639d1578ba8dd57199701f144",
            "710df3d0436c7e05634407f806ea9a18b38608b2c5a883c701f402e04d5137f9"),
    };

    public static TheoryData<string, string> TasksAndVocabularies()
    {
        var data = new TheoryData<string, string>();
        foreach (var task in TaskCatalog.All)
        {
            data.Add(task.Name, "demo");
            data.Add(task.Name, "gpt2");
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(TasksAndVocabularies))]
    public void Pairs_have_equal_lengths_and_single_token_answers(string task, string vocabulary)
    {
        var tokenizer = Tokenizers.Named(vocabulary);
        var pairs = PromptGenerator.Generate(task, tokenizer, 300, seed: 5);
        Assert.Equal(300, pairs.Count);
        Assert.Equal(300, pairs.Select(pair => (pair.CleanText, pair.CorruptedText)).Distinct().Count());
        for (var i = 0; i < pairs.Count; i++)
        {
            var pair = pairs[i];
            Assert.Equal($"{task}-{i}", pair.Id);
            Assert.Matches("^template=[0-9]+;", pair.Label);
            Assert.Equal(pair.Clean, tokenizer.Encode(pair.CleanText!));
            Assert.Equal(pair.Corrupted, tokenizer.Encode(pair.CorruptedText!));
            Assert.Equal(pair.Clean.Length, pair.Corrupted.Length);
            Assert.NotEqual(pair.CleanText, pair.CorruptedText);
            Assert.DoesNotMatch(@"[{}\[\]<>]", pair.CleanText + pair.CorruptedText);
            Assert.NotEmpty(pair.Answers);
            Assert.NotEmpty(pair.WrongAnswers);
            Assert.Empty(pair.Answers.Intersect(pair.WrongAnswers));
            foreach (var answer in pair.Answers.Concat(pair.WrongAnswers))
            {
                // The answer is what the tokenizer makes of the prompt continued by it, so nothing merges across the seam.
                var text = tokenizer.Decode([answer]);
                Assert.Equal(task == "greater-than", text[0] != ' ');
                if (task != "greater-than")
                    Assert.Equal([.. pair.Clean, answer], tokenizer.Encode(pair.CleanText + text));
            }
        }
    }

    [Theory]
    [MemberData(nameof(TasksAndVocabularies))]
    public void Same_seed_gives_the_same_prompts_and_another_seed_others(string task, string vocabulary)
    {
        var tokenizer = Tokenizers.Named(vocabulary);
        var texts = Texts(50, 7);
        Assert.Equal(texts, Texts(50, 7));
        Assert.Equal(texts[..20], Texts(20, 7));
        Assert.NotEqual(texts, Texts(50, 8));

        string?[] Texts(int count, ulong seed) =>
            [.. PromptGenerator.Generate(task, tokenizer, count, seed).Select(pair => pair.CleanText + "|" + pair.CorruptedText)];
    }

    [Theory]
    [MemberData(nameof(TasksAndVocabularies))]
    public void A_seeds_prompts_are_what_they_always_were(string task, string vocabulary)
    {
        var tokenizer = Tokenizers.Named(vocabulary);
        using var text = new MemoryStream();

        // Spans follow from the rest and are not part of the hash.
        PromptWriter.Write(text, [.. PromptGenerator.Generate(task, tokenizer, 50, 7).Select(p => p with { Spans = [] })], tokenizer);
        string expected = vocabulary == "demo" ? s_hashes[task].Demo : s_hashes[task].Gpt2;
        Assert.Equal(expected, Convert.ToHexStringLower(SHA256.HashData(text.ToArray())));
    }

    [Fact]
    public void Ioi_repeats_the_wrong_name_and_replaces_it_by_a_third()
    {
        var orders = new HashSet<bool>();
        foreach (var pair in PromptGenerator.Generate("ioi", Tokenizers.Demo, 200, 1))
        {
            string right = Text(pair.Answers), wrong = Text(pair.WrongAnswers);
            Assert.Equal(1, Count(pair.CleanText!, right));
            Assert.Equal(2, Count(pair.CleanText!, wrong));
            Assert.Equal(1, Count(pair.CorruptedText!, right));
            Assert.Equal(1, Count(pair.CorruptedText!, wrong));
            orders.Add(pair.CleanText!.IndexOf(right, StringComparison.Ordinal) < pair.CleanText.IndexOf(wrong, StringComparison.Ordinal));
        }

        Assert.Equal(2, orders.Count);
    }

    [Theory]
    [InlineData("demo")]
    [InlineData("gpt2")]
    public void Greater_than_judges_all_hundred_numbers_by_the_year(string vocabulary)
    {
        var tokenizer = Tokenizers.Named(vocabulary);
        foreach (var pair in PromptGenerator.Generate("greater-than", tokenizer, 200, 1))
        {
            var year = Regex.Match(pair.CleanText!, "[0-9]{2}([0-9]{2}) ").Groups[1].Value;
            Assert.Contains("01 ", pair.CorruptedText, StringComparison.Ordinal);
            Assert.Contains(tokenizer.TokenId(year)!.Value, pair.Clean);
            Assert.Equal(year, tokenizer.Decode([pair.WrongAnswers[^1]]));
            Assert.Equal(100, pair.Answers.Length + pair.WrongAnswers.Length);
            Assert.All(pair.Answers, id => Assert.True(string.CompareOrdinal(tokenizer.Decode([id]), year) > 0));
            Assert.All(pair.WrongAnswers, id => Assert.True(string.CompareOrdinal(tokenizer.Decode([id]), year) <= 0));
        }
    }

    [Fact]
    public void Sva_answers_agree_with_the_subject()
    {
        var tokenizer = Tokenizers.Demo;
        int singular = tokenizer.SingleToken(" is")!.Value, plural = tokenizer.SingleToken(" are")!.Value;
        foreach (var pair in PromptGenerator.Generate("sva", tokenizer, 200, 1))
        {
            var isPlural = pair.Label!.EndsWith("number=plural", StringComparison.Ordinal);
            Assert.Contains(isPlural ? plural : singular, pair.Answers);
            Assert.Contains(isPlural ? singular : plural, pair.WrongAnswers);
        }
    }

    [Fact]
    public void Errors_say_what_is_missing()
    {
        Assert.Contains("from 1 to 1000000", Message("ioi", Tokenizers.Demo, 0), StringComparison.Ordinal);
        Assert.Contains("different prompt pairs", Message("gender-bias", Tokenizers.Demo, 100_000), StringComparison.Ordinal);

        // A vocabulary of bytes alone.
        using var directory = new TempFolder();
        directory.Write("vocab.json", "{" + string.Join(",",
            Enumerable.Range(0, 256).Select(i => $"\"\\u{(int)ByteAlphabet.ToCharacter((byte)i):x4}\": {i}")) + "}");
        directory.Write("merges.txt", "");
        var bytes = BpeTokenizer.Load(directory.Path);
        Assert.Contains("names", Message("ioi", bytes, 1), StringComparison.Ordinal);
        Assert.Contains("\"00\"", Message("greater-than", bytes, 1), StringComparison.Ordinal);
        Assert.Contains("nouns", Message("sva", bytes, 1), StringComparison.Ordinal);
        Assert.Contains("\" man\"", Message("gender-bias", bytes, 1), StringComparison.Ordinal);
        Assert.Contains("countries", Message("country-capital", bytes, 1), StringComparison.Ordinal);
        Assert.Contains("kinds", Message("hypernymy", bytes, 1), StringComparison.Ordinal);

        static string Message(string task, BpeTokenizer tokenizer, int count) =>
            Assert.Throws<GradpathException>(() => PromptGenerator.Generate(task, tokenizer, count, 0)).Message;
    }

    private static string Text(int[] ids) => Tokenizers.Demo.Decode(ids);

    private static int Count(string text, string name) => Regex.Count(text, name + @"\b");
}
