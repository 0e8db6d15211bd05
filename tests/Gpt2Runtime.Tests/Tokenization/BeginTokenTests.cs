using Gradpath.Gpt2Runtime.Tokenization;

namespace Gradpath.Gpt2Runtime.Tests.Tokenization;

public sealed class BeginTokenTests
{
    private const string EndOfText = "<|endoftext|>";

    private static readonly (string, string) Named = ("tokenizer_config.json", """{"bos_token": "<s>"}""");

    [Fact]
    public void Gpt2s_own_is_the_default_where_it_is_a_token()
    {
        Assert.Equal(new BeginToken(256, EndOfText), Load().BeginToken);
        Assert.Equal("GPT-2's own; no file names another", Load().BeginTokenSource);
        Assert.Null(LoadWithout().BeginToken);
    }

    [Theory]
    [InlineData("tokenizer_config.json", """{"bos_token": "<s>"}""", "named by tokenizer_config.json")]
    [InlineData("tokenizer_config.json", """{"bos_token": {"content": "<s>"}}""", "named by tokenizer_config.json")]
    [InlineData("special_tokens_map.json", """{"bos_token": "<s>"}""", "named by special_tokens_map.json")]
    public void A_tokenizer_file_names_another(string file, string content, string source)
    {
        var tokenizer = Load((file, content), ("added_tokens.json", """{"<s>": 257}"""));
        Assert.Equal(new BeginToken(257, "<s>"), tokenizer.BeginToken);
        Assert.Equal(source, tokenizer.BeginTokenSource);
        Assert.Empty(tokenizer.Warnings);
    }

    [Fact]
    public void A_name_that_no_file_gives_an_id_gets_the_next_one()
    {
        Assert.Equal(new BeginToken(257, "<s>"), Load(Named).BeginToken);
        Assert.Equal(259, Load(Named, ("added_tokens.json", """{"<x>": 258}""")).BeginToken!.Id);
    }

    [Fact]
    public void The_older_map_wins_over_the_settings_unless_they_list_the_added_tokens()
    {
        (string, string) map = ("special_tokens_map.json", """{"bos_token": "<map>"}""");
        var older = Load(map, ("tokenizer_config.json", """{"bos_token": "<config>"}"""));
        Assert.Equal("<map>", older.BeginToken!.Text);
        const string Warning = "names \"<config>\" as begin token, special_tokens_map.json \"<map>\"; the latter is taken";
        Assert.Contains(Warning, Assert.Single(older.Warnings), StringComparison.Ordinal);

        const string Listing = """{"bos_token": "<config>", "added_tokens_decoder": {"257": {"content": "<config>", "special": true}}}""";
        var listed = Load(map, ("tokenizer_config.json", Listing));
        Assert.Equal(new BeginToken(257, "<config>"), listed.BeginToken);
        Assert.Empty(listed.Warnings);
    }

    [Fact]
    public void The_models_own_statement_counts_where_no_token_is_found_otherwise()
    {
        var tokenizer = LoadWithout(("config.json", """{"bos_token_id": 65}"""));
        Assert.Equal(new BeginToken(65, "A"), tokenizer.BeginToken);
        Assert.Equal("bos_token_id of config.json", tokenizer.BeginTokenSource);
        Assert.Empty(tokenizer.Warnings);
        Assert.Null(LoadWithout(("config.json", """{"bos_token_id": 50256}""")).BeginToken);
        var none = Load(("tokenizer_config.json", """{"bos_token": null}"""), ("config.json", """{"bos_token_id": 65}"""));
        Assert.Equal(65, none.BeginToken!.Id);
        Assert.Equal(256, Load(("config.json", """{"bos_token_id": 256}""")).BeginToken!.Id);
    }

    [Theory]
    [InlineData(65, "bos_token_id is 65 (\"A\"), but the begin token is \"<s>\" (257), named by tokenizer_config.json; the")]
    [InlineData(50256, "bos_token_id is 50256 (no token of the vocabulary), but the begin token is \"<s>\" (257)")]
    [InlineData(-1, "bos_token_id is -1 (no token of the vocabulary)")]
    public void A_model_that_states_another_is_worth_a_warning(long id, string expected)
    {
        var tokenizer = Load(Named, ("config.json", $$"""{"bos_token_id": {{id}}}"""));
        Assert.Equal("<s>", tokenizer.BeginToken!.Text);
        Assert.Contains(expected, Assert.Single(tokenizer.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void A_named_begin_token_is_one_token_in_a_text_and_the_default_is_none_where_all_are_named_otherwise()
    {
        var named = Load(("tokenizer_config.json", """{"bos_token": "<s>", "eos_token": "<s>", "unk_token": "<s>"}"""));
        Assert.Equal([257], named.Encode("<s>"));
        Assert.Equal(EndOfText.Length, named.Encode(EndOfText).Length);
        Assert.Equal([256], Load(Named).Encode(EndOfText));
    }

    [Fact]
    public void Sizes_are_compared_with_the_models_embedding()
    {
        var tokenizer = Load();
        Assert.Null(tokenizer.SizeDifference(257));
        Assert.Equal(
            "the tokenizer has 257 ids, the model's embedding 320 rows: ids from 257 on have no text (padding)",
            tokenizer.SizeDifference(320));
        Assert.Equal(
            "the tokenizer has 257 ids, the model's embedding 256 rows: tokens with ids from 256 on cannot be used",
            tokenizer.SizeDifference(256));
    }

    private static BpeTokenizer Load(params (string Name, string Content)[] files) =>
        Write([.. TokenizerFolder.Bytes(), new(EndOfText, 256)], files);

    private static BpeTokenizer LoadWithout(params (string Name, string Content)[] files) => Write(TokenizerFolder.Bytes(), files);

    private static BpeTokenizer Write(IEnumerable<KeyValuePair<string, int>> ids, (string Name, string Content)[] files)
    {
        using var directory = new TempFolder();
        foreach (var (name, content) in files)
            directory.Write(name, content);
        return TokenizerFolder.Write(directory, ids.ToDictionary(), []);
    }
}
