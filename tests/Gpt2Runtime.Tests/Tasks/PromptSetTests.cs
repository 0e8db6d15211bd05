using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Tasks;

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
}
