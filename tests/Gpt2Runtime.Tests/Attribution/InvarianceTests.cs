using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Tests.Attribution;

/// <summary>What must not change the scores: batches, order, company, threads, how much is computed at once.</summary>
public sealed class InvarianceTests
{
    private const double Rounding = 3e-6;

    public static TheoryData<string> Methods => [.. AttributionMethods.All.Select(m => m.Name)];

    // Ranks over several pairs are no mean of the ranks over each.
    public static TheoryData<string> Means => [.. AttributionMethods.All.Where(m => m.Members.Count == 0).Select(m => m.Name)];

    public static TheoryData<string> Recording =>
        [.. AttributionMethods.All.Where(m => m.Takes(MethodSettings.RecordPath)).Select(m => m.Name)];

    [Theory]
    [MemberData(nameof(Methods))]
    public void The_batch_size_does_not_matter(string name)
    {
        AttributionMethod method = AttributionMethods.Find(name);
        using OddModel model = OddModel.Make("untied, erf");
        AttributionOptions options = Options(method);
        AttributionResult chosen = model.Score(model.Mixed, options);
        Assert.Equal(5, chosen.Plan.Size);
        foreach (int size in (int[])[1, 3])
        {
            AttributionResult result = model.Score(model.Mixed, options with { BatchSize = size });
            Assert.Equal(size, result.Plan.Size);
            Same(chosen, result, Rounds(method, result));
        }
    }

    [Theory]
    [MemberData(nameof(Methods))]
    public void The_order_of_the_prompts_does_not_matter(string name)
    {
        AttributionMethod method = AttributionMethods.Find(name);
        using OddModel model = OddModel.Make("head bias");
        AttributionOptions options = Options(method) with { BatchSize = 2 };
        AttributionResult forward = model.Score(model.Mixed, options);
        AttributionResult backward = model.Score([.. model.Mixed.Reverse()], options);
        SameScores(forward.Edges(), backward.Edges(), Rounds(method, forward));
        SameMetric(forward.CleanMetric, [.. backward.CleanMetric.Reverse()]);
        SameMetric(forward.CorruptedMetric, [.. backward.CorruptedMetric.Reverse()]);
    }

    [Theory]
    [MemberData(nameof(Means))]
    public void Prompts_of_other_lengths_beside_them_do_not_matter(string name)
    {
        AttributionMethod method = AttributionMethods.Find(name);
        using OddModel model = OddModel.Make("relu, unscaled attention");
        AttributionOptions options = Options(method);
        float[] together = model.Score(model.Mixed, options).Edges();
        var mean = new float[together.Length];
        foreach (PromptPair pair in model.Mixed)
        {
            float[] alone = model.Score([pair], options).Edges();
            for (int i = 0; i < mean.Length; i++) mean[i] += alone[i] / model.Mixed.Length;
        }
        SameScores(mean, together);
    }

    [Theory]
    [MemberData(nameof(Methods))]
    public void Repeated_runs_and_any_number_of_threads_give_the_same_bits(string name)
    {
        AttributionMethod method = AttributionMethods.Find(name);
        AttributionResult? first = null;
        for (int workers = 1; workers <= 3; workers++)
        {
            using OddModel model = OddModel.Make("untied, erf", workers);
            for (int repeat = 0; repeat < 2; repeat++)
            {
                AttributionResult now = model.Score(model.Mixed, Options(method));
                first ??= now;
                Assert.Equal(first.Edges(), now.Edges());
                Assert.Equal(first.Nodes(), now.Nodes());
                Assert.Equal(first.CleanMetric.AsSpan(), now.CleanMetric.AsSpan());
                Assert.Equal(first.CorruptedMetric.AsSpan(), now.CorruptedMetric.AsSpan());
            }
        }
    }

