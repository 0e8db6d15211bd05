using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Tokenization;

namespace Gradpath.Gpt2Runtime.Tests.Tokenization;

/// <summary>What added tokens do to a text. Every expectation is what Hugging Face's tokenizers 0.22.2 gives.</summary>
public sealed class AddedTokenTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("no token < a>", "no token < a>")]
    [InlineData("<a>", "[256]")]
    [InlineData("z<a>y<a>", "z[256]y[256]")]
    [InlineData("<a><a><b><b>", "[256][257]<b>")] // the longest that begins at a place
    [InlineData(" \n<l> x", "[258] x")] // takes the white space on its left
    [InlineData("a <r> \t\nz<r>", "a [259]z[259]")] // and on its right
    [InlineData("<r>  <l>", "[259][258]")] // once
    [InlineData("<w> x <w>", "[260] x [260]")]
    [InlineData("z<w> <w>1 _<w> <w>é", "z<w> <w>1 _<w> <w>\u00c3\u00a9")] // not beside a letter, a digit or an underscore
    [InlineData("(<w>)", "([260])")]
    [InlineData("a<n>b", "a[261]b")]
    [InlineData("x<n>", "[262]n>")] // tokens that are not normalized come first, wherever they begin
    [InlineData("<w<a>", "<w[256]")]
    public void A_text_is_cut_at_added_tokens(string text, string expected)
    {
        using var directory = new TempFolder();
        Assert.Equal(expected, TokenizerFolder.Show(Load(directory, "{}").Encode(text)));
    }

    [Theory]
    [InlineData("a<a>b <a> <a>", " a[256] b [256] [256]")]
    [InlineData(" a", " a")]
    [InlineData("\ta", " \ta")]
    [InlineData("", "")]
    public void A_prefix_space_stands_before_every_piece_of_text(string text, string expected)
    {
        using var directory = new TempFolder();
        Assert.Equal(expected, TokenizerFolder.Show(Load(directory, """{"add_prefix_space": true}""").Encode(text)));
    }

    [Fact]
    public void Special_tokens_are_text_where_the_settings_split_them()
    {
        using var directory = new TempFolder();
        Assert.Equal("<a>", TokenizerFolder.Show(Load(directory, """{"split_special_tokens": true}""").Encode("<a>")));
    }

    [Fact]
    public void Added_tokens_are_tokens_like_others()
    {
        using var directory = new TempFolder();
        var tokenizer = Load(directory, "{}");
        Assert.Equal(263, tokenizer.VocabularySize);
        Assert.Equal(257, tokenizer.TokenId("<a><b>"));
        Assert.Equal(257, tokenizer.SingleToken("<a><b>"));
        Assert.Equal(258, tokenizer.SingleToken(" <l>"));
        Assert.Null(tokenizer.TokenId(" <l>"));
        Assert.Null(tokenizer.SingleToken("<a><a>"));
        Assert.Null(tokenizer.SingleToken("a<a>"));
        Assert.Equal('a', tokenizer.SingleToken("a"));
        Assert.Equal("z<a>é<r>", tokenizer.Decode(tokenizer.Encode("z<a>é<r>")));
    }

    [Fact]
    public void The_text_of_an_added_token_is_not_read_as_bytes()
    {
        using var directory = new TempFolder();
        directory.Write("added_tokens.json", """{"éé": 256, "a b": 257, "Ġ中": 258}""");
        var tokenizer = TokenizerFolder.Write(directory, TokenizerFolder.Bytes(), []);
        Assert.Equal([256, 257, 258], tokenizer.Encode("ééa bĠ中"));
        Assert.Equal("ééa bĠ中", tokenizer.Decode([256, 257, 258]));
    }

    [Theory]
    [InlineData("added_tokens.json", """{"<x>": 256}""")]
    [InlineData("tokenizer_config.json", """{"added_tokens_decoder": {"256": {"content": "<x>"}}}""")]
    [InlineData("tokenizer_config.json", """{"pad_token": "<x>"}""")]
    [InlineData("tokenizer_config.json", """{"pad_token": {"__type": "AddedToken", "content": "<x>", "lstrip": false}}""")]
    [InlineData("tokenizer_config.json", """{"extra_special_tokens": {"image": "<x>"}}""")]
    [InlineData("special_tokens_map.json", """{"additional_special_tokens": ["<x>"]}""")]
    [InlineData("special_tokens_map.json", """{"sep_token": {"content": "<x>"}}""")]
    public void Each_file_can_add_a_token(string file, string content)
    {
        using var directory = new TempFolder();
        directory.Write(file, content);
        Assert.Equal([256, 'y'], TokenizerFolder.Write(directory, TokenizerFolder.Bytes(), []).Encode("<x>y"));
    }

    [Fact]
    public void A_listed_token_keeps_its_flags_and_older_files_do_not_count_beside_the_list()
    {
        using var directory = new TempFolder();
        const string Config = """{"added_tokens_decoder": {"256": {"content": "<x>", "lstrip": true}}, "pad_token": "<x>"}""";
        directory.Write("tokenizer_config.json", Config);
        directory.Write("added_tokens.json", """{"<y>": 257}""");
        directory.Write("special_tokens_map.json", """{"pad_token": {"content": "<x>", "rstrip": true}, "sep_token": "<z>"}""");
        var tokenizer = TokenizerFolder.Write(directory, TokenizerFolder.Bytes(), []);
        Assert.Equal("[256] <y><z>", TokenizerFolder.Show(tokenizer.Encode(" <x> <y><z>")));
    }

    [Theory]
    [InlineData("added_tokens.json", """{"<x>": 65}""", "\"<x>\" has id 65, which is that of \"A\"")]
    [InlineData("added_tokens.json", """{"A": 256}""", "the id of \"A\" is 256, but 65 in ")]
    [InlineData("added_tokens.json", """{"<x>": 256, "<y>": 256}""", "\"<y>\" has id 256, which is that of \"<x>\"")]
    [InlineData("added_tokens.json", """{"<x>": 99999999}""", "far beyond a vocabulary of 256 tokens")]
    [InlineData("added_tokens.json", """{"<x>": 1e400}""", "1e400; an integer from 0 is needed")]
    [InlineData("added_tokens.json", """{"<x>": -1}""", "-1; an integer from 0 is needed")]
    [InlineData("added_tokens.json", "[]", "a JSON array")]
    [InlineData("added_tokens.json", "{\n\"\\ud800\": 256}", "line 2: a text is not valid Unicode")]
    [InlineData("tokenizer_config.json", """{"added_tokens_decoder": {"x": {"content": "<x>"}}}""", "id \"x\": is no id")]
    [InlineData("tokenizer_config.json", """{"added_tokens_decoder": {"99999999999": {"content": "<x>"}}}""", "is no id")]
    [InlineData("tokenizer_config.json", """{"added_tokens_decoder": {"256": {"id": 1}}}""", "has no content")]
    [InlineData("tokenizer_config.json", """{"added_tokens_decoder": {"1": {"content": "x", "lstrip": 1}}}""", "lstrip is 1; true or")]
    [InlineData("tokenizer_config.json", """{"bos_token": 7}""", "bos_token: is 7")]
    [InlineData("tokenizer_config.json", """{"add_prefix_space": "yes"}""", "add_prefix_space is \"yes\"; true or false")]
    [InlineData("tokenizer_config.json", """{"additional_special_tokens": "<x>"}""", "a list of tokens is needed")]
    [InlineData("tokenizer_config.json", """{"tokenizer_class": "BertTokenizer"}""", "tokenizer_class is \"BertTokenizer\"; only GPT-2's")]
    [InlineData("tokenizer_config.json", "{", "line 1: not valid JSON")]
    [InlineData("special_tokens_map.json", "version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "is a Git LFS pointer")]
    [InlineData("config.json", """{"bos_token_id": "x"}""", "bos_token_id is \"x\"; a whole number is needed")]
    public void A_file_that_cannot_be_meant_is_refused_by_name(string file, string content, string expected)
    {
        using var directory = new TempFolder();
        directory.Write(file, content);
        var error = Assert.Throws<GradpathException>(() => TokenizerFolder.Write(directory, TokenizerFolder.Bytes(), []));
        Assert.StartsWith(Path.Combine(directory.Path, file), error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    private static BpeTokenizer Load(TempFolder directory, string config)
    {
        var json = TokenizerFolder.Json(TokenizerFolder.Bytes(), []);
        json["added_tokens"] = new JsonArray(
            TokenizerFolder.Added(256, "<a>"),
            TokenizerFolder.Added(257, "<a><b>"),
            TokenizerFolder.Added(258, "<l>", "lstrip"),
            TokenizerFolder.Added(259, "<r>", "rstrip"),
            TokenizerFolder.Added(260, "<w>", "single_word"),
            TokenizerFolder.Added(261, "<n>", "normalized"),
            TokenizerFolder.Added(262, "x<"));
        directory.Write("tokenizer.json", json.ToJsonString());
        directory.Write("tokenizer_config.json", config);
        return BpeTokenizer.Load(directory.Path);
    }
}
