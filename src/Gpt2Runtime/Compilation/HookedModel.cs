using System.Text.Json;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Gpt2Runtime.Compilation;

/// <summary>
/// Models of TransformerLens, as InterpBench ships them and tracr's are converted to: a state dictionary in a safetensors file
/// (<c>embed.W_E</c>, <c>blocks.0.attn.W_Q</c>, ...) and the configuration as JSON. They are brought into GPT-2's layout:
/// <list type="bullet">
/// <item>Heads of another width than D / H get zeros, and queries the factor that keeps scores what they were.</item>
/// <item>Where the model has no LayerNorm, <see cref="HarmlessNorm"/> makes GPT-2's harmless.</item>
/// <item>An output vocabulary that is smaller than the input's gets logits so low that they have no probability.</item>
/// </list>
/// </summary>
internal static class HookedModel
{
    private const int LargestExtent = 1 << 20;

    private const float Never = -1e4f;

    /// <summary>Reads a model.</summary>
    /// <param name="weights">The safetensors file.</param>
    /// <param name="config">The configuration.</param>
    /// <param name="edges">A JSON list of the names of the true edges (<c>a0.h1-&gt;m0</c>); null where they are not known.</param>
    /// <returns>The model.</returns>
    /// <exception cref="GradpathException">A file cannot be read, or the model is of a kind that GPT-2's layout cannot hold.</exception>
    public static CompiledModel Read(string weights, string config, string? edges)
    {
        Shape shape = JsonFile.Read(config, root => root.ValueKind == JsonValueKind.Object
            ? ShapeOf(root, config)
            : throw new GradpathException($"{config}: a JSON object is needed, not {JsonFile.Shown(root)}"));
        using SafetensorsFile file = SafetensorsFile.Open(weights);
        Dictionary<string, ReadOnlyMemory<float>> tensors = Tensors(file, shape);
        ComputationGraph graph = new(shape.Layers, shape.Heads);
        HashSet<(int Row, int Column)> known = edges is null ? [] : JsonFile.Read(edges, root => EdgesOf(root, edges, graph));
        return new CompiledModel(shape.Target, tensors, Circuit.Of(graph, known), Circuit.Of(graph, []));
    }

    private static Shape ShapeOf(JsonElement root, string path)
    {
        Require("attention_dir", "causal");
        Require("positional_embedding_type", "standard");
        if (root.Flag("parallel_attn_mlp", path) == true)
            throw new GradpathException($"{path}: parallel_attn_mlp is true; GPT-2's MLPs come behind its heads");
        string? norm = root.Text("normalization_type", path);
        if (norm is not (null or "LN" or "LNPre"))
            throw new GradpathException($"{path}: normalization_type is {Quoted.Text(norm)}; LN, LNPre and null are supported");
        bool hasMlps = root.Flag("attn_only", path) != true;
        string activation = root.Text("act_fn", path) ?? (hasMlps ? "gelu" : "relu");
        Gpt2Activation function = ActivationNames.Find(activation) ?? throw new GradpathException(
            $"{path}: act_fn is {Quoted.Text(activation)}; {ActivationNames.Supported} are supported");
        int layers = Extent("n_layers"), heads = Extent("n_heads"), width = Extent("d_model"), headWidth = Extent("d_head");
        if (GraphNumbering.Lack(layers, heads) is { } lack) throw new GradpathException($"{path}: n_layers and n_heads: {lack}");
        bool plain = norm is not null;
        if (plain && width != heads * headWidth)
        {
            throw new GradpathException(
                $"{path}: d_model is {width}, n_heads x d_head is {heads * headWidth}; with LayerNorm they must be the same");
        }

        // One more coordinate keeps the mean at 0.
        int targetHead = plain ? headWidth : Math.Max(headWidth, (width + heads) / heads);
        int vocabulary = Extent("d_vocab"), outputs = root.Property("d_vocab_out") is null ? vocabulary : Extent("d_vocab_out");
        int inner = hasMlps ? Extent("d_mlp") : 1;
        Gpt2Config target = new()
        {
            Layers = layers,
            Heads = heads,
            Width = heads * targetHead,
            InnerWidth = inner,
            Positions = Extent("n_ctx"),
            Vocabulary = Math.Max(vocabulary, outputs),
            Epsilon = plain ? Epsilon() : (float)HarmlessNorm.Epsilon,
            Activation = function,
            TiedHead = false,
        };
        double scale = root.Flag("use_attn_scale", path) == false ? 1 : 1 / Math.Sqrt(headWidth);
        return new Shape(layers, heads, width, headWidth, hasMlps ? inner : 0, vocabulary, outputs, norm, scale, target);

        void Require(string name, string wanted)
        {
            if (root.Text(name, path) is { } found && found != wanted)
                throw new GradpathException($"{path}: {name} is {Quoted.Text(found)}; GPT-2's is {wanted}, and nothing else is supported");
        }

        int Extent(string name)
        {
            if (root.Property(name) is { ValueKind: JsonValueKind.Number } value && value.TryGetInt32(out int number)
                && number is >= 1 and <= LargestExtent)
            {
                return number;
            }
            string found = root.Property(name) is { } other ? $"is {JsonFile.Shown(other)}" : "is missing";
            throw new GradpathException($"{path}: {name} {found}; a whole number from 1 to {LargestExtent} is expected");
        }

        float Epsilon() => root.Property("eps") switch
        {
            null => 1e-5f,
            { ValueKind: JsonValueKind.Number } value when value.TryGetSingle(out float number) && number is > 0 and < 1 => number,
            { } value => throw new GradpathException($"{path}: eps is {JsonFile.Shown(value)}; a number between 0 and 1 is expected"),
        };
    }

