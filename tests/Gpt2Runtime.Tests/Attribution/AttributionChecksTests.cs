using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Runs;

namespace Gradpath.Gpt2Runtime.Tests.Attribution;

/// <summary>What is refused, with a message that names the item or option; nothing is allocated before.</summary>
public sealed class AttributionChecksTests : IDisposable
{
    private readonly OddModel _model = OddModel.Make("head bias"); // vocabulary 9, 9 positions

    [Fact]
    public void No_prompts_are_refused() => Refused([], new AttributionOptions(), "no prompt pairs");

    [Fact]
    public void Prompts_of_unequal_length_are_refused_with_both_lengths_and_texts() => Refused(
        [Pair(), Pair() with { Corrupted = [1], Id = "odd one", CleanText = "two words", CorruptedText = "one" }],
        new AttributionOptions(),
        "item 2 (odd one)",
        "2 tokens",
        "1;",
        "\"two words\"",
        "\"one\"");

    [Fact]
    public void Empty_prompts_are_refused() =>
        Refused([Pair() with { Clean = [], Corrupted = [] }], new AttributionOptions(), "item 1", "empty");

    [Fact]
    public void Prompts_longer_than_the_model_are_refused() =>
        Refused([Pair() with { Clean = new int[10], Corrupted = new int[10] }], new AttributionOptions(), "10 tokens", "9 positions");

    [Theory]
    [InlineData(-1)]
    [InlineData(9)]
    public void Tokens_outside_the_vocabulary_are_refused_wherever_they_stand(int id)
    {
        Refused([Pair() with { Clean = [1, id] }], new AttributionOptions(), $"token id {id} in the clean prompt", "vocabulary of 9");
        Refused([Pair() with { Corrupted = [1, id] }], new AttributionOptions(), $"token id {id} in the corrupted prompt");
        Refused([Pair() with { Answers = [id] }], new AttributionOptions(), $"token id {id} in the answers");
        Refused([Pair() with { WrongAnswers = [1, id] }], new AttributionOptions(), $"token id {id} in the wrong answers");
    }

    [Fact]
    public void A_metric_gets_the_answers_that_it_needs_and_asks_for_no_others()
    {
        foreach (Metric metric in BuiltInMetrics.All)
        {
            var options = new AttributionOptions { Metric = metric };
            Check(metric.NeedsAnswers, Pair() with { Answers = [] }, "there is no answer");
            Check(metric.NeedsWrongAnswers, Pair() with { WrongAnswers = [] }, "there is no wrong answer");

            void Check(bool needs, PromptPair pair, string lack)
            {
                if (needs) Refused([pair], options, lack, $"the metric {metric} needs at least one");
                else Assert.NotNull(_model.Score([pair], options));
            }
        }
    }

