using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Gpt2Runtime.Tests.Evaluation;

/// <summary>Stability of made-up scores whose answer is known.</summary>
public sealed class StabilityTests : IDisposable
{
    private static readonly ComputationGraph s_graph = new(1, 1);
    private readonly TempFolder _folder = new();
    private string?[]? _labels;

    // The graph has 8 edges.
    private static readonly (int Row, int Column)[] Edges = [.. s_graph.Edges];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Pairs_that_agree_give_the_same_circuit_every_time()
    {
        Stability stability = Measure(
            new StabilityOptions { Sizes = [3, 8], Resamples = 10 }, [8, -7, 6, 5, 4, 3, 2, 1], [16, -14, 12, 10, 8, 6, 4, 2]);
        Assert.Equal(1, stability.Spearman, 12);
        Assert.Equal([new StabilitySize(3, 1, 1, 3, 0, 0), new StabilitySize(8, 1, 1, 8, 0, 0)], stability.Sizes);
        Assert.Equal(Edges, stability.Edges.Select(e => (e.Row, e.Column)));
        Assert.All(stability.Edges, (e, i) => Assert.Equal((i + 1, i + 1, i + 1), (e.Rank, e.LowRank, e.HighRank)));
        Assert.Equal([12f, -10.5f, 9f], stability.Edges.Take(3).Select(e => e.Score));
        Assert.Equal(Edges[..3], stability.Consensus(0, 0.9).Edges);

        // By the score itself the second is the last.
        Assert.Equal(Edges[1], stability.Edges.Select(e => (e.Row, e.Column)).ElementAt(1));
        Stability signed = Measure(
            new StabilityOptions { Sizes = [7], BySign = true }, [8, -7, 6, 5, 4, 3, 2, 1], [8, -7, 6, 5, 4, 3, 2, 1]);
        Assert.Equal(Edges[1], signed.Edges.Select(e => (e.Row, e.Column)).Last());
    }

    // Of two pairs, each is the only one drawn in a quarter of the data sets, and the first edge wins where the first pair is drawn at all.
    [Fact]
    public void Inclusion_is_the_share_of_data_sets()
    {
        Stability stability = Measure(
            new StabilityOptions { Sizes = [1], Resamples = 4000, Seed = 3 }, [9, 1, 0, 0, 0, 0, 0, 0], [0, 2, 0, 0, 0, 0, 0, 0]);
        double[] inclusion = [.. Edges.Select(e => stability.Edges.Single(s => (s.Row, s.Column) == e).Inclusion[0])];
        Assert.InRange(inclusion[0], 0.72, 0.78);
        Assert.Equal(1, inclusion[0] + inclusion[1], 12);
        StabilitySize size = stability.Sizes[0];
        Assert.Equal((0, 2, 0), (size.Core, size.Contingent, size.Noise));
        Assert.Equal(inclusion[0], size.JaccardToAll, 12);
        int with = (int)Math.Round(inclusion[0] * 4000), without = 4000 - with;
        double pairs = 4000.0 * 3999 / 2;
        Assert.Equal(((with * (with - 1.0) / 2) + (without * (without - 1.0) / 2)) / pairs, size.Jaccard, 9);

        // Ranks 1, 2 and 2, 1 of eight: 1 - 6 (1 + 1) / (8 63) for two data sets that differ.
        double differ = with * (double)without / pairs;
        Assert.Equal(1 - (differ * 12 / (8 * 63.0)), stability.Spearman, 9);
        StabilityEdge first = stability.Edges.Single(s => (s.Row, s.Column) == Edges[0]);
        Assert.Equal((1, 2), (first.LowRank, first.HighRank));
    }

