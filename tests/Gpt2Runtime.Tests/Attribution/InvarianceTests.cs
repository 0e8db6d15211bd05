using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Gpt2Runtime.Tests.Reference;

namespace Gradpath.Gpt2Runtime.Tests.Attribution;

/// <summary>What must not change the scores: batches, order, company, threads, how much is computed at once.</summary>
public sealed class InvarianceTests
{
    private const double Rounding = 3e-6;

    public static TheoryData<AttributionMethod> Methods => [.. Enum.GetValues<AttributionMethod>()];

    [Theory]
    [MemberData(nameof(Methods))]
    public void The_batch_size_does_not_matter(AttributionMethod method)
    {
        using OddModel model = OddModel.Make("untied, erf");
        AttributionOptions options = Options(method);
        AttributionResult chosen = model.Score(model.Mixed, options);
        Assert.Equal(5, chosen.BatchSize);
        foreach (int size in (int[])[1, 3])
        {
            AttributionResult result = model.Score(model.Mixed, options with { BatchSize = size });
            Assert.Equal(size, result.BatchSize);
            Same(chosen, result);
        }
    }

    [Theory]
    [MemberData(nameof(Methods))]
    public void The_order_of_the_prompts_does_not_matter(AttributionMethod method)
    {
        using OddModel model = OddModel.Make("head bias");
        AttributionOptions options = Options(method) with { BatchSize = 2 };
        AttributionResult forward = model.Score(model.Mixed, options);
        AttributionResult backward = model.Score([.. model.Mixed.Reverse()], options);
        SameScores(forward.Scores, backward.Scores);
        SameMetric(forward.CleanMetric, [.. backward.CleanMetric.Reverse()]);
        SameMetric(forward.CorruptedMetric, [.. backward.CorruptedMetric.Reverse()]);
    }

    [Theory]
    [MemberData(nameof(Methods))]
    public void Prompts_of_other_lengths_beside_them_do_not_matter(AttributionMethod method)
    {
        using OddModel model = OddModel.Make("relu, unscaled attention");
        AttributionOptions options = Options(method);
        float[] together = model.Score(model.Mixed, options).Scores;
        var mean = new float[together.Length];
        foreach (PromptPair pair in model.Mixed)
        {
            float[] alone = model.Score([pair], options).Scores;
            for (int i = 0; i < mean.Length; i++) mean[i] += alone[i] / model.Mixed.Length;
        }
        SameScores(mean, together);
    }

    [Theory]
    [MemberData(nameof(Methods))]
    public void Repeated_runs_and_any_number_of_threads_give_the_same_bits(AttributionMethod method)
    {
        AttributionResult? first = null;
        for (int workers = 1; workers <= 3; workers++)
        {
            using OddModel model = OddModel.Make("untied, erf", workers);
            for (int repeat = 0; repeat < 2; repeat++)
            {
                AttributionResult now = model.Score(model.Mixed, Options(method));
                first ??= now;
                Assert.Equal(first.Scores, now.Scores);
                Assert.Equal(first.NodeScores, now.NodeScores);
                Assert.Equal(first.CleanMetric, now.CleanMetric);
                Assert.Equal(first.CorruptedMetric, now.CorruptedMetric);
            }
        }
    }

    /// <summary>Without a recorded path the last layer runs at the answers alone; with it, at every position.</summary>
    [Theory]
    [InlineData(AttributionMethod.Eap)]
    [InlineData(AttributionMethod.EapIg)]
    [InlineData(AttributionMethod.CleanCorrupted)]
    [InlineData(AttributionMethod.EapGp)]
    public void Recording_the_path_does_not_change_the_scores(AttributionMethod method)
    {
        foreach (string name in OddModel.Names)
        {
            using OddModel model = OddModel.Make(name);
            foreach (PathObjective objective in (PathObjective[])[PathObjective.LogitsAll, PathObjective.LogitsLast, PathObjective.ResidualFinalLast, PathObjective.Metric])
            {
                AttributionOptions options = Options(method) with { PathObjective = objective };
                Same(model.Score(model.Mixed, options), model.Score(model.Mixed, options with { RecordPath = true }));
            }
        }
    }

    /// <summary>Seven rows allow 583 points in a pass, so 600 take two.</summary>
    [Theory]
    [InlineData(TaskMetric.LogitDifference, false)]
    [InlineData(TaskMetric.KlDivergence, false)]
    [InlineData(TaskMetric.KlDivergence, true)]
    public void More_points_than_a_pass_takes_run_in_several(TaskMetric metric, bool record)
    {
        using OddModel model = OddModel.Make("one head");
        PromptPair pair = ReferencePrompts.Random(7, count: 1, shortest: 7, longest: 7, seed: 5)[0];
        var reference = new ReferenceOptions { Method = ReferenceMethod.EapIg, Metric = metric, Steps = 600 };
        AttributionResult actual = model.Score([pair], EngineModels.Options(reference) with { RecordPath = record });
        double error = EngineModels.RelativeError(actual.Scores, ReferenceAttribution.Score(model.Reference, [pair], reference).Edges);
        Assert.True(error < 1e-5, $"{error:E1}");
        Assert.Equal(record ? 601 : null, actual.Path?.Count);
    }

    [Fact]
    public void More_edges_than_a_pass_takes_run_in_several()
    {
        using OddModel model = OddModel.Make("relu, unscaled attention");
        PromptPair[] many = ReferencePrompts.Random(11, count: 45, shortest: 8, longest: 8, seed: 6);
        var options = new AttributionOptions { Method = AttributionMethod.Exact };
        Same(model.Score(many, options with { BatchSize = 5 }), model.Score(many, options with { BatchSize = 45 }));
    }

    [Theory]
    [MemberData(nameof(Methods))]
    public void A_run_leaves_no_device_memory_behind(AttributionMethod method)
    {
        using OddModel model = OddModel.Make("head bias");
        long before = model.Device.AllocatedBytes;
        bool walks = method is AttributionMethod.Eap or AttributionMethod.EapIg or AttributionMethod.CleanCorrupted or AttributionMethod.EapGp;
        for (int repeat = 0; repeat < 2; repeat++)
        {
            AttributionResult result = model.Score(model.Mixed, Options(method) with { BatchSize = 2, RecordPath = walks, Metric = TaskMetric.KlDivergence });
            Assert.Equal(before, model.Device.AllocatedBytes);
            Assert.True(result.PeakDeviceBytes > before);
        }
    }

    private static AttributionOptions Options(AttributionMethod method) => new() { Method = method, Steps = 3 };

    private static void Same(AttributionResult expected, AttributionResult actual)
    {
        SameScores(expected.Scores, actual.Scores);
        Assert.Equal(expected.NodeScores is null, actual.NodeScores is null);
        if (expected.NodeScores is { } nodes) SameScores(nodes, actual.NodeScores!);
        SameMetric(expected.CleanMetric, actual.CleanMetric);
        SameMetric(expected.CorruptedMetric, actual.CorruptedMetric);
    }

    private static void SameScores(float[] expected, float[] actual)
    {
        float largest = expected.Max(MathF.Abs);
        Assert.True(largest > 0);
        for (int i = 0; i < expected.Length; i++) Assert.Equal(expected[i], actual[i], largest * Rounding);
    }

    private static void SameMetric(double[] expected, double[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++) Assert.Equal(expected[i], actual[i], 1e-5);
    }
}
