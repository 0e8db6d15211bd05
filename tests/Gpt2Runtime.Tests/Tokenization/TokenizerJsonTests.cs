using System.Text.Json;
using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Tokenization;

namespace Gradpath.Gpt2Runtime.Tests.Tokenization;

public sealed class TokenizerJsonTests
{
    private static readonly Dictionary<string, int> Ids = new() { ["a"] = 3, ["b"] = 1, ["ab"] = 0, ["Ġ"] = 2, ["<|endoftext|>"] = 4 };

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_demo_vocabulary_in_one_file_gives_the_same_ids(bool pairs)
    {
        using var directory = new TempFolder();
        directory.Write("tokenizer.json", DemoJson(pairs).ToJsonString());
        var tokenizer = BpeTokenizer.Load(directory.Path);
        Assert.Equal("tokenizer.json", tokenizer.Files);
        Assert.Equal((Tokenizers.Demo.VocabularySize, Tokenizers.Demo.BeginToken), (tokenizer.VocabularySize, tokenizer.BeginToken));
        Assert.Empty(tokenizer.Warnings);
        var random = new Random(4);
        for (var i = 0; i < 1000; i++)
        {
            var text = RandomTexts.Next(random);
            Assert.Equal(Tokenizers.Demo.Encode(text), tokenizer.Encode(text));
        }
    }

    [Fact]
    public void Both_forms_of_a_vocabulary_that_agree_need_no_word()
    {
        using var directory = new TempFolder();
        foreach (var name in new[] { "vocab.json", "merges.txt" })
            directory.Write(name, File.ReadAllText(Path.Combine(RepositoryFiles.DemoModel, name)));
        Assert.Equal("vocab.json and merges.txt", BpeTokenizer.Load(directory.Path).Files);
        directory.Write("tokenizer.json", DemoJson(pairs: false).ToJsonString());
        Assert.Equal("tokenizer.json", BpeTokenizer.Load(directory.Path).Files);
        Assert.Empty(BpeTokenizer.Load(directory.Path).Warnings);
    }