    private static HashSet<(int Row, int Column)> EdgesOf(JsonElement root, string path, ComputationGraph graph)
    {
        if (root.ValueKind != JsonValueKind.Array || root.GetArrayLength() == 0)
            throw new GradpathException($"{path}: a JSON list of the names of edges is needed, not {JsonFile.Shown(root)}");
        HashSet<(int Row, int Column)> edges = [];
        foreach (JsonElement item in root.EnumerateArray())
        {
            string name = item.ValueKind == JsonValueKind.String ? item.GetString()! : JsonFile.Shown(item);
            if (!graph.TryParseEdge(name, out int row, out int column))
            {
                throw new GradpathException($"{path}: {Quoted.Text(name)} is no edge of a model of {graph}; names are such as "
                    + $"{graph.EdgeName(ComputationGraph.InputRow, graph.LogitsColumn)} and {graph.EdgeName(1, graph.LogitsColumn)}");
            }
            edges.Add((row, column));
        }
        return edges;
    }

    private static Dictionary<string, ReadOnlyMemory<float>> Tensors(SafetensorsFile file, Shape s)
    {
        Gpt2Config target = s.Target;
        Dictionary<string, float[]> made = Gpt2Layout.Of(target).Append(Gpt2Layout.HeadBiasOf(target))
            .ToDictionary(t => t.Name, t => new float[t.Count], StringComparer.Ordinal);
        Stream("wte.weight", 0, Given("embed.W_E", s.Vocabulary, s.Width), s.Vocabulary);
        Stream("wpe.weight", 0, Given("pos_embed.W_pos", target.Positions, s.Width), target.Positions);
        for (int l = 0; l < s.Layers; l++)
        {
            string from = $"blocks.{l}.", to = $"h.{l}.";
            Norm($"{from}ln1", $"{to}ln_1");
            Norm($"{from}ln2", $"{to}ln_2");
            for (int part = 0; part < 3; part++) Heads(from, to, "QKV"[part], part);
            float[] output = Given($"{from}attn.W_O", s.Heads, s.HeadWidth, s.Width);
            for (int h = 0; h < s.Heads; h++)
            {
                Stream(
                    $"{to}attn.c_proj.weight", h * target.HeadWidth,
                    output[(h * s.HeadWidth * s.Width)..((h + 1) * s.HeadWidth * s.Width)], s.HeadWidth);
            }
            Stream($"{to}attn.c_proj.bias", 0, Given($"{from}attn.b_O", s.Width), 1);
            if (s.Inner == 0) continue;
            float[] up = Given($"{from}mlp.W_in", s.Width, s.Inner);
            up.CopyTo(made[$"{to}mlp.c_fc.weight"], 0);
            made[$"{to}mlp.c_fc.bias"] = Given($"{from}mlp.b_in", s.Inner);
            Stream($"{to}mlp.c_proj.weight", 0, Given($"{from}mlp.W_out", s.Inner, s.Width), s.Inner);
            Stream($"{to}mlp.c_proj.bias", 0, Given($"{from}mlp.b_out", s.Width), 1);
        }
        Norm("ln_final", "ln_f");
        float[] head = Given("unembed.W_U", s.Width, s.Outputs), bias = Given("unembed.b_U", s.Outputs);
        for (int token = 0; token < target.Vocabulary; token++)
        {
            made[Gpt2Layout.HeadBias][token] = token < s.Outputs ? bias[token] : Never;
            for (int i = 0; i < s.Width && token < s.Outputs; i++)
                made[Gpt2Layout.HeadWeight][(token * target.Width) + i] = head[(i * s.Outputs) + token];
        }
        return made.ToDictionary(t => t.Key, t => (ReadOnlyMemory<float>)t.Value, StringComparer.Ordinal);

        float[] Given(string name, params long[] shape)
        {
            SafetensorsEntry entry = file.Require(name);
            if (!entry.Shape.SequenceEqual(shape))
            {
                throw new GradpathException(
                    $"{file.Path}: {name} is {entry.ShapeText}; by the configuration it is [{string.Join(", ", shape)}]");
            }
            return file.ReadFloats(name);
        }

        // Rows that are added to the residual stream.
        void Stream(string name, int firstRow, float[] rows, int count)
        {
            float[] all = made[name];
            for (int r = 0; r < count; r++)
            {
                double sum = 0;
                for (int i = 0; i < s.Width; i++)
                {
                    double value = rows[(r * s.Width) + i] * s.Unit;
                    all[((firstRow + r) * target.Width) + i] = (float)value;
                    sum += value;
                }
                if (s.Norm is null) all[((firstRow + r) * target.Width) + target.Width - 1] = (float)-sum;
            }
        }

        void Norm(string from, string to)
        {
            if (s.Norm == "LN")
            {
                made[$"{to}.weight"] = Given($"{from}.w", s.Width);
                made[$"{to}.bias"] = Given($"{from}.b", s.Width);
            }
            else
            {
                Array.Fill(made[$"{to}.weight"], s.Norm is null ? (float)HarmlessNorm.Gain(s.Unit) : 1);
            }
        }

        void Heads(string from, string to, char letter, int part)
        {
            float[] weight = Given($"{from}attn.W_{letter}", s.Heads, s.Width, s.HeadWidth);
            float[] shift = Given($"{from}attn.b_{letter}", s.Heads, s.HeadWidth);
            double factor = part == 0 ? s.AttentionScale / target.AttentionScale(0) : 1;
            for (int h = 0; h < s.Heads; h++)
            {
                for (int c = 0; c < s.HeadWidth; c++)
                {
                    int column = (part * target.Width) + (h * target.HeadWidth) + c;
                    made[$"{to}attn.c_attn.bias"][column] = (float)(shift[(h * s.HeadWidth) + c] * factor);
                    for (int i = 0; i < s.Width; i++)
                    {
                        made[$"{to}attn.c_attn.weight"][(i * 3 * target.Width) + column] =
                            (float)(weight[(((h * s.Width) + i) * s.HeadWidth) + c] * factor);
                    }
                }
            }
        }
    }

    /// <summary>What the configuration says, and the shape that the model gets.</summary>
    private sealed record Shape(
        int Layers, int Heads, int Width, int HeadWidth, int Inner, int Vocabulary, int Outputs, string? Norm, double AttentionScale,
        Gpt2Config Target)
    {
        /// <summary>What a value of 1 is in the stream.</summary>
        public double Unit => Norm is null ? HarmlessNorm.SmallUnit : 1;
    }
}
