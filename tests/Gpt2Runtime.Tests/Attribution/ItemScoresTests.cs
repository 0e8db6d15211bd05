using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Kernels.Cpu;

namespace Gradpath.Gpt2Runtime.Tests.Attribution;

/// <summary>Scores per prompt pair: each is what a run of that pair alone gives, and their mean is what a run of all gives.</summary>
public sealed class ItemScoresTests : IDisposable
{
    private static readonly Gpt2Config s_config = new()
    {
        Layers = 2,
        Heads = 2,
        Width = 12,
        InnerWidth = 20,
        Positions = 10,
        Vocabulary = 17
    };

    private readonly TempFolder _folder = new();
    private readonly CpuDevice _device = new(2);
    private readonly Gpt2Weights _weights;

    // Of several lengths, so that batches by length would come in another order.
    private readonly PromptPair[] _pairs = ReferencePrompts.Random(17, 7, 4, 8, 6);

    public ItemScoresTests() => _weights = EngineModels.Weights(ReferenceModel.Random(s_config, 6), _device);

    public void Dispose()
    {
        _weights.Dispose();
        _device.Dispose();
        _folder.Dispose();
    }

    public static TheoryData<string> Methods => [.. AttributionMethods.All.Where(m => m.ScoresItems).Select(m => m.Name)];

    [Theory]
    [MemberData(nameof(Methods))]
    public void A_pair_has_the_scores_of_a_run_of_its_own(string method)
    {
        AttributionOptions options = new() { Method = AttributionMethods.Find(method) };
        AttributionResult all = Write("items.safetensors", false, options);
        using var file = ItemScoresFile.Open(_folder["items.safetensors"]);
        Assert.Equal((7, method, 12), (file.Items, file.Provenance!.Method, file.ModelWidth));
        float[][] items = Read(file);
        for (int i = 0; i < 7; i++)
        {
            float[] alone = OfEdges(EdgeAttribution.Score(_weights, PromptSet.Of([_pairs[i]]), options));
            Near(alone, items[i], 1e-6f);
        }
        float[] mean = [.. Enumerable.Range(0, items[0].Length).Select(e => (float)items.Average(v => (double)v[e]))];
        Near(OfEdges(all.Scores), mean, 1e-6f);
        Near(OfEdges(EdgeAttribution.Score(_weights, PromptSet.Of(_pairs), options)), mean, 1e-5f);
    }

    [Fact]
    public void Float16_halves_the_file_and_rounds()
    {
        AttributionOptions options = new() { Method = AttributionMethods.Eap };
        Write("single.safetensors", false, options);
        Write("half.safetensors", true, options);
        using var single = ItemScoresFile.Open(_folder["single.safetensors"]);
        using var half = ItemScoresFile.Open(_folder["half.safetensors"]);
        int cells = single.Graph.Writers * single.Graph.Readers;
        Assert.Equal(single.Graph.EdgeCount, single.Edges.Count);
        Assert.Equal(7L * cells * 2, new FileInfo(_folder["single.safetensors"]).Length - new FileInfo(_folder["half.safetensors"]).Length);
        Assert.Equal(Read(single).SelectMany(v => v).Select(v => (float)(Half)v), Read(half).SelectMany(v => v));
    }

    [Fact]
    public void What_float16_cannot_hold_names_the_file()
    {
        string path = _folder["large.safetensors"];
        ComputationGraph graph = new(1, 1);
        float[] scores = new float[graph.Writers * graph.Readers];
        var refusal = Assert.Throws<GradpathException>(() => ItemScoresFile.Write(path, true, 2, graph, 4, new(), null, null, take =>
        {
            take(scores);
            scores[0] = 1e6f;
            take(scores);
        }));
        Assert.Equal(
            $"{path}: a score of prompt pair 2 is too large for float16; keep scores as float32 (their type f32).", refusal.Message);
        Assert.EndsWith("(OPTION f32).", refusal.Describe(term => $"OPTION {term.Value}"), StringComparison.Ordinal);
        Assert.False(File.Exists(path));
    }

