using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Tests.Tasks;

/// <summary>Which pairs of a file or of a draw are taken, and the metric that a file names.</summary>
public sealed class PromptChoiceTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_first_are_left_out_and_the_rest_is_halved()
    {
        Assert.Equal([3, 4, 5, 6, 7, 8, 9], Taken(new() { Skip = 3 }));
        Assert.Equal([3, 4], Taken(new() { Skip = 3, Limit = 2 }));
        Assert.Equal([3, 4, 5], Taken(new() { Skip = 3, Split = PromptSplit.Train }));
        Assert.Equal([6, 7, 8, 9], Taken(new() { Skip = 3, Split = PromptSplit.Judge }));
        Assert.Equal([0, 1], Taken(new() { Limit = 4, Split = PromptSplit.Train }));
    }

    [Fact]
    public void A_sample_is_drawn_by_the_seed_and_keeps_the_order()
    {
        int[] sample = Taken(new() { Sample = 4, Seed = 1 });
        Assert.Equal(4, sample.Distinct().Count());
        Assert.Equal(sample.Order(), sample);
        Assert.Equal(sample, Taken(new() { Sample = 4, Seed = 1 }));
        Assert.Contains(Enumerable.Range(2, 9), seed => !Taken(new() { Sample = 4, Seed = (ulong)seed }).SequenceEqual(sample));
        Assert.Equal(sample[..2], Taken(new() { Sample = 4, Seed = 1, Limit = 2 }));
        Assert.All(Taken(new() { Sample = 4, Seed = 1, Skip = 5 }), place => Assert.InRange(place, 5, 9));
        Assert.Equal(Enumerable.Range(0, 10), Taken(new() { Sample = 10 }));
        int[] often = new int[10];
        for (ulong seed = 0; seed < 400; seed++)
        {
            foreach (int place in Taken(new() { Sample = 5, Seed = seed })) often[place]++;
        }
        Assert.All(often, n => Assert.InRange(n, 150, 250));
    }

    /// <summary>Two runs on other pairs of one file must not look the same in what results and progress files state.</summary>
    [Fact]
    public void The_source_says_what_was_taken()
    {
        string path = Pairs(10);
        string Source(PromptOptions options) => PromptLoader.Load(null, path, null, options).Source;
        Assert.Equal(path, Source(new() { Limit = 3 }));
        Assert.Equal($"{path}, without the first 2, 4 drawn with seed 7, judge half of 4 pairs",
            Source(new() { Skip = 2, Sample = 4, Seed = 7, Split = PromptSplit.Judge }));
    }

    [Theory]
    [InlineData(10, null, null, "Skip 10 leaves none of its 10 prompt pairs")]
    [InlineData(-1, null, null, "Skip -1: must be at least 0")]
    [InlineData(0, 11, null, "Sample 11: there are 10 prompt pairs to draw from")]
    [InlineData(4, 7, null, "Sample 7: there are 6 prompt pairs")]
    [InlineData(0, 0, null, "Sample 0: must be at least 1")]
    [InlineData(9, null, PromptSplit.Train, "there is one prompt pair, and Split needs one for each half")]
    public void Too_few_pairs_are_named(int skip, int? sample, PromptSplit? split, string expected)
    {
        string path = Pairs(10);
        string message = Assert.Throws<GradpathException>(
            () => PromptLoader.Load(null, path, null, new() { Skip = skip, Sample = sample, Split = split })).Message;
        Assert.Contains(expected, message, StringComparison.Ordinal);
    }

    [Fact]
    public void Generated_prompts_are_skipped_and_halved_too()
    {
        PromptSet Load(PromptOptions options) => PromptLoader.Load("ioi", null, Tokenizers.Demo, options);
        string?[] all = [.. Load(new() { Limit = 8 }).Pairs.Select(p => p.Id)];
        PromptSet later = Load(new() { Limit = 4, Skip = 4 });
        Assert.Equal(all[4..], later.Pairs.Select(p => p.Id));
        Assert.Equal("generated: ioi, count 8, seed 0, without the first 4", later.Source);
        PromptSet train = Load(new() { Limit = 8, Split = PromptSplit.Train });
        PromptSet judge = Load(new() { Limit = 8, Split = PromptSplit.Judge });
        Assert.Equal(all, train.Pairs.Concat(judge.Pairs).Select(p => p.Id));
        Assert.NotEqual(train.Hash, judge.Hash);
        Assert.Contains("Sample 3 draws from a file", Assert.Throws<GradpathException>(() => Load(new() { Sample = 3 })).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Rows_name_their_metric()
    {
        const string Row =
            """{"clean_ids": [1, 2], "corrupted_ids": [1, 3], "answer_ids": [4], "wrong_answer_ids": [5], "metric": "Prob_Diff"}""";
        PromptSet Load(string text, PromptOptions? options = null) =>
            PromptLoader.Load(null, _folder.Write("m.jsonl", text), null, options ?? new());
        Assert.Equal(BuiltInMetrics.ProbabilityDifference, Load(Row + "\n" + Row).Metric);
        Assert.Equal(BuiltInMetrics.KlDivergence, Load(Row, new() { Metric = BuiltInMetrics.KlDivergence }).Metric);
        Refused("m.jsonl, line 2: the metric is kl, and that of", Row + "\n" + Row.Replace("Prob_Diff", "kl", StringComparison.Ordinal));
        Refused("line 2: the metric is not named", Row + "\n" + Row.Replace(", \"metric\": \"Prob_Diff\"", "", StringComparison.Ordinal));
        Refused("the metric \"prob-dif\": no such metric; did you mean prob-diff?",
            Row.Replace("Prob_Diff", "prob-dif", StringComparison.Ordinal));
        Refused("needs log-prob", Row, new() { AnswerReading = AnswerReading.Sequence });

        void Refused(string expected, string text, PromptOptions? options = null) => Assert.Contains(
            expected, Assert.Throws<GradpathException>(() => Load(text, options)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_written_with_its_metric_is_judged_by_it()
    {
        PromptSet made = PromptLoader.Load("greater-than", null, Tokenizers.Demo, new() { Limit = 3 });
        PromptWriter.Write(_folder["g.jsonl"], made.Pairs, Tokenizers.Demo, made.Metric);
        Assert.Equal("prob-diff", PromptLoader.Load(null, _folder["g.jsonl"], Tokenizers.Demo, new()).Metric.Name);
    }

    private int[] Taken(PromptOptions options)
    {
        string path = Pairs(10);
        return [.. PromptLoader.Load(null, path, null, options).Pairs.Select(p => p.Clean[1])];
    }

    // A pair per number, in order.
    private string Pairs(int count) => _folder.Write("pairs.jsonl", string.Join('\n', Enumerable.Range(0, count).Select(
        i => $$"""{"clean_ids": [1, {{i}}], "corrupted_ids": [2, {{i}}], "answer_ids": [4], "wrong_answer_ids": [5]}""")));
}