    [Theory]
    [InlineData("""{"a": 3, "b": 1, "ab": 2, "Ġ": 0}""", "a b\n", "the id of \"ab\" is 2 in vocab.json and 0 in tokenizer.json")]
    [InlineData("""{"a": 3, "x": 1}""", "", "\"x\" is a token of vocab.json and none of tokenizer.json")]
    [InlineData("""{"a": 3, "b": 1, "ab": 0, "Ġ": 2}""", "", "vocab.json has 4 tokens, tokenizer.json 5")]
    [InlineData("""{"a": 3, "b": 1, "ab": 0, "Ġ": 2, "<|endoftext|>": 4}""", "", "merges.txt has 0 merges, tokenizer.json 1")]
    [InlineData("""{"a": 3, "b": 1, "ab": 0, "Ġ": 2, "<|endoftext|>": 4}""", "b a\n", "merge 0 is \"b a\" in merges.txt and \"a b\" in")]
    [InlineData("version https://git-lfs.github.com/spec/v1\n", "a b\n", "vocab.json: is a Git LFS pointer")]
    public void Where_both_forms_disagree_the_one_file_is_taken_and_said(string vocabulary, string merges, string expected)
    {
        using var directory = new TempFolder();
        directory.Write("vocab.json", vocabulary);
        directory.Write("merges.txt", merges);
        directory.Write("tokenizer.json", TokenizerFolder.Json(Ids, ["a b"]).ToJsonString());
        var tokenizer = BpeTokenizer.Load(directory.Path);
        Assert.Equal([0, 3], tokenizer.Encode("aba"));
        var warning = Assert.Single(tokenizer.Warnings);
        Assert.Contains(expected, warning, StringComparison.Ordinal);
        Assert.EndsWith("; tokenizer.json is taken, as Hugging Face's tokenizer does", warning, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("true", null, "2,0", true)]
    [InlineData("true", "false", "0", false)]
    [InlineData("false", "true", "2,0", false)]
    [InlineData("false", null, "0", false)]
    public void Prefix_space_is_what_the_settings_say_and_else_what_the_file_says(
        string file, string? settings, string expected, bool warns)
    {
        using var directory = new TempFolder();
        directory.Write("tokenizer.json", Changed("pre_tokenizer.add_prefix_space", file));
        if (settings is not null)
            directory.Write("tokenizer_config.json", $$"""{"add_prefix_space": {{settings}}}""");
        var tokenizer = BpeTokenizer.Load(directory.Path);
        Assert.Equal(expected, string.Join(',', tokenizer.Encode("ab")));
        Assert.Equal(warns, tokenizer.Warnings.Any(warning => warning.Contains("add_prefix_space", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("normalizer", """{"type": "Sequence", "normalizers": []}""")]
    [InlineData("pre_tokenizer", """{"type": "Sequence", "pretokenizers": [{"type": "ByteLevel", "add_prefix_space": false}]}""")]
    [InlineData("model.dropout", "0.0")]
    [InlineData("model.type", "null")]
    [InlineData("model.ignore_merges", "false")]
    [InlineData("decoder", "null")]
    public void What_changes_no_token_is_read(string place, string value)
    {
        using var directory = new TempFolder();
        directory.Write("tokenizer.json", Changed(place, value));
        Assert.Equal([0, 2, 0], BpeTokenizer.Load(directory.Path).Encode("ab ab"));
    }

    [Theory]
    [InlineData("normalizer", """{"type": "NFC"}""", "has a normalizer (NFC)")]
    [InlineData("normalizer", """{"type": "Sequence", "normalizers": [{"type": "Lowercase"}]}""", "has a normalizer (Sequence)")]
    [InlineData("normalizer", "7", "has a normalizer (7)")]
    [InlineData("pre_tokenizer", "null", "has no pre_tokenizer")]
    [InlineData("pre_tokenizer", """{"type": "Whitespace"}""", "pre_tokenizer is of type Whitespace; only ByteLevel")]
    [InlineData("pre_tokenizer", """{"type": "Sequence", "pretokenizers": [{"type": "Digits"}, {"type": "x"}]}""", "is of type Sequence")]
    [InlineData("pre_tokenizer", """{"add_prefix_space": true}""", "pre_tokenizer is of type none stated")]
    [InlineData("pre_tokenizer.use_regex", "false", "use_regex is false")]
    [InlineData("pre_tokenizer.add_prefix_space", "1", "add_prefix_space is 1; true or false is needed")]
    [InlineData("model", "null", "has no model")]
    [InlineData("model.type", "\"WordPiece\"", "model is of type WordPiece; only BPE")]
    [InlineData("model.vocab", "[[\"a\", -1.5]]", "a JSON object from token to id is needed, not a JSON array")]
    [InlineData("model.vocab", "null", "has no vocab")]
    [InlineData("model.vocab", "{}", "the vocabulary is empty")]
    [InlineData("model.vocab", """{"a": 0, "b": 0}""", "\"a\" and \"b\" have the same id 0")]
    [InlineData("model.vocab", """{"a": 2147483648}""", "the id of \"a\" is 2147483648; an integer from 0")]
    [InlineData("model.vocab", """{"a": 2147483647}""", "the id of \"a\" is 2147483647, far beyond a vocabulary of 1 tokens")]
    [InlineData("model.vocab", """{"a": {}}""", "the id of \"a\" is a JSON object")]
    [InlineData("model.vocab", """{"\udc00": 0}""", "a text is not valid Unicode")]
    [InlineData("model.merges", "null", "has no merges")]
    [InlineData("model.merges", "{}", "model.merges is a JSON object; an array")]
    [InlineData("model.merges", "[\"a b\", \"a b\"]", "merge 1: the merge \"a b\" appears twice")]
    [InlineData("model.merges", "[[\"a\", \"b\"], \"a b\"]", "merge 1: the merge \"a b\" appears twice")]
    [InlineData("model.merges", "[\"ab\"]", "merge 0: \"ab\" is no merge")]
    [InlineData("model.merges", "[\"a x\"]", "merge 0: \"x\" is not a token of")]
    [InlineData("model.merges", "[\"b a\"]", "merge 0: \"ba\" is not a token of")]
    [InlineData("model.merges", "[[\"a\"]]", "merge 0: a string of two tokens")]
    [InlineData("model.merges", "[[\"a\", \"b\", \"a\"]]", "merge 0: a string of two tokens")]
    [InlineData("model.merges", "[[\"a\", 1]]", "merge 0: a string of two tokens")]
    [InlineData("model.merges", "[7]", "merge 0: a string of two tokens")]
    [InlineData("model.dropout", "0.1", "dropout is 0.1")]
    [InlineData("model.byte_fallback", "true", "byte_fallback is true")]
    [InlineData("model.ignore_merges", "true", "ignore_merges is true")]
    [InlineData("model.continuing_subword_prefix", "\"##\"", "continuing_subword_prefix is \"##\"")]
    [InlineData("model.end_of_word_suffix", "\"</w>\"", "end_of_word_suffix is \"</w>\"")]
    [InlineData("added_tokens", "{}", "added_tokens is a JSON object")]
    [InlineData("added_tokens", "[7]", "added token 0: is 7")]
    [InlineData("added_tokens", "[{\"id\": 9}]", "added token 0: has no content")]
    [InlineData("added_tokens", "[{\"content\": \"<x>\"}]", "added token 0: has no id")]
    [InlineData("added_tokens", "[{\"content\": \"<x>\", \"id\": 3}]", "\"<x>\" has id 3, which is that of \"a\"")]
    public void What_is_not_GPT2s_kind_is_refused_by_name(string place, string value, string expected)
    {
        using var directory = new TempFolder();
        var path = directory.Write("tokenizer.json", Changed(place, value));
        var error = Assert.Throws<GradpathException>(() => BpeTokenizer.Load(directory.Path));
        Assert.StartsWith(path, error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "line 1: not valid JSON")]
    [InlineData("[]", "a JSON object is needed, not a JSON array")]
    [InlineData("{\"model\":\n{\"type\" \"BPE\"}}", "line 2: not valid JSON")]
    [InlineData("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", "is a Git LFS pointer, not the file itself")]
    public void What_is_no_json_is_refused_by_line(string content, string expected)
    {
        using var directory = new TempFolder();
        directory.Write("tokenizer.json", content);
        var error = Assert.Throws<GradpathException>(() => BpeTokenizer.Load(directory.Path));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    private static JsonObject DemoJson(bool pairs)
    {
        var demo = RepositoryFiles.DemoModel;
        var json = TokenizerFolder.Json(
            JsonSerializer.Deserialize<Dictionary<string, int>>(File.ReadAllBytes(Path.Combine(demo, "vocab.json")))!,
            File.ReadLines(Path.Combine(demo, "merges.txt")).Skip(1).Where(line => line.Length > 0),
            pairs);
        json["added_tokens"] = new JsonArray(TokenizerFolder.Added(2542, "<|endoftext|>"));
        return json;
    }

    // The small tokenizer.json with one value replaced. The value is put in as text: the platform's JSON objects refuse bad Unicode.
    private static string Changed(string place, string value)
    {
        const string Mark = "\"the value\"";
        var json = TokenizerFolder.Json(Ids, ["a b"]);
        var path = place.Split('.');
        JsonNode parent = json;
        foreach (var name in path[..^1])
            parent = parent[name]!;
        parent[path[^1]] = "the value";
        return json.ToJsonString().Replace(Mark, value, StringComparison.Ordinal);
    }
}
