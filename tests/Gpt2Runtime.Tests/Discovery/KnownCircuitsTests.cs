using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Tests.Discovery;

/// <summary>The hand-set models do what is said of them, edge by edge, in float64.</summary>
public sealed class KnownCircuitsTests
{
    private const double Tolerance = 1e-3;

    public static TheoryData<string> Names => KnownCircuits.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public void The_model_does_its_task_on_clean_prompts_only(string name)
    {
        KnownCircuit known = KnownCircuits.Make(name);
        foreach (ReferenceItem item in Items(known))
        {
            Assert.Equal(known.FullMetric, Metric(item, item.Clean.LastLogits), Tolerance);
            Assert.Equal(known.CorruptedMetric, Metric(item, item.Corrupted.LastLogits), Tolerance);
            Assert.Equal(item.Clean.LastLogits.Data.Max(), item.Clean.LastLogits[0, item.Pair.Answers[0]]);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Corrupting_one_edge_changes_the_metric_as_stated_and_no_other_edge_does(string name)
    {
        KnownCircuit known = KnownCircuits.Make(name);
        ReferenceGraph graph = known.Model.Graph;
        ReferenceItem[] items = Items(known)[..4];
        Assert.All(known.EdgeNames.Concat(known.Backup.Keys), edge => Assert.Contains(graph.Edge(edge), graph.Edges));
        foreach ((int Row, int Column) edge in graph.Edges)
        {
            string edgeName = graph.EdgeName(edge);
            bool matters = known.MetricWithout.TryGetValue(edgeName, out double expected);
            if (!matters) expected = known.Backup.GetValueOrDefault(edgeName, known.FullMetric);
            bool[,] kept = graph.Circuit(graph.Edges.Where(e => e != edge));
            double[] metrics = [.. items.Select(i => Metric(i, ReferenceCircuit.Run(known.Model, i, kept).LastLogits))];
            Assert.All(metrics, value => Assert.True(Math.Abs(value - expected) < Tolerance, $"{edgeName}: {value}, not {expected}"));
            if (matters) Assert.True(Math.Abs(expected - known.FullMetric) > 0.3, edgeName);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void The_circuit_alone_does_the_task_and_without_any_one_edge_it_does_not(string name)
    {
        KnownCircuit known = KnownCircuits.Make(name);
        ReferenceGraph graph = known.Model.Graph;
        ReferenceItem[] items = Items(known);
        double[] Without(string? edge) => ReferenceCircuit
            .Evaluate(known.Model, items, graph.Circuit(known.EdgeNames.Where(e => e != edge).Select(graph.Edge)))
            .Metric(BuiltInMetrics.LogitDifference);
        Assert.All(Without(null), value => Assert.Equal(known.FullMetric, value / HandSetModel.LogitScale, Tolerance));
        foreach (string edge in known.EdgeNames)
        {
            Assert.All(Without(edge), value => Assert.True(Math.Abs(known.FullMetric - (value / HandSetModel.LogitScale)) > 0.3,
                $"{edge}: {value}"));
        }
    }

    [Fact]
    public void The_backup_takes_over_where_the_head_that_it_backs_up_is_missing()
    {
        KnownCircuit known = KnownCircuits.Backup();
        ReferenceGraph graph = known.Model.Graph;
        bool[,] kept = graph.Circuit(graph.Edges.Where(e => graph.WriterNames[e.Row] != "a0.h0"));
        Assert.All(Items(known), i => Assert.Equal(0.5, Metric(i, ReferenceCircuit.Run(known.Model, i, kept).LastLogits), Tolerance));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Heads_and_mlps_outside_the_circuit_react_to_the_corruption(string name)
    {
        KnownCircuit known = KnownCircuits.Make(name);
        foreach (ReferenceItem item in Items(known))
        {
            foreach (int row in Enumerable.Range(0, known.Model.Graph.Rows).Where(row => IsNoise(known, row)))
            {
                Assert.True(item.Delta[row].Norm() > 0.05, $"{known.Model.Graph.WriterNames[row]}: {item.Delta[row].Norm()}");
            }
        }
    }

    private static bool IsNoise(KnownCircuit known, int row) =>
        !known.EdgeNames.Concat(known.Backup.Keys).Any(
            e => e.StartsWith(known.Model.Graph.WriterNames[row] + "->", StringComparison.Ordinal));

    private static ReferenceItem[] Items(KnownCircuit known) => ReferenceItem.Prepare(known.Model, known.Pairs, ReferenceAblation.Patching);

    private static double Metric(ReferenceItem item, RealMatrix lastLogits) =>
        ReferenceMetric.Value(BuiltInMetrics.LogitDifference, lastLogits, item.Pair, item.Clean.LastLogits) / HandSetModel.LogitScale;
}
