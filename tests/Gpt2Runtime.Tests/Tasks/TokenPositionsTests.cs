using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Tests.Tasks;

public sealed class TokenPositionsTests
{
    private static readonly PromptPair s_pair = new([5, 6, 7, 8], [5, 6, 7, 9], [1], [2], Id: "a")
    {
        KeyPositions = new Dictionary<string, int> { ["S1"] = 1, ["S1+1"] = 2 },
    };

    [Theory]
    [InlineData("all", "0123")]
    [InlineData("END", "3")]
    [InlineData("0", "0")]
    [InlineData("-1", "3")]
    [InlineData("-4", "0")]
    [InlineData("s1+1", "2")]
    [InlineData("S1, end,0", "013")]
    [InlineData("1,all", "0123")]
    public void Positions_are_found(string text, string expected) =>
        Assert.Equal(expected, string.Concat(TokenPositions.Parse(text).Of(s_pair, 1).Select((chosen, i) => chosen ? $"{i}" : "")));

    [Theory]
    [InlineData("4", "prompt pair 3 (a)", "4 tokens", "-4 to 3")]
    [InlineData("-5", "no position -5")]
    [InlineData("S3", "'S3'", "S1, S1+1", "all, end and numbers")]
    public void A_position_that_a_prompt_lacks_is_named_with_those_it_has(string text, params string[] mentions)
    {
        GradpathException error = Assert.Throws<GradpathException>(() => TokenPositions.Parse(text).Of(s_pair, 3));
        Assert.All(mentions, m => Assert.Contains(m, error.Message, StringComparison.Ordinal));
        Assert.Contains("name none", Assert.Throws<GradpathException>(() =>
            TokenPositions.Parse("S2").Of(new PromptPair([1], [1], [1], [1]), 1)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("1,,2")]
    public void A_text_that_names_nothing_is_refused(string text) => Assert.Throws<GradpathException>(() => TokenPositions.Parse(text));

    [Fact]
    public void Equal_texts_are_equal_and_positions_can_be_joined()
    {
        Assert.Equal(TokenPositions.Parse("End"), TokenPositions.End);
        Assert.Equal(TokenPositions.All, TokenPositions.Or(TokenPositions.End, TokenPositions.All));
        Assert.Equal("end,S2", TokenPositions.Or(TokenPositions.End, TokenPositions.Parse("S2")).Text);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Generated_prompts_of_ioi_name_the_positions_of_their_names(bool prependBos)
    {
        foreach (PromptPair pair in PromptLoader.Load("ioi", null, Tokenizers.Demo,
            new PromptOptions { Limit = 200, PrependBos = prependBos }).Pairs)
        {
            IReadOnlyDictionary<string, int> at = pair.KeyPositions;
            Assert.Equal(["END", "IO", "S1", "S1+1", "S2"], at.Keys.Order(StringComparer.Ordinal));
            Assert.Equal(pair.Answers[0], pair.Clean[at["IO"]]);
            Assert.Equal(pair.WrongAnswers[0], pair.Clean[at["S1"]]);
            Assert.Equal(pair.WrongAnswers[0], pair.Clean[at["S2"]]);
            Assert.True(at["S1"] < at["S2"] && at["IO"] < at["S2"]);
            Assert.Equal((at["S1"] + 1, pair.Length - 1), (at["S1+1"], at["END"]));
            Assert.NotEqual(pair.Clean[at["S2"]], pair.Corrupted[at["S2"]]);
        }
    }
}
