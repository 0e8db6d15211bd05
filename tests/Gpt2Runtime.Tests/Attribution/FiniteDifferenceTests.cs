using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Kernels.Cpu;
using Xunit.Abstractions;

namespace Gradpath.Gpt2Runtime.Tests.Attribution;

/// <summary>What the scores mean, checked without a gradient: differences of the loss under patching.</summary>
public sealed class FiniteDifferenceTests(ITestOutputHelper output)
{
    /// <summary>EAP is how fast the loss changes as an edge's content moves from the clean towards the corrupted output.</summary>
    [Theory]
    [MemberData(nameof(OddModel.Names), MemberType = typeof(OddModel))]
    public void Eap_is_the_slope_of_the_loss_as_an_edge_is_patched_little_by_little(string name)
    {
        using OddModel model = OddModel.Make(name);
        PromptPair[] pairs = model.Mixed[..2];
        var deviations = new Deviations(output);
        foreach (Metric metric in BuiltInMetrics.All.Where(m => !m.MeasuresDistance))
        {
            double[,] slopes = Slopes(model.Reference, pairs, metric);
            float[] scores = model.Score(pairs, new AttributionOptions { Method = AttributionMethods.Eap, Metric = metric }).Edges();
            deviations.Compare($"{metric}", slopes.Cast<double>(), scores.Select(s => (double)s), 1e-5);
        }
        deviations.Check();
    }

    /// <summary>
    /// Integrated gradients are complete: with many steps the edges that leave the input add up to the change of the loss.
    /// </summary>
    [Theory]
    [MemberData(nameof(OddModel.Names), MemberType = typeof(OddModel))]
    public void Input_edges_of_eap_ig_add_up_to_the_change_of_the_loss(string name)
    {
        using OddModel model = OddModel.Make(name);
        foreach (Metric metric in ReferenceMetric.SmoothMetrics)
        {
            AttributionResult result = model.Score(
                model.Mixed, new AttributionOptions { Metric = metric, Steps = 400, IgPoints = IgPoints.Midpoint });
            double change = Change(result, metric);
            Assert.True(Math.Abs(change) > 5e-3, $"{metric}: the loss changes by {change}");

            // With relu the gradient jumps, and a midpoint sum meets its integral slowly.
            Assert.Equal(change, result.Nodes()[0], 3e-4 + (1e-3 * Math.Abs(change)));
        }
    }

    /// <summary>
    /// With silent heads and MLPs the only path leads from the input to the logits, and the error falls as the steps grow.
    /// </summary>
    [Fact]
    public void Where_only_the_input_speaks_its_edge_to_the_logits_is_the_change_of_the_loss()
    {
        Gpt2Config config = new() { Layers = 2, Heads = 3, Width = 15, InnerWidth = 17, Positions = 9, Vocabulary = 13 };
        ReferenceModel silent = Silence(ReferenceModel.Random(config, seed: 8));
        PromptPair[] pairs = [.. ReferencePrompts.Random(13, count: 6, shortest: 3, longest: 7, seed: 9).Select(p =>
            p with { Corrupted = [.. p.Clean[..^1], (p.Clean[^1] + 1) % 13] })];
        using var device = new CpuDevice(2);
        using Gpt2Weights weights = EngineModels.Weights(silent, device);
        double previous = double.PositiveInfinity;
        foreach (int steps in (int[])[2, 20, 200])
        {
            AttributionResult result = EdgeAttribution.Run(weights, PromptSet.Of(pairs), new AttributionOptions { Steps = steps });
            int logits = silent.Graph.Columns - 1;
            Assert.All(result.Edges().Where((_, i) => i != logits), s => Assert.Equal(0, s));
            double error = Math.Abs(result.Edges()[logits] - Change(result, BuiltInMetrics.LogitDifference));
            output.WriteLine($"{steps} steps: {result.Edges()[logits]:R}, error {error:E1}");
            Assert.True(error < previous / 5);
            previous = error;
        }
    }

    private static double[,] Slopes(ReferenceModel model, PromptPair[] pairs, Metric metric)
    {
        const double Step = 1e-5;
        var slopes = new double[model.Graph.Rows, model.Graph.Columns];
        foreach (ReferenceItem item in ReferenceItem.Prepare(model, pairs, ReferenceAblation.Patching))
        {
            foreach ((int row, int column) in model.Graph.Edges)
            {
                slopes[row, column] += (Loss(row, column, Step) - Loss(row, column, -Step)) / (2 * Step * pairs.Length);
            }

            double Loss(int row, int column, double share)
            {
                RealMatrix[] replacement = new RealMatrix[model.Graph.Rows];
                replacement[row] = RealMatrix.Combine(item.Clean.Writers[row].Value, share, item.Delta[row]);
                bool[,] all = model.Graph.Circuit(model.Graph.Edges.Where(e => e != (row, column)));
                ReferenceRun run = ReferenceRun.Forward(
                    model, item.CleanEmbedding, new ReferencePatch { InCircuit = all, Replacement = replacement });
                return ReferenceMetric.LossSign(metric) * ReferenceMetric.Value(metric, run.LastLogits, item.Pair, item.Clean.LastLogits);
            }
        }
        return slopes;
    }

    private static double Change(AttributionResult result, Metric metric) =>
        ReferenceMetric.LossSign(metric) * (result.CorruptedMetric.Average() - result.CleanMetric.Average());

    private static ReferenceModel Silence(ReferenceModel model)
    {
        Dictionary<string, double[]> tensors = model.FloatTensors().ToDictionary(
            t => t.Key,
            t =>
                t.Key.Contains("c_proj", StringComparison.Ordinal) ? new double[t.Value.Length] : Array.ConvertAll(t.Value, v => (double)v),
            StringComparer.Ordinal);
        return new ReferenceModel(model.Config, tensors);
    }
}
