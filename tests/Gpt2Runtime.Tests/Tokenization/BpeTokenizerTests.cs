using System.Text.Json;
using Gradpath.Gpt2Runtime.Tokenization;

namespace Gradpath.Gpt2Runtime.Tests.Tokenization;

public sealed class BpeTokenizerTests
{
    [Fact]
    public void Gpt2_encodes_and_decodes_every_golden_text()
    {
        using var goldens = JsonDocument.Parse(File.ReadAllBytes(RepositoryFiles.Data("goldens/tokenizer-gpt2.json")));
        Assert.NotEqual(0, goldens.RootElement.GetArrayLength());
        foreach (var golden in goldens.RootElement.EnumerateArray())
        {
            var text = golden.GetProperty("text").GetString()!;
            var ids = golden.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32()).ToArray();
            Assert.Equal(text, Tokenizers.Gpt2.Decode(ids));

            // The goldens take the special token as ordinary text.
            if (text.StartsWith("<|endoftext|>", StringComparison.Ordinal))
                ids = [50256, .. ids[7..]];
            Assert.Equal(ids, Tokenizers.Gpt2.Encode(text));
        }
    }

    [Fact]
    public void Gpt2_has_its_size_and_special_token()
    {
        Assert.Equal(50257, Tokenizers.Gpt2.VocabularySize);
        Assert.Equal(new BeginToken(50256, "<|endoftext|>"), Tokenizers.Gpt2.BeginToken);
        Assert.Equal(220, Tokenizers.Gpt2.TokenId(" "));
        Assert.Equal(36677, Tokenizers.Gpt2.TokenId(" Courtney"));
        Assert.Equal(12969, Tokenizers.Gpt2.SingleToken(" Crystal"));
        Assert.Null(Tokenizers.Gpt2.TokenId(" Mary had"));
        Assert.Null(Tokenizers.Gpt2.SingleToken(" Zambian"));
        Assert.Null(Tokenizers.Gpt2.SingleToken(""));
    }

    [Fact]
    public void Special_token_in_text_is_one_token()
    {
        var demo = Tokenizers.Demo;
        Assert.Equal([2542, .. demo.Encode("When")], demo.Encode("<|endoftext|>When"));
        Assert.Equal([.. demo.Encode("When "), 2542, 2542], demo.Encode("When <|endoftext|><|endoftext|>"));
        Assert.Equal(demo.Encode("<|").Length + demo.Encode("endoftext").Length, demo.Encode("<|endoftext").Length);
        Assert.Equal("<|endoftext|>When", demo.Decode(demo.Encode("<|endoftext|>When")));
    }

    [Fact]
    public void Lone_surrogates_count_as_the_replacement_character()
    {
        Assert.Equal(Tokenizers.Gpt2.Encode("a\uFFFDb"), Tokenizers.Gpt2.Encode("a\uD83Db"));
        Assert.Equal(Tokenizers.Gpt2.Encode("\uFFFD"), Tokenizers.Gpt2.Encode("\uDC00"));
    }

    [Fact]
    public void Any_text_comes_back_from_its_tokens()
    {
        var random = new Random(1);
        var alphabet = new[] { "a", "Mary", " ", "  ", "\n", "\t", "'s", "'ll", "17", "é", "中", "🚀", "𝒜", "\u0085", "\u001c",
            "\u3000", ".", "!?" };
        for (var i = 0; i < 500; i++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(20)).Select(_ => alphabet[random.Next(alphabet.Length)]));
            Assert.Equal(text, Tokenizers.Demo.Decode(Tokenizers.Demo.Encode(text)));
        }
    }

    [Fact]
    public void Merges_the_best_rank_first_and_the_leftmost_of_equals()
    {
        using var directory = new TempFolder();
        directory.Write("vocab.json", """{"a": 0, "b": 1, "aa": 2, "ab": 3, "Ġ": 4}""");
        directory.Write("merges.txt", "#version: 0.2\na b\na a\n");
        var tokenizer = BpeTokenizer.Load(directory.Path);
        Assert.Equal([2, 0], tokenizer.Encode("aaa"));
        Assert.Equal([2, 2, 3], tokenizer.Encode("aaaaab"));
        Assert.Equal([0, 3, 4], tokenizer.Encode("aab "));
        Assert.Null(tokenizer.BeginToken);
        Assert.Equal(5, tokenizer.VocabularySize);
        Assert.Contains(
            "no token for byte 99", Assert.Throws<GradpathException>(() => tokenizer.Encode("abc")).Message, StringComparison.Ordinal);
        Assert.Contains("id 5", Assert.Throws<GradpathException>(() => tokenizer.Decode([5])).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, "", "vocab.json is missing")]
    [InlineData("{}", null, "merges.txt is missing")]
    [InlineData("{}", "", "empty")]
    [InlineData("[]", "", "object")]
    [InlineData("{\"a\": 0,\n\"b\": x}", "", "line 2")]
    [InlineData("{\"a\": 0, \"a\": 1}", "", "twice")]
    [InlineData("{\"a\": 0, \"b\": 0}", "", "same id 0")]
    [InlineData("{\"a\": -1}", "", "-1")]
    [InlineData("{\"a\": 1.5}", "", "1.5")]
    [InlineData("{\"a\": 0, \"b\": 1}", "#version: 0.2\na b\n", "line 2: \"ab\" is not a token")]
    [InlineData("{\"a\": 0, \"aa\": 1}", "a a\na a\n", "line 2")]
    [InlineData("{\"a\": 0, \"aa\": 1}", "a\n", "line 1")]
    [InlineData("{\"a\": 0, \"aa\": 1}", "a a a\n", "line 1")]
    public void Bad_vocabulary_files_are_named(string? vocabulary, string? merges, string expected)
    {
        using var directory = new TempFolder();
        if (vocabulary is not null)
            directory.Write("vocab.json", vocabulary);
        if (merges is not null)
            directory.Write("merges.txt", merges);
        var error = Assert.Throws<GradpathException>(() => BpeTokenizer.Load(directory.Path));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.Contains(directory.Path, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Merges_that_are_cut_off_are_named_and_not_the_vocabulary()
    {
        using var directory = new TempFolder();
        foreach (var name in new[] { "vocab.json", "merges.txt" })
            File.Copy(Path.Combine(RepositoryFiles.DemoModel, name), directory[name]);
        var lines = File.ReadAllLines(directory["merges.txt"]);
        File.WriteAllLines(directory["merges.txt"], lines[..(lines.Length / 2)]);
        var error = Assert.Throws<GradpathException>(() => BpeTokenizer.Load(directory.Path));
        Assert.StartsWith($"{directory["merges.txt"]}: ends at line {lines.Length / 2}, and ", error.Message, StringComparison.Ordinal);
        Assert.Contains("come from no merge", error.Message, StringComparison.Ordinal);
        Assert.EndsWith("the file is cut off, or belongs to another vocabulary", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(new byte[] { 0xFF, 0xFE, (byte)'a', 0, 0 }, "line 1: not UTF-16")]
    [InlineData(new byte[] { (byte)'a', (byte)' ', (byte)'b', (byte)'\n', 0xC3 }, "line 2: not UTF-8 (byte 0xC3)")]
    [InlineData(new byte[] { (byte)'a', (byte)'b', 0, (byte)'b' }, "line 1: a zero byte")]
    public void Merges_that_are_no_text_are_refused_with_the_line(byte[] bytes, string message)
    {
        using var directory = new TempFolder();
        File.Copy(Path.Combine(RepositoryFiles.DemoModel, "vocab.json"), directory["vocab.json"]);
        File.WriteAllBytes(directory["merges.txt"], bytes);
        var error = Assert.Throws<GradpathException>(() => BpeTokenizer.Load(directory.Path));
        Assert.StartsWith($"{directory["merges.txt"]}, {message}", error.Message, StringComparison.Ordinal);
    }
}
