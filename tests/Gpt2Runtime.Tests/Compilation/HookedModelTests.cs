using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Compilation;

namespace Gradpath.Gpt2Runtime.Tests.Compilation;

/// <summary>Models of TransformerLens in GPT-2's layout, against a plain forward pass of what the state dictionary means.</summary>
public sealed class HookedModelTests : IDisposable
{
    private const int Layers = 2, Heads = 3, Inner = 7, Positions = 6, Vocabulary = 9;

    private readonly TempFolder _folder = new();
    private readonly Dictionary<string, (float[] Values, int[] Shape)> _state = new(StringComparer.Ordinal);

    [Theory]
    [InlineData(null, 10, 4, 9)]
    [InlineData(null, 4, 3, 5)]
    [InlineData("LN", 12, 4, 9)]
    [InlineData("LNPre", 12, 4, 9)]
    public void Logits_are_those_of_the_model(string? norm, int width, int headWidth, int outputs)
    {
        CompiledModel model = HookedModel.Read(Weights(norm, width, headWidth, outputs), Config(norm, width, headWidth, outputs), null);
        ReferenceModel reference = new(
            model.Config, model.Tensors.ToDictionary(t => t.Key, t => Array.ConvertAll(t.Value.ToArray(), v => (double)v)));
        int[] prompt = [3, 1, 8, 1];
        double[] expected = Logits(prompt, norm, width, headWidth, outputs);
        RealMatrix found = ReferenceRun.Forward(reference, reference.Embed(prompt)).LastLogits;
        for (int t = 0; t < outputs; t++) Assert.Equal(expected[t], found[0, t], 1e-4);
        for (int t = outputs; t < found.Columns; t++) Assert.Equal(-1e4, found[0, t], 10.0);
        Assert.Equal(0, model.Circuit.EdgeCount);
    }

    [Fact]
    public void Edges_are_read_by_name()
    {
        string edges = _folder.Write("edges.json", """["input->a0.h1<v>", "a0.h1->m1", "m1->logits"]""");
        CompiledModel model = HookedModel.Read(Weights(null, 10, 4, 9), Config(null, 10, 4, 9), edges);
        Assert.Equal(
            ["input->a0.h1<v>", "a0.h1->m1", "m1->logits"],
            model.Circuit.Edges.Select(e => model.Circuit.Graph.EdgeName(e.Row, e.Column)).OrderDescending(StringComparer.Ordinal)
                .OrderBy(n => n.StartsWith("input", StringComparison.Ordinal) ? 0 : n.StartsWith('a') ? 1 : 2));
        CompiledModelFolder.Write(_folder["out"], model, new Gradpath.Gpt2Runtime.Graph.Provenance { Method = CompiledModelFolder.Method });
        using Gpt2Checkpoint checkpoint = Gpt2Checkpoint.Open(_folder["out"]);
        Assert.Equal(model.Circuit.Membership, CompiledModelFolder.Read(checkpoint)!.Membership);
        Assert.Null(CompiledModelFolder.Read(checkpoint, CompiledModelFolder.Undecided));
    }

    [Theory]
    [InlineData("normalization_type", "RMS", "normalization_type is \"RMS\"")]
    [InlineData("attention_dir", "bidirectional", "attention_dir is \"bidirectional\"")]
    [InlineData("positional_embedding_type", "rotary", "positional_embedding_type is \"rotary\"")]
    [InlineData("act_fn", "solu_ln", "act_fn is \"solu_ln\"")]
    [InlineData("d_model", 11, "embed.W_E is [9, 10]; by the configuration it is [9, 11]")]
    [InlineData("n_layers", 0, "n_layers is 0")]
    [InlineData("n_heads", null, "n_heads is missing")]
    [InlineData("parallel_attn_mlp", true, "parallel_attn_mlp is true")]
    [InlineData("normalization_type", "LN", "d_model is 10, n_heads x d_head is 12")]
    public void What_the_layout_cannot_hold_is_named(string key, object? value, string message)
    {
        string weights = Weights(null, 10, 4, 9), config = Config(null, 10, 4, 9);
        JsonObject json = JsonNode.Parse(File.ReadAllText(config))!.AsObject();
        json[key] = value switch { string s => s, int i => i, bool b => b, _ => null };
        File.WriteAllText(config, json.ToJsonString());
        Assert.Contains(message, Assert.Throws<GradpathException>(() => HookedModel.Read(weights, config, null)).Message);
    }

    [Theory]
    [InlineData("[]", "a JSON list of the names of edges is needed")]
    [InlineData("{}", "a JSON list of the names of edges is needed")]
    [InlineData("[\"m1->a0.h1<v>\"]", "\"m1->a0.h1<v>\" is no edge")]
    [InlineData("[3]", "is no edge")]
    public void Edges_that_are_none_are_named(string text, string message)
    {
        string weights = Weights(null, 10, 4, 9), config = Config(null, 10, 4, 9), edges = _folder.Write("edges.json", text);
        Assert.Contains(message, Assert.Throws<GradpathException>(() => HookedModel.Read(weights, config, edges)).Message);
    }

    public void Dispose() => _folder.Dispose();

