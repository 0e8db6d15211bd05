using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Model;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Tests.Discovery;

/// <summary>Where masks start with scores and without: against the definition, and what that does to schedule and files.</summary>
public sealed class MaskStartTests
{
    private static readonly ComputationGraph s_graph = new(2, 2);

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(3, true)]
    public void Parameters_start_where_the_definition_says(int seed, bool onlySome)
    {
        EdgeScores scores = Scores(seed);
        bool[]? candidates = onlySome ? CircuitSelection.TopEdges(scores, 20).Membership.ToArray() : null;
        var plan = new MaskedPlan(s_graph, candidates, ablatedInputsMatter: false);
        double[] expected = ReferenceSearch.Start([.. plan.Edges.Select(e => (double)scores[e.Row, e.Column])]);
        double[] actual = MaskStart.Means(plan, scores, nodeMasks: true);
        Assert.Equal(plan.Edges.Length + plan.Slots, actual.Length);
        for (int i = 0; i < expected.Length; i++) Assert.Equal(expected[i], actual[i], 9);
        for (int row = 0; row < s_graph.Writers; row++)
        {
            int[] own = [.. Enumerable.Range(0, plan.Edges.Length).Where(i => plan.Edges[i].Row == row)];
            if (own.Length > 0) Assert.Equal(own.Max(i => actual[i]), actual[plan.Edges.Length + plan.SlotOf(row)]);
        }
        Assert.Equal(actual[..plan.Edges.Length], MaskStart.Means(plan, scores, nodeMasks: false));

        // Strong edges start open and weak ones closed.
        int[] order = [.. Enumerable.Range(0, expected.Length).OrderBy(i => Math.Abs(scores[plan.Edges[i].Row, plan.Edges[i].Column]))];
        Assert.True(actual[order[0]] < -5 && actual[order[^1]] > 5, $"{actual[order[0]]} and {actual[order[^1]]}");
    }

    [Fact]
    public void Without_scores_all_start_at_ten_and_with_equal_ones_at_five()
    {
        var plan = new MaskedPlan(s_graph, null, ablatedInputsMatter: false);
        Assert.All(MaskStart.Means(plan, null, nodeMasks: true), mean => Assert.Equal(10, mean));
        foreach (float value in (float[])[0, -0.1f, 3e-30f])
        {
            var values = new float[s_graph.Writers * s_graph.Readers];
            foreach ((int row, int column) in s_graph.Edges) values[(row * s_graph.Readers) + column] = value;
            Assert.All(MaskStart.Means(plan, new EdgeScores(s_graph, values), nodeMasks: true), mean => Assert.Equal(5, mean));
        }
    }

    /// <summary>By drawing masks: the target's first value is the sparsity that the first masks have.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_target_begins_at_the_sparsity_that_is_there(bool nodeMasks)
    {
        using OddModel model = OddModel.Make("head bias");
        EdgePruningOptions options = Short with { Init = Scores(model, 4), NodeMasks = nodeMasks, NodeTarget = nodeMasks ? 0.3 : null };
        double gap = 0, nodeGap = 0;
        const int Seeds = 40;
        for (ulong seed = 0; seed < Seeds; seed++)
        {
            EdgePruningStep first = Search(model, options with { Seed = seed, Steps = 1 }).Log[0];
            gap += (first.EdgeSparsity - first.EdgeTarget) / Seeds;
            nodeGap += (first.NodeSparsity - first.NodeTarget) / Seeds;
            Assert.InRange(first.EdgeTarget, 0.1, 0.6);
        }
        Assert.InRange(gap, -0.02, 0.02);
        Assert.InRange(nodeGap, -0.04, 0.04);
    }

    [Fact]
    public void The_target_ends_where_it_does_without_scores()
    {
        EdgePruningOptions plain = new EdgePruningOptions { Sparsity = 0.9, Steps = 300 }.Resolve(1000);
        foreach (TargetSchedule schedule in Enum.GetValues<TargetSchedule>())
        {
            EdgePruningOptions options = plain with { Schedule = schedule };
            double[] targets = [.. Enumerable.Range(0, 300).Select(step => options.TargetAt(step, 0.9, 0.3))];
            Assert.Equal(0.3, targets[0], 12);
            Assert.All(targets[250..], t => Assert.Equal(0.9, t, 12));
            Assert.Equal(targets.Order(), targets);
            Assert.Equal(options.TargetAt(100, 0.9), options.TargetAt(100, 0.9, 0), 12);

            // The rest of a schedule that skips its start goes from the start to the same end.
            EdgePruningOptions rest = options with { SkippedSteps = 50, Steps = 250 };
            Assert.Equal(0.3, rest.TargetAt(0, 0.9, 0.3), 12);
            Assert.Equal(0.9, rest.TargetAt(200, 0.9, 0.3), 12);
        }
    }

    [Fact]
    public void Provenance_states_the_scores_and_another_model_is_refused()
    {
        using OddModel model = OddModel.Make("head bias");
        EdgeScores scores = Scores(model, 5);
        EdgePruningOptions options = Short with { Init = scores };
        Provenance stated = Search(model, options).Circuit.Provenance!;
        Assert.Equal("scores", (string)stated.Options["init"]!);
        Assert.Equal(64, ((string)stated.Options["init-hash"]!).Length);
        Assert.InRange((double)stated.Options["start-sparsity"]!, 0.1, 0.6);
        Assert.False(Search(model, Short).Circuit.Provenance!.Options.ContainsKey("init"));
        Provenance other = Search(model, Short with { Init = Scores(model, 6) }).Circuit.Provenance!;
        Assert.NotEqual((string)stated.Options["init-hash"]!, (string)other.Options["init-hash"]!);
        var foreign = new EdgeScores(new ComputationGraph(3, 5), new float[19 * 49]);
        string message = Assert.Throws<GradpathException>(() => Search(model, Short with { Init = foreign })).Message;
        Assert.Contains("Init: the scores belong to a model of", message, StringComparison.Ordinal);
        var values = scores.Values.ToArray();
        values[0] = float.NaN;
        EdgeScores broken = new(scores.Graph, values);
        Assert.Contains(
            "not a finite number", Assert.Throws<GradpathException>(() => Search(model, Short with { Init = broken })).Message,
            StringComparison.Ordinal);
    }

    private static EdgePruningOptions Short => new() { Sparsity = 0.7, Steps = 20, BatchSize = 3 };

    private static EdgePruningResult Search(OddModel model, EdgePruningOptions options) =>
        CircuitSearches.EdgePruning.Search(model.Weights, PromptSet.Of(model.Mixed), options);

    internal static EdgeScores Scores(OddModel model, int seed) => Scores(new ComputationGraph(model.Weights.Config), seed);

    private static EdgeScores Scores(int seed) => Scores(s_graph, seed);

    // Over some orders of magnitude, of both signs, and now and then 0.
    private static EdgeScores Scores(ComputationGraph graph, int seed)
    {
        var random = new Random(seed);
        var values = new float[graph.Writers * graph.Readers];
        foreach ((int row, int column) in graph.Edges)
        {
            double size = Math.Exp(2 * (random.NextDouble() + random.NextDouble() + random.NextDouble()));
            values[(row * graph.Readers) + column] = random.Next(12) == 0 ? 0 : (float)(size * (random.Next(2) == 0 ? 1 : -1));
        }
        return new EdgeScores(graph, values);
    }
}
