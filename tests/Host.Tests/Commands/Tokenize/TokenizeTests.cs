using System.Text.Json;

namespace Gradpath.Host.Tests;

public sealed class TokenizeTests
{
    [Fact]
    public void Golden_lines_are_reproduced()
    {
        string vocabulary = RepositoryFiles.Data("tokenizer-gpt2");
        using JsonDocument golden = JsonDocument.Parse(File.ReadAllText(RepositoryFiles.Data("goldens/tokenizer-gpt2.json")));
        List<string> lines = [], expected = [];
        foreach ((string text, string ids) in GoldenCases(golden.RootElement))
        {
            lines.Add(JsonSerializer.Serialize(text));
            expected.Add(ids);
        }
        Assert.NotEmpty(expected);
        Cli run = Cli.RunWith(string.Join('\n', lines) + "\n", default, "tokenize", "--model", vocabulary).Succeeds();
        Assert.Equal(expected, run.Out.TrimEnd('\n').Split('\n'));
        foreach (string line in run.Out.TrimEnd('\n').Split('\n')) Assert.NotNull(JsonSerializer.Deserialize<int[]>(line));
    }

    [Theory]
    [InlineData("\"fine\"\nnot json\n", "line 2", "not json")]
    [InlineData("42\n", "line 1", "42")]
    [InlineData("null\n", "line 1", "null")]
    [InlineData("\"a\"\n\n", "line 2")]
    [InlineData("[\"a\"]\n", "line 1")]
    public void A_line_that_is_no_json_string_is_named(string input, params string[] mentions) =>
        Cli.RunWith(input, default, "tokenize", "--model", RepositoryFiles.Data("tokenizer-gpt2")).Fails(1, mentions);

    [Fact]
    public void Nothing_in_nothing_out() =>
        Assert.Equal("", Cli.RunWith("", default, "tokenize", "--model", RepositoryFiles.Data("tokenizer-gpt2")).Succeeds().Out);

    [Fact]
    public void Special_token_in_a_text_is_one_token()
    {
        Cli run = Cli.RunWith("\"<|endoftext|>When\"\n", default, "tokenize", "--model", "demo").Succeeds();
        Assert.Equal("[2542, 568]\n", run.Out);
    }

    [Fact]
    public void A_long_line_is_quoted_in_part()
    {
        Cli run = Cli.RunWith(new string('x', 5000), default, "tokenize", "--model", "demo");
        run.Fails(1, "line 1", "xxx...\" is no JSON string");
        Assert.InRange(run.Error.Length, 1, 300);
    }

    private static IEnumerable<(string Text, string Ids)> GoldenCases(JsonElement root)
    {
        foreach (JsonElement item in root.EnumerateArray())
        {
            string text = item.GetProperty("text").GetString()!;
            IEnumerable<int> ids = item.GetProperty("ids").EnumerateArray().Select(e => e.GetInt32());

            // The goldens take the special token, seven tokens of letters, as ordinary text.
            if (text.StartsWith("<|endoftext|>", StringComparison.Ordinal)) ids = ids.Skip(7).Prepend(50256);
            yield return (text, $"[{string.Join(", ", ids)}]");
        }
    }
}
