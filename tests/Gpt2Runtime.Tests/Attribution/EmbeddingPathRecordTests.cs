using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Kernels.Cpu;
using Xunit.Abstractions;

namespace Gradpath.Gpt2Runtime.Tests.Attribution;

/// <summary>
/// The recorded path of every method that has one: metric (not negated), gradient norm, output distance and both embedding distances.
/// </summary>
public sealed class EmbeddingPathRecordTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("tiny-random/equal")]
    [InlineData("tiny-random/padded")]
    [InlineData("nano-sort/sort_k2")]
    public void Recorded_paths_equal_the_goldens(string name)
    {
        GoldenSet set = GoldenSet.Read(name);
        using var device = new CpuDevice(2);
        using Gpt2Weights weights = EngineModels.Weights(ReferenceCheckpoint.Load(set.ModelDirectory), device);
        var deviations = new Deviations(output);
        foreach (IGrouping<string, GoldenPath> key in set.Paths.GroupBy(p => p.Key.Text))
        {
            GoldenKey golden = key.First().Key;
            // Its steps are beyond float32.
            if (golden.Option("objective", "") == "probs_last" && name.StartsWith("nano-sort", StringComparison.Ordinal)) continue;
            AttributionOptions options = EngineModels.Options(ReferenceKeys.Options(golden)) with { RecordPath = true };
            IReadOnlyList<EmbeddingPathPoint> path = EdgeAttribution.Run(weights, PromptSet.Of(set.Pairs), options).EmbeddingPath!;
            double tolerance = golden.Method == "EAP-IG-inputs" ? 1e-5 : golden.Option("k", "5") == "10" ? 1e-3 : 1e-4;
            Compare("metric", p => p.Metric);
            Compare("metric_grad_norm", p => p.GradientNorm);
            Compare("output_distance", p => p.OutputDistance);
            Compare("distance_from_clean_embedding", p => p.FromClean);
            Compare("distance_from_corrupted_embedding", p => p.FromCorrupted);

            void Compare(string quantity, Func<EmbeddingPathPoint, double> value) =>
                deviations.Compare($"{golden}, {quantity}", key.SelectMany(item => item.Values[quantity]), path.Select(value), tolerance);
        }
        deviations.Check();
    }

    [Theory]
    [MemberData(nameof(OddModel.Names), MemberType = typeof(OddModel))]
    public void Recorded_paths_equal_the_reference(string name)
    {
        using OddModel model = OddModel.Make(name);
        var deviations = new Deviations(output);
        ReferenceOptions[] cases =
        [
            new() { Method = AttributionMethods.Eap },
            new() { Method = AttributionMethods.Eap, Metric = BuiltInMetrics.ProbabilityDifference },
            new() { Method = AttributionMethods.EapIg, Metric = BuiltInMetrics.KlDivergence, Steps = 3 },
            new()
            {
                Method = AttributionMethods.EapGp,
                Metric = BuiltInMetrics.ProbabilityDifference,
                Steps = 3,
                Objective = ReferenceObjective.ProbabilitiesLast,
            },
            new() { Method = AttributionMethods.EapGp, Steps = 3, Objective = ReferenceObjective.Metric, Start = ReferenceStart.Corrupted },
            new() { Method = AttributionMethods.EapGp, Steps = 3, Outer = ReferenceOuter.Path, Eta = ReferenceEta.Match },
        ];
        foreach (ReferenceOptions options in cases)
        {
            ReferencePathRecord[] expected = ReferencePath.Record(model.Reference, model.Mixed, options);
            IReadOnlyList<EmbeddingPathPoint> path =
                model.Score(model.Mixed, EngineModels.Options(options) with { RecordPath = true }).EmbeddingPath!;
            string key = $"{options.Method} {options.Metric} {options.Objective} {options.Outer}";
            double tolerance = options.Method == AttributionMethods.EapGp ? 1e-4 : 1e-5;
            deviations.Compare($"{key}, metric", expected.SelectMany(e => e.Metric), path.Select(p => p.Metric), tolerance);
            deviations.Compare(
                $"{key}, gradient norm", expected.SelectMany(e => e.MetricGradientNorm), path.Select(p => p.GradientNorm), tolerance);
            deviations.Compare(
                $"{key}, output distance", expected.SelectMany(e => e.OutputDistance), path.Select(p => p.OutputDistance), tolerance);
            deviations.Compare(
                $"{key}, from clean", expected.SelectMany(e => e.DistanceFromClean), path.Select(p => p.FromClean), tolerance, 1);
            deviations.Compare($"{key}, from corrupted", expected.SelectMany(e => e.DistanceFromCorrupted),
                path.Select(p => p.FromCorrupted), tolerance, 1);
        }
        deviations.Check();
    }

    [Fact]
    public void Points_are_in_the_order_of_items_and_steps_and_only_there_when_asked_for()
    {
        using OddModel model = OddModel.Make("untied, erf");
        var options = new AttributionOptions { Method = AttributionMethods.EapGp, Steps = 2, BatchSize = 2, RecordPath = true };
        IReadOnlyList<EmbeddingPathPoint> path = model.Score(model.Mixed, options).EmbeddingPath!;
        Assert.Equal(from item in Enumerable.Range(0, 5) from step in Enumerable.Range(0, 3) select (item, step),
            path.Select(p => (p.Item, p.Step)));
        Assert.Null(model.Score(model.Mixed, options with { RecordPath = false }).EmbeddingPath);
    }

    [Fact]
    public void Clean_corrupted_records_both_ends()
    {
        using OddModel model = OddModel.Make("head bias");
        AttributionResult result = model.Score(
            model.Mixed, new AttributionOptions { Method = AttributionMethods.CleanCorrupted, RecordPath = true });
        for (int i = 0; i < model.Mixed.Length; i++)
        {
            EmbeddingPathPoint corrupted = result.EmbeddingPath![2 * i], clean = result.EmbeddingPath[(2 * i) + 1];
            Assert.Equal((i, 0, i, 1), (corrupted.Item, corrupted.Step, clean.Item, clean.Step));
            Assert.Equal((result.CorruptedMetric[i], result.CleanMetric[i]), (corrupted.Metric, clean.Metric));
            Assert.Equal((0, 0), (corrupted.FromCorrupted, clean.FromClean));
            Assert.Equal(0, corrupted.OutputDistance, 1e-4);
        }
    }
}
