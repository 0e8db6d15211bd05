using System.Text.Json;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Tests.Support.Reference;

namespace Gradpath.Tests.Support.Goldens;

/// <summary>A circuit of the fixture and its per-item logit differences.</summary>
internal sealed record FixtureCircuit(string Select, int N, string[]? Kept, double[] LogitDiff);

/// <summary>
/// The earlier, self-contained fixture: a 2-layer model, two batches of three prompts of unequal length, scores as the library prints them
/// at batch size 3. Token 0 is put before every prompt.
/// </summary>
internal sealed class TinyFixture
{
    /// <summary>Items per batch, which the library's normalisation depends on.</summary>
    public const int BatchSize = 3;

    private readonly JsonElement _json;

    private TinyFixture(JsonElement json)
    {
        _json = json;
        Model = ReadModel(json.GetProperty("cfg"), json.GetProperty("weights"));
        Pairs = [.. json.GetProperty("batches").EnumerateArray().SelectMany(ReadBatch)];
    }

    public ReferenceModel Model { get; }

    public PromptPair[] Pairs { get; }

    public string[] Writers => GoldenJson.Strings(_json.GetProperty("rows"));

    public string[] Readers => GoldenJson.Strings(_json.GetProperty("cols"));

    public IEnumerable<(string Name, double[,] Matrix)> EdgeScores =>
        _json.GetProperty("edge_scores").EnumerateObject().Select(p => (p.Name, GoldenJson.Matrix(p.Value)));

    public IEnumerable<(string Name, double[] Values)> NodeScores =>
        _json.GetProperty("node_scores").EnumerateObject().Select(p => (p.Name, GoldenJson.Vector(p.Value)));

    public double[] CleanLogitDiff => GoldenJson.Vector(_json.GetProperty("baseline_logit_diff"));

    public double[] CorruptedLogitDiff => GoldenJson.Vector(_json.GetProperty("corrupted_logit_diff"));

    /// <summary>Last-position logits of the first batch's clean runs.</summary>
    public double[][] FirstBatchLastLogits =>
        [.. _json.GetProperty("forward_check").GetProperty("batch0_last_logits").EnumerateArray().Select(GoldenJson.Vector)];

    public IEnumerable<FixtureCircuit> Circuits => _json.GetProperty("circuit_evaluations").EnumerateArray().Select(c => new FixtureCircuit(
        c.GetProperty("select").GetString()!,
        c.GetProperty("n").GetInt32(),
        c.TryGetProperty("kept", out JsonElement kept) ? GoldenJson.Strings(kept) : null,
        GoldenJson.Vector(c.GetProperty("logit_diff"))));

    /// <summary>Reads the fixture.</summary>
    public static TinyFixture Read() =>
        new(JsonElement.Parse(File.ReadAllBytes(RepositoryFiles.Data("goldens/tiny-fixture/tiny_gpt2_reference_scores.json"))));

    private static IEnumerable<PromptPair> ReadBatch(JsonElement batch)
    {
        static int[] Tokens(JsonElement json) => [0, .. json.EnumerateArray().Select(e => e.GetInt32())];
        JsonElement clean = batch.GetProperty("clean"), corrupted = batch.GetProperty("corrupted"), labels = batch.GetProperty("labels");
        return Enumerable.Range(0, clean.GetArrayLength()).Select(i =>
            new PromptPair(Tokens(clean[i]), Tokens(corrupted[i]), [labels[i][0].GetInt32()], [labels[i][1].GetInt32()]));
    }

    private static ReferenceModel ReadModel(JsonElement cfg, JsonElement weights)
    {
        int Number(string name) => cfg.GetProperty(name).GetInt32();
        Gpt2Config config = new()
        {
            Layers = Number("n_layers"),
            Heads = Number("n_heads"),
            Width = Number("d_model"),
            InnerWidth = Number("d_mlp"),
            Positions = Number("n_ctx"),
            Vocabulary = Number("d_vocab"),
            TiedHead = false,
        };
        Dictionary<string, double[]> tensors = new(StringComparer.Ordinal)
        {
            ["wte.weight"] = Flat(weights, "wte"),
            ["wpe.weight"] = Flat(weights, "wpe"),
            ["ln_f.weight"] = Flat(weights, "ln_f_w"),
            ["ln_f.bias"] = Flat(weights, "ln_f_b"),
            ["lm_head.weight"] = new RealMatrix(config.Width, config.Vocabulary, Flat(weights, "lm_head_W_U")).Transpose().Data,
            ["lm_head.bias"] = Flat(weights, "lm_head_b_U"),
        };
        for (int l = 0; l < config.Layers; l++)
        {
            JsonElement block = weights.GetProperty("blocks")[l];
            tensors[$"h.{l}.ln_1.weight"] = Flat(block, "ln1_w");
            tensors[$"h.{l}.ln_1.bias"] = Flat(block, "ln1_b");
            tensors[$"h.{l}.attn.c_attn.weight"] = JoinHeads(config, Flat(block, "W_Q"), Flat(block, "W_K"), Flat(block, "W_V"));
            tensors[$"h.{l}.attn.c_attn.bias"] = [.. Flat(block, "b_Q"), .. Flat(block, "b_K"), .. Flat(block, "b_V")];
            tensors[$"h.{l}.attn.c_proj.weight"] = Flat(block, "W_O");
            tensors[$"h.{l}.attn.c_proj.bias"] = Flat(block, "b_O");
            tensors[$"h.{l}.ln_2.weight"] = Flat(block, "ln2_w");
            tensors[$"h.{l}.ln_2.bias"] = Flat(block, "ln2_b");
            tensors[$"h.{l}.mlp.c_fc.weight"] = Flat(block, "W_in");
            tensors[$"h.{l}.mlp.c_fc.bias"] = Flat(block, "b_in");
            tensors[$"h.{l}.mlp.c_proj.weight"] = Flat(block, "W_out");
            tensors[$"h.{l}.mlp.c_proj.bias"] = Flat(block, "b_out");
        }
        return new ReferenceModel(config, tensors);
    }

    private static double[] Flat(JsonElement json, string name) => [.. GoldenJson.Flatten(json.GetProperty(name))];

    /// <summary>[part][head][D][head width] becomes [D, 3 D].</summary>
    private static double[] JoinHeads(Gpt2Config config, params double[][] parts)
    {
        int width = config.Width, headWidth = config.HeadWidth;
        RealMatrix joined = new(width, 3 * width);
        for (int part = 0; part < 3; part++)
        {
            for (int i = 0; i < parts[part].Length; i++)
            {
                int head = i / (width * headWidth), row = i / headWidth % width, column = i % headWidth;
                joined[row, part * width + head * headWidth + column] = parts[part][i];
            }
        }
        return joined.Data;
    }
}