    private string Config(string? norm, int width, int headWidth, int outputs) => _folder.Write("cfg.json", new JsonObject
    {
        ["n_layers"] = Layers,
        ["n_heads"] = Heads,
        ["d_model"] = width,
        ["d_head"] = headWidth,
        ["d_mlp"] = Inner,
        ["n_ctx"] = Positions,
        ["d_vocab"] = Vocabulary,
        ["d_vocab_out"] = outputs,
        ["act_fn"] = "relu",
        ["normalization_type"] = norm,
        ["eps"] = 1e-3,
        ["attention_dir"] = "causal",
        ["positional_embedding_type"] = "standard",
        ["use_attn_scale"] = true,
    }.ToJsonString());

    private string Weights(string? norm, int width, int headWidth, int outputs)
    {
        Random random = new(width);
        _state.Clear();
        void Add(string name, params int[] shape) => _state[name] =
            ([.. Enumerable.Range(0, shape.Aggregate(1, (p, e) => p * e)).Select(_ => (float)(random.NextDouble() - 0.5) * 2)], shape);
        Add("embed.W_E", Vocabulary, width);
        Add("pos_embed.W_pos", Positions, width);
        for (int l = 0; l < Layers; l++)
        {
            string b = $"blocks.{l}.";
            foreach (char c in "QKV")
            {
                Add($"{b}attn.W_{c}", Heads, width, headWidth);
                Add($"{b}attn.b_{c}", Heads, headWidth);
            }
            Add($"{b}attn.W_O", Heads, headWidth, width);
            Add($"{b}attn.b_O", width);
            Add($"{b}mlp.W_in", width, Inner);
            Add($"{b}mlp.b_in", Inner);
            Add($"{b}mlp.W_out", Inner, width);
            Add($"{b}mlp.b_out", width);
            if (norm != "LN") continue;
            foreach (string ln in new[] { "ln1", "ln2" })
            {
                Add($"{b}{ln}.w", width);
                Add($"{b}{ln}.b", width);
            }
        }
        if (norm == "LN")
        {
            Add("ln_final.w", width);
            Add("ln_final.b", width);
        }
        Add("unembed.W_U", width, outputs);
        Add("unembed.b_U", outputs);
        SafetensorsWriter writer = new();
        foreach ((string name, (float[] values, int[] shape)) in _state) writer.Add(name, values, shape);
        writer.Write(_folder["model.safetensors"]);
        return _folder["model.safetensors"];
    }

    // Straight from TransformerLens' definitions.
    private double[] Logits(int[] prompt, string? norm, int width, int headWidth, int outputs)
    {
        float V(string name, params int[] at)
        {
            (float[] values, int[] shape) = _state[name];
            int index = 0;
            for (int i = 0; i < at.Length; i++) index = (index * shape[i]) + at[i];
            return values[index];
        }

        double[] Norm(double[] x, string name)
        {
            if (norm is null) return x;
            double mean = x.Average(), root = Math.Sqrt(x.Average(v => (v - mean) * (v - mean)) + 1e-3);
            return [.. x.Select((v, i) => norm == "LN" ? ((v - mean) / root * V($"{name}.w", i)) + V($"{name}.b", i) : (v - mean) / root)];
        }

        int n = prompt.Length;
        double[][] stream = [.. prompt.Select((t, p) => Enumerable.Range(0, width)
            .Select(i => (double)V("embed.W_E", t, i) + V("pos_embed.W_pos", p, i)).ToArray())];
        for (int l = 0; l < Layers; l++)
        {
            string b = $"blocks.{l}.";
            double[][] read = [.. stream.Select(x => Norm(x, $"{b}ln1"))];
            double[][] added = [.. stream.Select(_ => Enumerable.Range(0, width).Select(i => (double)V($"{b}attn.b_O", i)).ToArray())];
            for (int h = 0; h < Heads; h++)
            {
                double[][] Part(char c) => [.. read.Select(x => Enumerable.Range(0, headWidth).Select(e =>
                    V($"{b}attn.b_{c}", h, e) + x.Select((v, i) => v * V($"{b}attn.W_{c}", h, i, e)).Sum()).ToArray())];
                double[][] q = Part('Q'), k = Part('K'), v = Part('V');
                for (int p = 0; p < n; p++)
                {
                    double[] weights = [.. Enumerable.Range(0, p + 1)
                        .Select(o => Math.Exp(q[p].Zip(k[o], (x, y) => x * y).Sum() / Math.Sqrt(headWidth)))];
                    for (int e = 0; e < headWidth; e++)
                    {
                        double mixed = weights.Select((w, o) => w * v[o][e]).Sum() / weights.Sum();
                        for (int i = 0; i < width; i++) added[p][i] += mixed * V($"{b}attn.W_O", h, e, i);
                    }
                }
            }
            for (int p = 0; p < n; p++)
            {
                for (int i = 0; i < width; i++) stream[p][i] += added[p][i];
                double[] x = Norm(stream[p], $"{b}ln2");
                double[] hidden = [.. Enumerable.Range(0, Inner).Select(u =>
                    Math.Max(0, V($"{b}mlp.b_in", u) + x.Select((v, i) => v * V($"{b}mlp.W_in", i, u)).Sum()))];
                for (int i = 0; i < width; i++)
                    stream[p][i] += V($"{b}mlp.b_out", i) + hidden.Select((v, u) => v * V($"{b}mlp.W_out", u, i)).Sum();
            }
        }
        double[] last = Norm(stream[^1], "ln_final");
        return [.. Enumerable.Range(0, outputs).Select(t => V("unembed.b_U", t) + last.Select((v, i) => v * V("unembed.W_U", i, t)).Sum())];
    }
}
