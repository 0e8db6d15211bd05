using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Kernels.Cpu;

namespace Gradpath.Cuda.Tests;

/// <summary>Whole methods and circuit evaluation on the emulated GPU, checked for races, against the processor.</summary>
public sealed class DeviceAgreementTests
{
    private const double Rounding = 1e-4;

    [Theory]
    [CombinedData]
    public void Scores_agree_with_the_processor(string name, string metricName)
    {
        Metric metric = BuiltInMetrics.Find(metricName);
        AttributionMethod method = AttributionMethods.Find(name);
        AttributionOptions options = TinyRuns.Options(method, 2) with { Metric = method.HasMetric ? metric : null };
        PromptPair[] pairs = TinyRuns.Pairs(3, 5, 3);
        using CpuDevice cpu = new(1);
        using Gpt2Weights expected = TinyRuns.Model(cpu);
        using EmulatedGpu gpu = new(races: true);
        using (Gpt2Weights model = TinyRuns.Model(gpu.Device))
        {
            AttributionResult wanted = TinyRuns.Score(expected, options, pairs), got = TinyRuns.Score(model, options, pairs);
            Agree(Wide(wanted.Edges()), Wide(got.Edges()), EngineModels.Allowed(method, Rounding, wanted.Scores.Graph.EdgeCount));
            Agree(wanted.CleanMetric, got.CleanMetric);
            Agree(wanted.CorruptedMetric, got.CorruptedMetric);
        }
        gpu.Device.Dispose();
        Assert.Empty(gpu.Driver.Live);
    }

    [Theory]
    [InlineData(Ablation.Patching, "logit-diff")]
    [InlineData(Ablation.Zero, "prob-diff")]
    [InlineData(Ablation.MeanPositional, "kl")]
    public void Circuit_evaluation_agrees_with_the_processor(Ablation ablation, string metricName)
    {
        Metric metric = BuiltInMetrics.Find(metricName);
        EvaluationOptions options = new() { Metric = metric, Ablation = ablation };
        PromptPair[] pairs = TinyRuns.Pairs(4, 4, 4);
        using CpuDevice cpu = new(1);
        using Gpt2Weights expected = TinyRuns.Model(cpu);
        using EmulatedGpu gpu = new(races: true);
        using (Gpt2Weights model = TinyRuns.Model(gpu.Device))
        {
            Agree(TinyRuns.Evaluate(expected, options, pairs), TinyRuns.Evaluate(model, options, pairs));
        }
        gpu.Device.Dispose();
        Assert.Empty(gpu.Driver.Live);
    }

    /// <summary>A metric of a program's own: logits come to the host, gradients go back to the device.</summary>
    [Fact]
    public void Own_metrics_agree_with_the_built_in_ones()
    {
        PromptPair[] pairs = TinyRuns.Pairs(3, 5, 3);
        using EmulatedGpu gpu = new(races: true);
        using (Gpt2Weights model = TinyRuns.Model(gpu.Device))
        {
            foreach ((Metric own, Metric builtIn) in OwnMetrics.Twins)
            {
                AttributionOptions options = TinyRuns.Options(AttributionMethods.EapIg, 2);
                AttributionResult wanted = TinyRuns.Score(model, options with { Metric = builtIn }, pairs);
                AttributionResult got = TinyRuns.Score(model, options with { Metric = own }, pairs);
                Agree(Wide(wanted.Edges()), Wide(got.Edges()));
                Agree(wanted.CleanMetric, got.CleanMetric);
                Agree(wanted.CorruptedMetric, got.CorruptedMetric);
                Agree(
                    TinyRuns.Evaluate(model, new EvaluationOptions { Metric = builtIn }, pairs),
                    TinyRuns.Evaluate(model, new EvaluationOptions { Metric = own }, pairs));
            }
        }
        gpu.Device.Dispose();
        Assert.Empty(gpu.Driver.Live);
    }

    private static void Agree(IReadOnlyList<double> expected, IReadOnlyList<double> actual, double allowed = Rounding)
    {
        Assert.Equal(expected.Count, actual.Count);
        double largest = expected.Select(Math.Abs).DefaultIfEmpty(0).Max();
        for (int i = 0; i < expected.Count; i++)
            Assert.InRange(actual[i], expected[i] - (allowed * largest) - 1e-6, expected[i] + (allowed * largest) + 1e-6);
    }

    private static double[] Wide(float[] values) => Array.ConvertAll(values, v => (double)v);

    // Each method with a metric, and one of them with all three.
    private sealed class CombinedDataAttribute : Xunit.Sdk.DataAttribute
    {
        public override IEnumerable<object[]> GetData(System.Reflection.MethodInfo testMethod) =>
            from method in AttributionMethods.All
            from metric in BuiltInMetrics.All
            where metric == BuiltInMetrics.LogitDifference || method == AttributionMethods.EapIg
            select new object[] { method.Name, metric.Name };
    }
}