    [Fact]
    public void What_uses_no_metric_needs_no_answers()
    {
        PromptPair[] pairs = [Pair() with { Answers = [], WrongAnswers = [] }];
        Assert.NotNull(_model.Score(pairs, new AttributionOptions { Method = AttributionMethods.InformationFlowRoutes }));
        Assert.NotNull(_model.Score(pairs, new AttributionOptions { Method = AttributionMethods.Magnitude }));
        Assert.NotNull(_model.Score(pairs, new AttributionOptions { Method = AttributionMethods.Random }));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-3)]
    public void Less_than_one_step_is_refused(int steps) =>
        RefusedOption([Pair()], new AttributionOptions { Steps = steps }, "Steps", $"{steps}");

    [Fact]
    public void A_negative_batch_size_is_refused() => RefusedOption([Pair()], new AttributionOptions { BatchSize = -1 }, "BatchSize", "-1");

    [Fact]
    public void What_depends_on_the_batch_size_needs_one()
    {
        RefusedOption(
            [Pair()], new AttributionOptions { Normalization = ScoreNormalization.Library }, "Normalization library", "BatchSize");
        AttributionOptions batch = new() { Method = AttributionMethods.EapGp, EmbeddingPath = new() { Norm = EmbeddingPathNorm.Batch } };
        RefusedOption([Pair()], batch, "EmbeddingPath.Norm batch", "BatchSize");
        Assert.NotNull(_model.Score([Pair()], batch with { BatchSize = 1 }));
    }

    [Theory]
    [InlineData("eap-ig")]
    [InlineData("clean-corrupted")]
    [InlineData("eap-gp")]
    [InlineData("information-flow-routes")]
    [InlineData("magnitude")]
    [InlineData("random")]
    public void Ablations_of_methods_that_have_none_are_refused(string name)
    {
        AttributionMethod method = AttributionMethods.Find(name);
        foreach (Ablation ablation in Enum.GetValues<Ablation>())
            RefusedOption(
                [Pair()], new AttributionOptions { Method = method, Ablation = ablation },
                $"Ablation does not apply to {name}; eap, eap-ig-activations", "take it");
    }

    [Theory]
    [InlineData("eap-ig-activations")]
    [InlineData("exact")]
    [InlineData("information-flow-routes")]
    [InlineData("magnitude")]
    [InlineData("random")]
    public void A_path_of_methods_that_walk_none_is_refused(string method) =>
        RefusedOption(
            [Pair()], new AttributionOptions { Method = AttributionMethods.Find(method), RecordPath = true },
            $"RecordPath does not apply to {method}; eap, eap-ig, clean-corrupted", "take it");

    [Theory]
    [InlineData("eap")]
    [InlineData("eap-ig-activations")]
    [InlineData("exact")]
    public void Means_over_prompts_of_different_lengths_are_refused(string method) => Refused(
        [Pair(), Pair() with { Clean = [1, 2, 3], Corrupted = [1, 2, 4] }],
        new AttributionOptions { Method = AttributionMethods.Find(method), Ablation = Ablation.MeanPositional },
        "Ablation mean-positional",
        "item 2 has 3 tokens",
        "item 1 has 2");

    [Fact]
    public void A_path_down_the_divergence_cannot_start_where_it_is_nothing()
    {
        var options = new AttributionOptions
        {
            Method = AttributionMethods.EapGp,
            Metric = BuiltInMetrics.KlDivergence,
            EmbeddingPath = new() { Objective = EmbeddingPathObjective.Metric },
        };
        RefusedOption([Pair()], options, "EmbeddingPath.Objective metric", "Metric kl", "EmbeddingPath.Start corrupted");
        Assert.NotNull(
            _model.Score([Pair()], options with { EmbeddingPath = options.EmbeddingPath with { Start = EmbeddingPathStart.Corrupted } }));
    }

    /// <summary>Every option that a method may not read, against every method: what the table says is what is refused.</summary>
    [Theory]
    [MemberData(nameof(Methods))]
    public void An_option_that_a_method_does_not_read_is_refused_and_one_that_it_reads_is_not(string name)
    {
        AttributionMethod method = AttributionMethods.Find(name);
        AttributionOptions plain = new() { Method = method };
        (MethodSettings Setting, string Property, AttributionOptions Options)[] given =
        [
            (MethodSettings.Metric, "Metric", plain with { Metric = BuiltInMetrics.LogitDifference }),
            (MethodSettings.Steps, "Steps", plain with { Steps = 2 }),
            (MethodSettings.Ablation, "Ablation", plain with { Ablation = Ablation.Patching }),
            (MethodSettings.IgPoints, "IgPoints", plain with { IgPoints = IgPoints.Left }),
            (MethodSettings.EmbeddingPath, "EmbeddingPath.Objective", Path(new() { Objective = EmbeddingPathObjective.LogitsAll })),
            (MethodSettings.EmbeddingPath, "EmbeddingPath.Norm", Path(new() { Norm = EmbeddingPathNorm.Item })),
            (MethodSettings.EmbeddingPath, "EmbeddingPath.Step", Path(new() { Step = EmbeddingPathStep.Unit })),
            (MethodSettings.EmbeddingPath, "EmbeddingPath.Start", Path(new() { Start = EmbeddingPathStart.Clean })),
            (MethodSettings.EmbeddingPath, "EmbeddingPath.Outer", Path(new() { Outer = EmbeddingPathOuter.Delta })),
            (MethodSettings.Seed, "Seed", plain with { Seed = 1 }),
            (MethodSettings.RecordPath, "RecordPath", plain with { RecordPath = true }),
        ];
        Assert.Equal(Enum.GetValues<MethodSettings>().Skip(1), given.Select(g => g.Setting).Distinct());
        foreach ((MethodSettings setting, string property, AttributionOptions options) in given)
        {
            if (method.Takes(setting)) Assert.NotNull(_model.Score([Pair()], options));
            else RefusedOption([Pair()], options, $"{property} does not apply to {name}{NoMember(setting)};");
        }

        string NoMember(MethodSettings setting) =>
            method.Members.Count == 0 || method.Members.Any(m => m.Takes(setting)) ? "" : ", no member of which takes it";

        AttributionOptions Path(EmbeddingPathOptions path) => plain with { EmbeddingPath = path };
    }

    public static TheoryData<string> Methods => [.. AttributionMethods.All.Select(m => m.Name)];

    public void Dispose() => _model.Dispose();

    private static PromptPair Pair() => new([1, 2], [1, 3], [4], [5]);

    private void Refused(PromptPair[] pairs, AttributionOptions options, params string[] parts) =>
        Refused<GradpathException>(pairs, options, parts);

    private void RefusedOption(PromptPair[] pairs, AttributionOptions options, params string[] parts) =>
        Refused<OptionException>(pairs, options, parts);

    private void Refused<T>(PromptPair[] pairs, AttributionOptions options, string[] parts)
        where T : Exception
    {
        long before = _model.Device.AllocatedBytes;
        string message = Assert.Throws<T>(() => _model.Score(pairs, options)).Message;
        foreach (string part in parts) Assert.Contains(part, message, StringComparison.Ordinal);
        Assert.Equal(before, _model.Device.AllocatedBytes);
    }
}