    [Fact]
    public void A_run_that_is_stopped_leaves_no_file()
    {
        Assert.Throws<OperationCanceledException>(() => ItemScores.Write(
            _folder["stopped.safetensors"], false, null, _weights, PromptSet.Of(_pairs), new AttributionOptions(), null,
            new CancellationToken(true)));
        Assert.Empty(Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void Options_that_know_no_single_pairs_are_refused()
    {
        AttributionOptions[] unfit =
        [
            new() { Method = AttributionMethods.Exact }, new() { Method = AttributionMethods.Random }, new() { BatchSize = 4 },
            new() { BatchSize = 4, Normalization = ScoreNormalization.Library },
            new()
            {
                Method = AttributionMethods.EapGp, BatchSize = 1,
                EmbeddingPath = new EmbeddingPathOptions { Norm = EmbeddingPathNorm.Batch },
            },
        ];
        Assert.All(unfit, o => Assert.Contains(
            "per prompt pair", Assert.Throws<OptionException>(() => Write("no.safetensors", false, o)).Message, StringComparison.Ordinal));
    }

    [Fact]
    public void A_file_of_something_else_is_refused()
    {
        EdgeAttribution.Score(_weights, PromptSet.Of(_pairs), new AttributionOptions()).Save(_folder["scores.safetensors"]);
        Assert.Contains("edges_scores_per_item", Assert.Throws<GradpathException>(
            () => ItemScoresFile.Open(_folder["scores.safetensors"])).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_scores_of_some_edges_are_those_of_a_file_of_all(bool half)
    {
        AttributionOptions options = new() { Method = AttributionMethods.EapIg };
        AttributionResult all = Write("all.safetensors", half, options);
        Circuit strongest = CircuitSelection.TopEdges(all.Scores, 9);
        AttributionResult same = Write("some.safetensors", half, options, strongest);
        Assert.Equal(all.Scores.Values, same.Scores.Values);
        using var whole = ItemScoresFile.Open(_folder["all.safetensors"]);
        using var some = ItemScoresFile.Open(_folder["some.safetensors"]);
        Assert.Equal(strongest.Edges.Select(e => (e.Row, e.Column)).Order(), some.Edges);
        int[] places = [.. some.Edges.Select(e => whole.Edges.ToList().IndexOf(e))];
        Assert.Equal(Read(whole).Select(v => places.Select(p => v[p])), Read(some));
        int bytes = half ? 2 : 4;
        using var tensors = SafetensorsFile.Open(_folder["some.safetensors"]);
        SafetensorsEntry entry = tensors.Require("edges_scores_per_item");
        Assert.Equal((7L * 9 * bytes, "[7, 9]"), (entry.Bytes, entry.ShapeText));
    }

    [Fact]
    public void Edges_that_do_not_fit_are_refused()
    {
        var graph = new ComputationGraph(s_config);
        Assert.Contains("no edges", Assert.Throws<OptionException>(
            () => Write("no.safetensors", false, new AttributionOptions(), Circuit.Of(graph, []))).Message, StringComparison.Ordinal);
        Assert.Throws<GradpathException>(
            () => Write("no.safetensors", false, new AttributionOptions(), Circuit.Of(new ComputationGraph(1, 2), [(0, 0)])));
        Assert.Empty(Directory.GetFiles(_folder.Path));
    }

    private AttributionResult Write(string name, bool half, AttributionOptions options, Circuit? edges = null) =>
        ItemScores.Write(_folder[name], half, edges, _weights, PromptSet.Of(_pairs), options);

    private static float[][] Read(ItemScoresFile file) => [.. Enumerable.Range(0, file.Items).Select(i =>
    {
        float[] scores = new float[file.Edges.Count];
        file.Read(i, scores);
        return scores;
    })];

    private static float[] OfEdges(EdgeScores scores) => [.. scores.Graph.Edges.Select(e => scores[e.Row, e.Column])];

    private static void Near(float[] expected, float[] actual, float share)
    {
        float largest = expected.Max(Math.Abs);
        Assert.True(largest > 0);
        for (int i = 0; i < expected.Length; i++) Assert.InRange(Math.Abs(expected[i] - actual[i]), 0, share * largest);
    }
}
