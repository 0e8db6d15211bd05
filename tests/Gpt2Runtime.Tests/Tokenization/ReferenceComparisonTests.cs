using Gradpath.Gpt2Runtime.Tokenization;

namespace Gradpath.Gpt2Runtime.Tests.Tokenization;

public sealed class ReferenceComparisonTests
{
    [Theory]
    [InlineData(1, 20_000)]
    public void Demo_vocabulary_gives_the_ids_of_the_plain_definition(int seed, int count) =>
        Compare(Tokenizers.Demo, ReferenceBpe.Load(RepositoryFiles.DemoModel), seed, count);

    [Theory]
    [InlineData(2, 20_000)]
    public void Gpt2_gives_the_ids_of_the_plain_definition(int seed, int count) =>
        Compare(Tokenizers.Gpt2, ReferenceBpe.Load(RepositoryFiles.Data("tokenizer-gpt2")), seed, count);

    [Fact]
    public void Words_are_those_of_the_published_expression_for_every_character()
    {
        for (var value = 0; value < 0x110000; value++)
        {
            if (value is >= 0xD800 and <= 0xDFFF)
                continue;
            var text = $"a{char.ConvertFromUtf32(value)}{char.ConvertFromUtf32(value)} 1";
            var words = new List<string>();
            for (var rest = text; rest.Length > 0; rest = rest[words[^1].Length..])
                words.Add(rest[..WordSplitter.FirstWord(rest)]);
            Assert.True(ReferenceBpe.Words(text).SequenceEqual(words), $"U+{value:X4}");
        }
    }

    // Vocabularies that nobody trained: merges in any order, several ways to one token, ids in any order.
    [Fact]
    public void Any_merges_give_the_ids_of_the_plain_definition_in_short_words_and_long_ones()
    {
        var random = new Random(3);
        for (var round = 0; round < 60; round++)
        {
            var (ids, merges) = RandomVocabulary(random);
            using var directory = new TempFolder();
            var tokenizer = TokenizerFolder.Write(directory, ids, merges);
            var reference = new ReferenceBpe(ids, merges);
            for (var i = 0; i < 20; i++)
            {
                var word = string.Concat(Enumerable.Range(0, random.Next(1, 40)).Select(_ => "abc"[random.Next(3)]));
                Assert.Equal(reference.Encode(word), tokenizer.Encode(word));
            }

            // Beyond the length at which the library is not asked any more.
            var longWord = string.Concat(Enumerable.Range(0, 1001 + random.Next(300)).Select(_ => "abc"[random.Next(3)]));
            Assert.Equal(reference.Encode(longWord), tokenizer.Encode(longWord));
        }
    }

    [Fact]
    public void Long_words_give_the_ids_of_the_plain_definition()
    {
        var reference = ReferenceBpe.Load(RepositoryFiles.DemoModel);
        string[] words = [new('x', 2000), new('a', 1999), new(' ', 1500), Repeat("Mary", 400), Repeat("日本語é", 400)];
        foreach (var word in words)
            Assert.Equal(reference.Encode(word), Tokenizers.Demo.Encode(word));
    }

    [Fact]
    public void A_word_of_200_000_equal_letters_takes_no_time_to_speak_of()
    {
        var text = new string('x', 200_000);
        int[] ids = [];

        // A square of the length takes half a minute, this a tenth of a second.
        Patience.Within(5, () => ids = Tokenizers.Demo.Encode(text));
        Assert.Equal(text, Tokenizers.Demo.Decode(ids));
    }

    private static string Repeat(string text, int count) => string.Concat(Enumerable.Repeat(text, count));

    private static void Compare(BpeTokenizer tokenizer, ReferenceBpe reference, int seed, int count)
    {
        var random = new Random(seed);
        for (var i = 0; i < count; i++)
        {
            var text = RandomTexts.Next(random);
            var ids = tokenizer.Encode(text);
            Assert.True(reference.Encode(text).SequenceEqual(ids), $"seed {seed}, text {i}: {text}");
            Assert.Equal(text, tokenizer.Decode(ids));
        }
    }

    private static (Dictionary<string, int> Ids, string[] Merges) RandomVocabulary(Random random)
    {
        var tokens = new List<string> { "a", "b", "c" };
        var merges = new List<string>();
        for (var i = 0; i < 30; i++)
        {
            string left = tokens[random.Next(tokens.Count)], right = tokens[random.Next(tokens.Count)];
            if (left.Length + right.Length > 8 || merges.Contains($"{left} {right}"))
                continue;
            merges.Add($"{left} {right}");
            if (!tokens.Contains(left + right))
                tokens.Add(left + right);
        }

        var order = Enumerable.Range(0, tokens.Count).OrderBy(_ => random.Next()).ToArray();
        return (tokens.Zip(order).ToDictionary(pair => pair.First, pair => pair.Second), [.. merges.OrderBy(_ => random.Next())]);
    }
}
