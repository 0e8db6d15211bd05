using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Metrics;

namespace Gradpath.Gpt2Runtime.Tests.Reference;

/// <summary>The reference's gradients against central differences (f(t) - f(-t)) / 2t on random models; needs no files.</summary>
public sealed class ReferenceGradientTests
{
    private const double Step = 1e-4;
    private const double Tolerance = 1e-6;

    private static readonly Gpt2Config Plain = new()
    {
        Layers = 2,
        Heads = 3,
        Width = 9,
        InnerWidth = 14,
        Positions = 7,
        Vocabulary = 11,
    };

    private static readonly Gpt2Config Unusual = Plain with
    {
        Layers = 3,
        Heads = 2,
        Width = 10,
        Epsilon = 0.01f,
        Activation = Gpt2Activation.Gelu,
        TiedHead = false,
        ScaleAttention = false,
        ScaleAttentionByLayer = true,
    };

    public static TheoryData<string, string> Cases
    {
        get
        {
            TheoryData<string, string> cases = [];
            foreach (Metric metric in BuiltInMetrics.All)
            {
                cases.Add("plain", metric.Name);
                cases.Add("unusual", metric.Name);
            }
            cases.Add("relu", BuiltInMetrics.LogitDifference.Name);
            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Eap_is_the_derivative_of_the_loss_with_respect_to_patching_an_edge(string shape, string metricName)
    {
        Metric metric = BuiltInMetrics.Find(metricName);
        (ReferenceModel model, ReferenceItem item) = Prepare(shape);
        // KL is flat at the clean run, so it is measured against the corrupted run instead.
        RealMatrix against = item.Corrupted.LastLogits;
        ReferenceRun clean = ReferenceRun.Forward(model, item.CleanEmbedding);
        clean.Tape.Differentiate(ReferenceMetric.Of(metric, clean, item.Pair, against));
        ReferenceScores scores = new(model.Graph.Rows, model.Graph.Columns);
        scores.AddProducts(model.Graph, item.Delta, clean, 1);

        double Derivative(Func<(int Row, int Column), bool> isPatched)
        {
            double At(double t)
            {
                ReferencePatch patch = new()
                {
                    InCircuit = model.Graph.Circuit(model.Graph.Edges.Where(e => !isPatched(e))),
                    Replacement = [.. item.Delta.Select((d, u) => RealMatrix.Combine(item.Clean.Writers[u].Value, t, d))],
                };
                ReferenceRun run = ReferenceRun.Forward(model, item.CleanEmbedding, patch);
                return ReferenceMetric.Value(metric, run.LastLogits, item.Pair, against);
            }

            return (At(Step) - At(-Step)) / (2 * Step);
        }

        Assert.All(model.Graph.Edges, edge => Assert.Equal(Derivative(e => e == edge), scores.Edges[edge.Row, edge.Column], Tolerance));
        Assert.All(Enumerable.Range(0, model.Graph.Rows), u => Assert.Equal(Derivative(e => e.Row == u), scores.Nodes[u], Tolerance));
        Assert.Contains(scores.Edges.Cast<double>(), s => Math.Abs(s) > 1e3 * Tolerance);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Gradient_at_the_embedding_is_that_of_every_objective(string shape, string metricName)
    {
        Metric metric = BuiltInMetrics.Find(metricName);
        (ReferenceModel model, ReferenceItem item) = Prepare(shape);
        Random random = new(5);
        RealMatrix direction = new(item.CleanEmbedding.Rows, item.CleanEmbedding.Columns);
        for (int i = 0; i < direction.Data.Length; i++)
        {
            direction.Data[i] = random.NextDouble() - 0.5;
        }
        RealMatrix point = RealMatrix.Interpolate(item.CorruptedEmbedding, item.CleanEmbedding, 0.3);
        foreach (ReferenceObjective objective in Enum.GetValues<ReferenceObjective>())
        {
            ReferenceOptions options = new() { Method = AttributionMethods.EapGp, Objective = objective, Metric = metric };
            TapeNode Objective(double t, out ReferenceRun run)
            {
                run = ReferenceRun.Forward(model, RealMatrix.Combine(point, t, direction));
                return ReferencePath.Objective(run, item, options.Start == ReferenceStart.Clean, options);
            }

            TapeNode value = Objective(0, out ReferenceRun at);
            at.Tape.Differentiate(value);
            double expected = (Objective(Step, out _).Value[0, 0] - Objective(-Step, out _).Value[0, 0]) / (2 * Step);
            double actual = RealMatrix.Dot(at.Embedding.GradientOrZero, direction);
            Assert.Equal(expected, actual, Tolerance * Math.Max(1, Math.Abs(expected)));
        }
    }

    [Theory]
    [InlineData(Gpt2Activation.GeluNew)]
    [InlineData(Gpt2Activation.Gelu)]
    [InlineData(Gpt2Activation.Relu)]
    [InlineData(Gpt2Activation.Silu)]
    [InlineData(Gpt2Activation.QuickGelu)]
    [InlineData(Gpt2Activation.Tanh)]
    public void Activation_derivatives_are_right(Gpt2Activation activation)
    {
        for (double x = -8.05; x < 8; x += 0.1)
        {
            double expected = (ReferenceActivation.Value(activation, x + 1e-5) - ReferenceActivation.Value(activation, x - 1e-5)) / 2e-5;
            Assert.Equal(expected, ReferenceActivation.Derivative(activation, x), 1e-8);
        }
    }

    [Theory]
    [InlineData(0.0, 0.0)]
    [InlineData(1e-9, 1.1283791670955126e-9)]
    [InlineData(0.5, 0.5204998778130465)]
    [InlineData(1.0, 0.8427007929497149)]
    [InlineData(-2.0, -0.9953222650189527)]
    [InlineData(3.5, 0.9999992569016276)]
    [InlineData(7.0, 1.0)]
    public void Erf_is_right_to_the_last_digits(double x, double expected) =>
        Assert.Equal(expected, ReferenceActivation.Erf(x), 2e-15);

    private static (ReferenceModel Model, ReferenceItem Item) Prepare(string shape)
    {
        Gpt2Config config = shape switch
        {
            "plain" => Plain,
            "relu" => Plain with { Activation = Gpt2Activation.Relu },
            _ => Unusual,
        };
        ReferenceModel model = ReferenceModel.Random(config, seed: 3, unembeddingBias: shape == "unusual");
        PromptPair[] pairs = ReferencePrompts.Random(config.Vocabulary, count: 1, shortest: 6, longest: 6, seed: 4);
        return (model, ReferenceItem.Prepare(model, pairs, ReferenceAblation.Patching)[0]);
    }
}