    /// <summary>Without a recorded path the last layer runs at the answers alone; with it, at every position.</summary>
    [Theory]
    [MemberData(nameof(Recording))]
    public void Recording_the_path_does_not_change_the_scores(string method)
    {
        AttributionOptions plain = Options(AttributionMethods.Find(method));
        EmbeddingPathObjective[] objectives =
        [
            EmbeddingPathObjective.LogitsAll, EmbeddingPathObjective.LogitsLast, EmbeddingPathObjective.ResidualFinalLast,
            EmbeddingPathObjective.Metric,
        ];
        AttributionOptions[] variants = plain.Method.Takes(MethodSettings.EmbeddingPath)
            ? [.. objectives.Select(objective => plain with { EmbeddingPath = new() { Objective = objective } })]
            : [plain];
        foreach (string name in OddModel.Names)
        {
            using OddModel model = OddModel.Make(name);
            foreach (AttributionOptions options in variants)
                Same(model.Score(model.Mixed, options), model.Score(model.Mixed, options with { RecordPath = true }));
        }
    }

    /// <summary>Seven rows allow 583 points in a pass, so 600 take two.</summary>
    [Theory]
    [InlineData("logit-diff", false)]
    [InlineData("kl", false)]
    [InlineData("kl", true)]
    public void More_points_than_a_pass_takes_run_in_several(string metricName, bool record)
    {
        Metric metric = BuiltInMetrics.Find(metricName);
        using OddModel model = OddModel.Make("one head");
        PromptPair pair = ReferencePrompts.Random(7, count: 1, shortest: 7, longest: 7, seed: 5)[0];
        var reference = new ReferenceOptions { Method = AttributionMethods.EapIg, Metric = metric, Steps = 600 };
        AttributionResult actual = model.Score([pair], EngineModels.Options(reference) with { RecordPath = record });
        double error = EngineModels.RelativeError(actual.Edges(), ReferenceAttribution.Score(model.Reference, [pair], reference).Edges);
        Assert.True(error < 1e-5, $"{error:E1}");
        Assert.Equal(record ? 601 : null, actual.EmbeddingPath?.Count);
    }

    [Fact]
    public void More_edges_than_a_pass_takes_run_in_several()
    {
        using OddModel model = OddModel.Make("relu, unscaled attention");
        PromptPair[] many = ReferencePrompts.Random(11, count: 45, shortest: 8, longest: 8, seed: 6);
        var options = new AttributionOptions { Method = AttributionMethods.Exact };
        Same(model.Score(many, options with { BatchSize = 5 }), model.Score(many, options with { BatchSize = 45 }));
    }

    [Theory]
    [MemberData(nameof(Methods))]
    public void A_run_leaves_no_device_memory_behind(string name)
    {
        AttributionMethod method = AttributionMethods.Find(name);
        using OddModel model = OddModel.Make("head bias");
        long before = model.Device.AllocatedBytes;
        bool walks = method.Takes(MethodSettings.RecordPath);
        for (int repeat = 0; repeat < 2; repeat++)
        {
            AttributionResult result = model.Score(
                model.Mixed,
                Options(method) with { BatchSize = 2, RecordPath = walks, Metric = method.HasMetric ? BuiltInMetrics.KlDivergence : null });
            Assert.Equal(before, model.Device.AllocatedBytes);
            Assert.True(result.PeakDeviceBytes > before);
        }
    }

    private static AttributionOptions Options(AttributionMethod method) =>
        new() { Method = method, Steps = method.Takes(MethodSettings.Steps) ? 3 : null };

    private static double Rounds(AttributionMethod method, AttributionResult result) =>
        EngineModels.Allowed(method, Rounding, result.Scores.Graph.EdgeCount);

    private static void Same(AttributionResult expected, AttributionResult actual, double allowed = Rounding)
    {
        SameScores(expected.Edges(), actual.Edges(), allowed);
        Assert.Equal(expected.Nodes().Length, actual.Nodes().Length);
        if (expected.Nodes().Length > 0) SameScores(expected.Nodes(), actual.Nodes());
        SameMetric(expected.CleanMetric, actual.CleanMetric);
        SameMetric(expected.CorruptedMetric, actual.CorruptedMetric);
    }

    private static void SameScores(float[] expected, float[] actual, double allowed = Rounding)
    {
        float largest = expected.Max(MathF.Abs);
        Assert.True(largest > 0);
        for (int i = 0; i < expected.Length; i++) Assert.Equal(expected[i], actual[i], largest * allowed);
    }

    private static void SameMetric(IReadOnlyList<double> expected, IReadOnlyList<double> actual)
    {
        Assert.Equal(expected.Count, actual.Count);
        for (int i = 0; i < expected.Count; i++) Assert.Equal(expected[i], actual[i], 1e-5);
    }
}
