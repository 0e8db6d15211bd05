using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;
using Xunit.Abstractions;

namespace Gradpath.Gpt2Runtime.Tests.Reference;

/// <summary>
/// The reference against the earlier fixture: other weights, an untied unembedding with bias, unequal lengths in a batch, odd m.
/// Its node scores are compared where the library is right: not for MLPs, whose gradient it took at their input.
/// </summary>
public sealed class TinyFixtureTests(ITestOutputHelper output)
{
    private const double Tolerance = 1e-9;

    // The library keeps exact scores in float32.
    private const double SingleTolerance = 1e-6;

    [Fact]
    public void Runs_equal_the_fixture()
    {
        TinyFixture fixture = TinyFixture.Read();
        Assert.Equal(fixture.Writers, fixture.Model.Graph.WriterNames);
        Assert.Equal(fixture.Readers, fixture.Model.Graph.ReaderNames);
        ReferenceItem[] items = ReferenceItem.Prepare(fixture.Model, fixture.Pairs, ReferenceAblation.Patching);
        IEnumerable<double> Values(Func<ReferenceItem, ReferenceRun> run) =>
            items.Select(i => ReferenceMetric.Value(BuiltInMetrics.LogitDifference, run(i).LastLogits, i.Pair, i.Clean.LastLogits));

        Deviations deviations = new(output);
        deviations.Compare("clean", fixture.CleanLogitDiff, Values(i => i.Clean), Tolerance);
        deviations.Compare("corrupted", fixture.CorruptedLogitDiff, Values(i => i.Corrupted), Tolerance);
        for (int i = 0; i < fixture.FirstBatchLastLogits.Length; i++)
        {
            deviations.Compare("logits", fixture.FirstBatchLastLogits[i], items[i].Clean.LastLogits.Data, Tolerance);
        }
        deviations.Check();
    }

    [Fact]
    public void Edge_scores_equal_the_fixture()
    {
        TinyFixture fixture = TinyFixture.Read();
        Deviations deviations = new(output);
        foreach ((string name, double[,] expected) in fixture.EdgeScores)
        {
            ReferenceScores actual = ReferenceAttribution.Score(fixture.Model, fixture.Pairs, Options(name));
            bool exact = name.StartsWith("exact", StringComparison.Ordinal);
            if (exact)
            {
                Negate(expected); // its metric is the logit difference itself, not the loss
            }
            deviations.Compare(name, expected, actual.Edges, exact ? SingleTolerance : Tolerance);
        }
        deviations.Check();
    }

    [Fact]
    public void Node_scores_equal_the_fixture_but_for_mlps()
    {
        TinyFixture fixture = TinyFixture.Read();
        ReferenceGraph graph = fixture.Model.Graph;
        int[] rows = [.. Enumerable.Range(0, graph.Rows).Where(u => !graph.WriterNames[u].StartsWith('m'))];
        Deviations deviations = new(output);
        foreach ((string name, double[] expected) in fixture.NodeScores)
        {
            ReferenceScores actual = ReferenceAttribution.Score(fixture.Model, fixture.Pairs, Options(name));
            deviations.Compare(name, rows.Select(u => expected[u]), rows.Select(u => actual.Nodes[u]), Tolerance);
        }
        deviations.Check();
    }

    [Fact]
    public void Circuits_evaluate_to_the_fixture()
    {
        TinyFixture fixture = TinyFixture.Read();
        ReferenceGraph graph = fixture.Model.Graph;
        FixtureCircuit[] circuits = [.. fixture.Circuits];
        Deviations deviations = new(output);
        foreach (FixtureCircuit circuit in circuits)
        {
            bool zero = circuit.Select.Contains("intervention=zero", StringComparison.Ordinal);
            // The zero-ablated one lists no edges: it is the top-n circuit of the same size.
            string[] kept = circuit.Kept ?? circuits.First(c => c.N == circuit.N && c.Kept is not null).Kept!;
            ReferenceCircuit actual = ReferenceCircuit.Evaluate(
                fixture.Model,
                fixture.Pairs,
                graph.Circuit(kept.Select(graph.Edge)),
                zero ? ReferenceAblation.Zero : ReferenceAblation.Patching);
            deviations.Compare(
                $"{circuit.Select} {circuit.N}", circuit.LogitDiff, actual.Metric(BuiltInMetrics.LogitDifference), Tolerance);
        }
        deviations.Check();
    }

    /// <summary>Options of the fixture's keys.</summary>
    internal static ReferenceOptions Options(string name)
    {
        int steps = name.IndexOf("ig_steps=", StringComparison.Ordinal);
        return new ReferenceOptions
        {
            Method = AttributionMethods.Find(name == "EAP-zero" ? "EAP" : name.Split('(')[0]),
            Ablation = name == "EAP-zero" ? ReferenceAblation.Zero : ReferenceAblation.Patching,
            Steps = steps < 0 ? 1 : name[steps + "ig_steps=".Length] - '0',
            IgPoints = name.Contains("k=1..n", StringComparison.Ordinal) ? ReferenceIgPoints.Right : ReferenceIgPoints.Left,
            Normalization = name.StartsWith("information", StringComparison.Ordinal)
                ? ReferenceNormalization.PerItemMean
                : ReferenceNormalization.Library,
            BatchSize = TinyFixture.BatchSize,
            UndefinedFlow = double.NaN,
        };
    }

    internal static void Negate(double[,] matrix)
    {
        for (int r = 0; r < matrix.GetLength(0); r++)
        {
            for (int c = 0; c < matrix.GetLength(1); c++)
            {
                matrix[r, c] = -matrix[r, c];
            }
        }
    }
}
