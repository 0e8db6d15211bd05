using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Gpt2Runtime.Tests.Attribution;

namespace Gradpath.Gpt2Runtime.Tests.Model;

/// <summary>The masked pass against the patched pass, the float64 definition with its tape, and EAP.</summary>
public sealed class MaskedPassTests
{
    public static TheoryData<string, Ablation> ModelsAndAblations
    {
        get
        {
            var data = new TheoryData<string, Ablation>();
            foreach (string name in (IEnumerable<string>)["one head", "relu, unscaled attention", "untied, erf", "head bias"])
            {
                foreach (Ablation ablation in Enum.GetValues<Ablation>()) data.Add(name, ablation);
            }
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(ModelsAndAblations))]
    public void Binary_masks_are_circuits(string name, Ablation ablation)
    {
        using OddModel model = OddModel.Make(name);
        PromptPair[] pairs = ablation == Ablation.MeanPositional ? model.Equal : model.Mixed;
        var graph = new ComputationGraph(model.Weights.Config);
        foreach (double density in (double[])[0, 0.15, 0.5, 0.9, 1])
        {
            bool[] kept = Draw(graph, density, 3);
            EvaluationOptions options = new() { Metric = BuiltInMetrics.KlDivergence, Ablation = ablation };
            EvaluationResult expected = CircuitEvaluation.Evaluate(model.Weights, PromptSet.Of(pairs), [new Circuit(graph, kept)], options);
            using var full = new MaskedBench(model, pairs, null, ablation, BuiltInMetrics.KlDivergence);
            using var compact = new MaskedBench(model, pairs, kept, ablation, BuiltInMetrics.KlDivergence);
            double[] masks = Array.ConvertAll(kept, k => k ? 1.0 : 0);
            Close(expected.Circuits[0].Kl, full.Loss(masks), 1e-5);
            Close(expected.Circuits[0].Kl, compact.Loss(masks), 1e-5);
        }
    }

    [Theory]
    [MemberData(nameof(ModelsAndAblations))]
    public void Losses_and_gradients_equal_the_float64_tape(string name, Ablation ablation)
    {
        using OddModel model = OddModel.Make(name);
        PromptPair[] pairs = ablation == Ablation.MeanPositional ? model.Equal : model.Mixed;
        using var bench = new MaskedBench(model, pairs, null, ablation, BuiltInMetrics.KlDivergence);
        double[] masks = Soft(bench.Graph, 5);
        (double[] losses, double[] gradient) = ReferenceMasks.Run(model.Reference, pairs, masks, ablation, BuiltInMetrics.KlDivergence);
        Close(losses, bench.Loss(masks), 1e-5);
        Close(gradient, bench.Gradient(), 2e-5);
    }

    [Fact]
    public void The_tape_agrees_with_finite_differences()
    {
        using OddModel model = OddModel.Make("head bias");
        var graph = new ComputationGraph(model.Weights.Config);
        double[] masks = Soft(graph, 6);
        double[] gradient = ReferenceMasks.Run(model.Reference, model.Mixed, masks, Ablation.Patching,
            BuiltInMetrics.KlDivergence).Gradient;
        foreach ((int row, int column) in graph.Edges.Where((_, i) => i % 7 == 0))
        {
            int at = (row * graph.Readers) + column;
            double Loss(double step)
            {
                double[] moved = [.. masks];
                moved[at] += step;
                return ReferenceMasks.Run(model.Reference, model.Mixed, moved, Ablation.Patching, BuiltInMetrics.KlDivergence).Losses.Sum();
            }
            Assert.Equal((Loss(1e-4) - Loss(-1e-4)) / 2e-4, gradient[at], 6);
        }
    }

    [Theory]
    [MemberData(nameof(ModelsAndAblations))]
    public void With_every_mask_at_one_the_gradients_are_eap_scores_with_the_other_sign(string name, Ablation ablation)
    {
        using OddModel model = OddModel.Make(name);
        PromptPair[] pairs = ablation == Ablation.MeanPositional ? model.Equal : model.Mixed;
        using var bench = new MaskedBench(model, pairs, null, ablation, BuiltInMetrics.LogitDifference);
        bench.Loss(Array.ConvertAll(Draw(bench.Graph, 1, 0), k => k ? 1.0 : 0));
        float[] eap = model.Score(pairs, new AttributionOptions { Method = AttributionMethods.Eap, Ablation = ablation }).Edges();
        Close([.. eap.Select(s => (double)-s * pairs.Length)], bench.Gradient(), 2e-5);
    }

