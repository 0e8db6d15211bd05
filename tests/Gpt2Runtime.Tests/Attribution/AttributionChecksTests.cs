using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;

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
    public void Empty_prompts_are_refused() => Refused([Pair() with { Clean = [], Corrupted = [] }], new AttributionOptions(), "item 1", "empty");

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

    [Theory]
    [InlineData(TaskMetric.LogitDifference)]
    [InlineData(TaskMetric.ProbabilityDifference)]
    public void A_difference_needs_answers_of_both_kinds(TaskMetric metric)
    {
        var options = new AttributionOptions { Metric = metric };
        Refused([Pair() with { Answers = [] }], options, "at least one of each");
        Refused([Pair() with { WrongAnswers = [] }], options, "at least one of each");
    }

    [Fact]
    public void What_uses_no_metric_needs_no_answers_nor_does_divergence()
    {
        PromptPair[] pairs = [Pair() with { Answers = [], WrongAnswers = [] }];
        Assert.NotNull(_model.Score(pairs, new AttributionOptions { Metric = TaskMetric.KlDivergence }));
        Assert.NotNull(_model.Score(pairs, new AttributionOptions { Method = AttributionMethod.InformationFlowRoutes }));
        Assert.NotNull(_model.Score(pairs, new AttributionOptions { Method = AttributionMethod.Magnitude }));
        Assert.NotNull(_model.Score(pairs, new AttributionOptions { Method = AttributionMethod.Random }));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-3)]
    public void Less_than_one_step_is_refused(int steps) => Refused([Pair()], new AttributionOptions { Steps = steps }, "--steps", $"{steps}");

    [Fact]
    public void A_negative_batch_size_is_refused() => Refused([Pair()], new AttributionOptions { BatchSize = -1 }, "--batch-size");

    [Fact]
    public void What_depends_on_the_batch_size_needs_one()
    {
        Refused([Pair()], new AttributionOptions { Normalization = ScoreNormalization.Library }, "--normalization library", "--batch-size");
        Refused([Pair()], new AttributionOptions { Method = AttributionMethod.EapGp, PathNorm = PathNorm.Batch }, "--path-norm batch", "--batch-size");
        Assert.NotNull(_model.Score([Pair()], new AttributionOptions { Method = AttributionMethod.EapIg, PathNorm = PathNorm.Batch }));
    }

    [Theory]
    [InlineData(AttributionMethod.EapIg)]
    [InlineData(AttributionMethod.CleanCorrupted)]
    [InlineData(AttributionMethod.EapGp)]
    [InlineData(AttributionMethod.InformationFlowRoutes)]
    [InlineData(AttributionMethod.Magnitude)]
    [InlineData(AttributionMethod.Random)]
    public void Ablations_of_methods_that_have_none_are_refused(AttributionMethod method)
    {
        Refused([Pair()], new AttributionOptions { Method = method, Ablation = Ablation.Zero }, "--ablation");
        Refused([Pair()], new AttributionOptions { Method = method, Ablation = Ablation.MeanPositional }, "--ablation");
    }

    [Theory]
    [InlineData(AttributionMethod.EapIgActivations)]
    [InlineData(AttributionMethod.Exact)]
    [InlineData(AttributionMethod.InformationFlowRoutes)]
    [InlineData(AttributionMethod.Magnitude)]
    [InlineData(AttributionMethod.Random)]
    public void A_path_of_methods_that_walk_none_is_refused(AttributionMethod method) =>
        Refused([Pair()], new AttributionOptions { Method = method, RecordPath = true }, "path can be recorded");

    [Theory]
    [InlineData(AttributionMethod.Eap)]
    [InlineData(AttributionMethod.EapIgActivations)]
    [InlineData(AttributionMethod.Exact)]
    public void Means_over_prompts_of_different_lengths_are_refused(AttributionMethod method) => Refused(
        [Pair(), Pair() with { Clean = [1, 2, 3], Corrupted = [1, 2, 4] }],
        new AttributionOptions { Method = method, Ablation = Ablation.MeanPositional },
        "mean-positional",
        "item 2 has 3 tokens",
        "item 1 has 2");

    [Fact]
    public void A_path_down_the_divergence_cannot_start_where_it_is_nothing()
    {
        var options = new AttributionOptions { Method = AttributionMethod.EapGp, Metric = TaskMetric.KlDivergence, PathObjective = PathObjective.Metric };
        Refused([Pair()], options, "--path-objective metric", "--path-start corrupted");
        Assert.NotNull(_model.Score([Pair()], options with { PathStart = PathStart.Corrupted }));
    }

    public void Dispose() => _model.Dispose();

    private static PromptPair Pair() => new([1, 2], [1, 3], [4], [5]);

    private void Refused(PromptPair[] pairs, AttributionOptions options, params string[] parts)
    {
        long before = _model.Device.AllocatedBytes;
        string message = Assert.Throws<GradpathException>(() => _model.Score(pairs, options)).Message;
        foreach (string part in parts) Assert.Contains(part, message, StringComparison.Ordinal);
        Assert.Equal(before, _model.Device.AllocatedBytes);
    }
}
