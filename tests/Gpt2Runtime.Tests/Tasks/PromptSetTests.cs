using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Gpt2Runtime.Tests.Tokenization;

namespace Gradpath.Gpt2Runtime.Tests.Tasks;

public sealed class PromptSetTests
{
    private static readonly PromptPair Pair = new([1, 2], [1, 3], [4], [5]);

    [Fact]
    public void A_set_of_a_programs_own_pairs_has_the_hash_of_their_ids()
    {
        PromptSet set = PromptSet.Of([Pair], "mine", BuiltInMetrics.KlDivergence, "memory");
        Assert.Equal(("mine", BuiltInMetrics.KlDivergence, "memory", null), (set.Task, set.Metric, set.Source, set.Seed));
        Assert.Equal([Pair], set.Pairs);
        Assert.Equal(64, set.Hash.Length);
        Assert.Equal(set.Hash, PromptSet.Of([Pair with { }]).Hash);
        PromptPair[] others =
        [
            Pair with { Clean = [1, 9] }, Pair with { Corrupted = [1, 9] }, Pair with { Answers = [9] }, Pair with { WrongAnswers = [9] },
        ];
        foreach (PromptPair other in others)
            Assert.NotEqual(set.Hash, PromptSet.Of([other]).Hash);
        Assert.NotEqual(set.Hash, PromptSet.Of([Pair, Pair]).Hash);
    }

    [Fact]
    public void The_list_is_copied_and_must_hold_no_null()
    {
        List<PromptPair> pairs = [Pair];
        PromptSet set = PromptSet.Of(pairs);
        pairs.Add(Pair);
        Assert.Single(set.Pairs);
        Assert.Equal("pairs", Assert.Throws<ArgumentException>(() => PromptSet.Of([Pair, null!])).ParamName);
    }

    [Fact]
    public void Texts_become_what_a_file_of_them_becomes()
    {
        using TempFolder folder = new();
        TextPair[] texts =
        [
            new("The boy", "The boys") { Answers = [" is"], WrongAnswers = [" are"], Id = "first", Label = "singular" },
            new("Said \"The boys", "Said \"The boy") { Answers = [" are"], WrongAnswers = [" is"] },
        ];
        File.WriteAllText(folder["pairs.jsonl"], """
            {"id": "first", "label": "singular", "clean": "The boy", "corrupted": "The boys", "answers": [" is"], "wrong_answers": [" are"]}
            {"clean": "Said \"The boys", "corrupted": "Said \"The boy", "answers": [" are"], "wrong_answers": [" is"]}
            """);
        PromptSet expected = PromptLoader.Load(null, folder["pairs.jsonl"], Tokenizers.Demo, new PromptOptions());
        PromptSet set = PromptSet.OfTexts(texts, Tokenizers.Demo, name: "mine");
        Assert.Equal(Written(expected), Written(set));
        Assert.Equal(("mine", Tokenizers.Demo.BeginToken), (set.Task, set.BeginToken));
        Assert.Equal(["The boy", "Said \"The boys"], set.Pairs.Select(p => p.CleanText));
        Assert.Equal(set.Hash, PromptSet.OfTexts(texts, Tokenizers.Demo).Hash);
        Assert.NotEqual(set.Hash, PromptSet.OfTexts(texts[..1], Tokenizers.Demo).Hash);
    }

    [Fact]
    public void A_text_that_is_unfit_is_named_by_its_number()
    {
        TextPair fit = new("The boy", "The boys") { Answers = [" is"], WrongAnswers = [" are"] };
        var error = Assert.Throws<GradpathException>(() => PromptSet.OfTexts([fit, fit with { Corrupted = "Boys" }], Tokenizers.Demo));
        Assert.Contains("texts, line 2: clean and corrupted must have the same number of tokens", error.Message, StringComparison.Ordinal);
        Assert.Equal("pairs", Assert.Throws<ArgumentException>(() => PromptSet.OfTexts([fit, null!], Tokenizers.Demo)).ParamName);
        Assert.Throws<GradpathException>(() => PromptSet.OfTexts([], Tokenizers.Demo));
    }

    private static string Written(PromptSet set)
    {
        using MemoryStream stream = new();
        PromptWriter.Write(stream, set.Pairs, null);
        return System.Text.Encoding.UTF8.GetString(stream.ToArray());
    }
}