    // Two templates: in half of the data sets both are drawn, with means (9 + 1 + 3) / 3 and 2; in a quarter each, one alone.
    [Fact]
    public void Groups_are_drawn_whole()
    {
        _labels = ["template=1;noun=a", "noun=b;template=2", "template=1;noun=c"];
        float[][] items = [[9, 2, 0, 0, 0, 0, 0, 0], [0, 6, 0, 0, 0, 0, 0, 0], [1, 2, 0, 0, 0, 0, 0, 0]];
        StabilityOptions options = new() { Sizes = [1], Resamples = 4000, Seed = 3, Part = "template" };
        Stability stability = Measure(options, items);

        // Both: 10 of 3 against 10 of 3, the first by position; the first alone: 5 against 2; the second alone: 0 against 6.
        double inclusion = stability.Edges.Single(s => (s.Row, s.Column) == Edges[0]).Inclusion[0];
        Assert.InRange(inclusion, 0.72, 0.78);
        Assert.Equal(2, stability.Groups);
        Assert.Equal(3, Measure(options with { Part = "noun" }, items).Groups);
        Assert.Contains("prompt pair 1 has no 'colour' in its label", Refusal("colour"), StringComparison.Ordinal);
        _labels = ["template=1", "template=1", "template=1"];
        Assert.Contains("all prompt pairs have the same", Refusal("template"), StringComparison.Ordinal);
        Assert.StartsWith(
            "Part noun: prompt pair 1 has no 'noun' in its label \"template=1\"; use 'template'", Refusal("noun"),
            StringComparison.Ordinal);
        _labels = null;
        Assert.Contains("no labels", Refusal("template"), StringComparison.Ordinal);

        string Refusal(string part) => Assert.Throws<OptionException>(() => Measure(options with { Part = part }, items)).Message;
    }

    [Fact]
    public void What_cannot_be_measured_is_refused()
    {
        float[] scores = [1, 2, 3, 4, 5, 6, 7, 8];
        Assert.Throws<OptionException>(() => Measure(new StabilityOptions { Sizes = [9] }, scores, scores));
        Assert.Throws<OptionException>(() => Measure(new StabilityOptions { Sizes = [] }, scores, scores));
        Assert.Throws<OptionException>(() => Measure(new StabilityOptions { Sizes = [1], Resamples = 1 }, scores, scores));
        Assert.Throws<GradpathException>(() => Measure(new StabilityOptions { Sizes = [1] }, scores));
    }

    [Fact]
    public void A_file_of_some_edges_ranks_those_alone()
    {
        StabilityOptions options = new() { Sizes = [2], Resamples = 20, Seed = 4 };
        float[][] items = [[1, -2, 3, 8, 5, 6, 7, 4], [2, 4, -6, 1, 3, 5, 7, 9], [3, 1, 4, 1, 5, 9, 2, 6]];
        (int Row, int Column)[] kept = [Edges[1], Edges[3], Edges[6], Edges[7]];
        Stability some = Measure(Circuit.Of(s_graph, kept), options, items);
        Assert.Equal(kept.Order(), some.Edges.Select(e => (e.Row, e.Column)).Order());
        Assert.Equal([1, 2, 3, 4], some.Edges.Select(e => e.Rank));

        // As if the others scored nothing, which are then below all of these.
        Stability zero = Measure(
            options, [.. items.Select(item => item.Select((s, e) => kept.Contains(Edges[e]) ? s : 0f).ToArray())]);
        Assert.Equal(zero.Sizes[0], some.Sizes[0]);
        Assert.Equal(
            zero.Edges.Take(4).Select(e => (e.Row, e.Column, e.Score, e.Rank)), some.Edges.Select(e => (e.Row, e.Column, e.Score, e.Rank)));
        Assert.Contains("from 1 to 4, the edges that have scores", Assert.Throws<OptionException>(
            () => Measure(Circuit.Of(s_graph, kept), options with { Sizes = [5] }, items)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Work_that_is_stopped_ends()
    {
        Measure(new StabilityOptions { Sizes = [1], Resamples = 2 }, [1, 2, 3, 4, 5, 6, 7, 8], [1, 2, 3, 4, 5, 6, 7, 8]);
        using var file = ItemScoresFile.Open(_folder["items.safetensors"]);
        Assert.Throws<OperationCanceledException>(
            () => Stability.Measure(file, new StabilityOptions { Sizes = [1] }, new CancellationToken(true)));
    }

    private Stability Measure(StabilityOptions options, params float[][] items) => Measure(null, options, items);

    private Stability Measure(Circuit? edges, StabilityOptions options, float[][] items)
    {
        string path = _folder["items.safetensors"];
        ItemScoresFile.Write(path, false, items.Length, s_graph, 4, new Provenance(), _labels, edges, take =>
        {
            foreach (float[] item in items)
            {
                float[] cells = new float[s_graph.Writers * s_graph.Readers];
                for (int e = 0; e < Edges.Length; e++) cells[(Edges[e].Row * s_graph.Readers) + Edges[e].Column] = item[e];
                take(cells);
            }
        });
        using var file = ItemScoresFile.Open(path);
        return Stability.Measure(file, options);
    }
}