    [Theory]
    [InlineData("relu, unscaled attention", Ablation.Patching, 0.1)]
    [InlineData("relu, unscaled attention", Ablation.Zero, 0.1)]
    [InlineData("untied, erf", Ablation.Patching, 0.3)]
    [InlineData("head bias", Ablation.MeanPositional, 0.2)]
    public void What_is_pruned_is_left_out_and_nothing_else_changes(string name, Ablation ablation, double density)
    {
        using OddModel model = OddModel.Make(name);
        PromptPair[] pairs = ablation == Ablation.MeanPositional ? model.Equal : model.Mixed;
        using var full = new MaskedBench(model, pairs, null, ablation, BuiltInMetrics.KlDivergence);
        bool[] kept = Draw(full.Graph, density, 8);
        using var compact = new MaskedBench(model, pairs, kept, ablation, BuiltInMetrics.KlDivergence);
        double[] masks = Soft(full.Graph, 9);
        for (int i = 0; i < masks.Length; i++) masks[i] *= kept[i] ? 1 : 0;
        Close(full.Loss(masks), compact.Loss(masks), 1e-6);
        double[] gradient = full.Gradient();
        for (int i = 0; i < gradient.Length; i++) gradient[i] *= kept[i] ? 1 : 0;
        Close(gradient, compact.Gradient(), 1e-5);
        Assert.True(compact.Plan.Columns < full.Plan.Columns);
        Gpt2Config config = model.Weights.Config;
        Assert.True(compact.Plan.WorkPerRow(config.Width, config.HeadWidth, config.InnerWidth) < full.Plan.WorkPerRow(config.Width,
            config.HeadWidth, config.InnerWidth));
    }

    [Theory]
    [InlineData("one head", 1)]
    [InlineData("relu, unscaled attention", 1)]
    [InlineData("relu, unscaled attention", 0.2)]
    [InlineData("untied, erf", 0.3)]
    [InlineData("head bias", 1)]
    public void Leaving_out_shared_prefixes_changes_nothing(string name, double density)
    {
        using OddModel model = OddModel.Make(name);
        PromptPair[] pairs = SharedPrefixTests.WithPrefixes(model.Mixed);
        var graph = new ComputationGraph(model.Weights.Config);
        bool[] candidates = Draw(graph, density, 8);
        using var whole = new MaskedBench(model, pairs, candidates, Ablation.Patching, BuiltInMetrics.KlDivergence, wholePrompts: true);
        using var shared = new MaskedBench(model, pairs, candidates, Ablation.Patching, BuiltInMetrics.KlDivergence);
        Assert.True(shared.Batch.Shape.Rows < whole.Batch.Shape.Rows);
        double[] masks = Soft(graph, 9);
        Close(whole.Loss(masks), shared.Loss(masks), 1e-5);
        Close(whole.Gradient(), shared.Gradient(), 2e-5);
    }

    [Fact]
    public void A_pass_over_a_batch_allocates_nothing()
    {
        using OddModel model = OddModel.Make("head bias", workers: 1);
        using var bench = new MaskedBench(model, model.Mixed, null, Ablation.Patching, BuiltInMetrics.KlDivergence);
        bench.Loss(Soft(bench.Graph, 1));
        bench.Gradient();
        Allocations.None(model.Device, () =>
        {
            bench.Pass.Forward(bench.Batch, bench.Mask);
            bench.Pass.Backward(bench.Batch, bench.Mask, bench.Scores);
        });
    }

    private static bool[] Draw(ComputationGraph graph, double density, int seed)
    {
        var random = new Random(seed);
        var kept = new bool[graph.Writers * graph.Readers];
        foreach ((int row, int column) in graph.Edges) kept[(row * graph.Readers) + column] = random.NextDouble() < density;
        return kept;
    }

    // Masks inside (0, 1), with some at its ends.
    private static double[] Soft(ComputationGraph graph, int seed)
    {
        var random = new Random(seed);
        var masks = new double[graph.Writers * graph.Readers];
        foreach ((int row, int column) in graph.Edges)
            masks[(row * graph.Readers) + column] = (float)Math.Clamp((1.4 * random.NextDouble()) - 0.2, 0, 1);
        return masks;
    }

    private static void Close(IReadOnlyList<double> expected, double[] actual, double tolerance)
    {
        Assert.Equal(expected.Count, actual.Length);
        double largest = Math.Max(0.05, expected.Max(Math.Abs));
        for (int i = 0; i < expected.Count; i++)
        {
            Assert.True(
                Math.Abs(expected[i] - actual[i]) < tolerance * largest, $"{i}: {actual[i]}, expected {expected[i]} (largest {largest})");
        }
    }
}
