using System.Globalization;
using Gradpath.Gpt2Runtime.Checkpoints;

namespace Gradpath.Tests.Support.Reference;

/// <summary>
/// The weights of a GPT-2 model in float64. They are kept under their checkpoint names and in checkpoint layout ([in, out], row-major):
/// wte.weight [V, D], wpe.weight [positions, D], h.{l}.ln_1|ln_2.weight|bias, h.{l}.attn.c_attn.weight [D, 3D], attn.c_proj [D, D],
/// mlp.c_fc [D, inner], mlp.c_proj [inner, D] with their biases, ln_f.weight|bias, and where present lm_head.weight [V, D] and
/// lm_head.bias [V].
/// </summary>
internal sealed class ReferenceModel
{
    private readonly Dictionary<string, double[]> _tensors;

    /// <summary>Takes over the arrays.</summary>
    public ReferenceModel(Gpt2Config config, Dictionary<string, double[]> tensors)
    {
        _tensors = tensors;
        Config = config;
        Graph = new ReferenceGraph(config.Layers, config.Heads);
        TokenEmbedding = Matrix("wte.weight");
        PositionEmbedding = Matrix("wpe.weight");
        Layers = [.. Enumerable.Range(0, config.Layers).Select(l => new ReferenceLayer(this, l))];
        FinalGain = Vector("ln_f.weight");
        FinalShift = Vector("ln_f.bias");
        Unembedding = (config.TiedHead ? TokenEmbedding : Matrix("lm_head.weight")).Transpose();
        UnembeddingBias = tensors.GetValueOrDefault("lm_head.bias");
    }

    public Gpt2Config Config { get; }

    public ReferenceGraph Graph { get; }

    /// <summary>[V, D].</summary>
    public RealMatrix TokenEmbedding { get; }

    /// <summary>[positions, D].</summary>
    public RealMatrix PositionEmbedding { get; }

    public IReadOnlyList<ReferenceLayer> Layers { get; }

    public double[] FinalGain { get; }

    public double[] FinalShift { get; }

    /// <summary>[D, V].</summary>
    public RealMatrix Unembedding { get; }

    public double[]? UnembeddingBias { get; }

    /// <summary>The number that config.json states: the shortest decimal that the float32 stands for, in float64.</summary>
    public double Epsilon => double.Parse(Config.Epsilon.ToString("R", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);

    /// <summary>All weights by checkpoint name, in checkpoint layout, as float32: what an engine needs to run the same model.</summary>
    public IReadOnlyDictionary<string, float[]> FloatTensors() =>
        _tensors.ToDictionary(t => t.Key, t => Array.ConvertAll(t.Value, v => (float)v), StringComparer.Ordinal);

    /// <summary>One tensor as a matrix; its last extent follows from the name.</summary>
    public RealMatrix Matrix(string name)
    {
        int columns = name.EndsWith("c_attn.weight", StringComparison.Ordinal) ? 3 * Config.Width
            : name.EndsWith("c_fc.weight", StringComparison.Ordinal) ? Config.InnerWidth
            : Config.Width;
        double[] data = Vector(name);
        return new RealMatrix(data.Length / columns, columns, data);
    }

    public double[] Vector(string name) =>
        _tensors.TryGetValue(name, out double[]? data) ? data : throw new ArgumentException($"the model has no {name}");

    /// <summary>The token embeddings of a prompt, [P, D].</summary>
    public RealMatrix Embed(IReadOnlyList<int> tokens)
    {
        RealMatrix result = new(tokens.Count, Config.Width);
        for (int p = 0; p < tokens.Count; p++)
        {
            TokenEmbedding.Row(tokens[p]).CopyTo(result.Row(p));
        }
        return result;
    }

    /// <summary>
    /// The same function with other head outputs: since attention weights sum to 1, each head's value bias adds b_V W_O at every position;
    /// it is moved into b_O.
    /// </summary>
    public ReferenceModel WithFoldedValueBiases()
    {
        Dictionary<string, double[]> tensors = new(_tensors, StringComparer.Ordinal);
        int width = Config.Width;
        for (int l = 0; l < Config.Layers; l++)
        {
            double[] qkvBias = [.. Vector($"h.{l}.attn.c_attn.bias")];
            RealMatrix valueBias = new(1, width, qkvBias[(2 * width)..]);
            RealMatrix moved = RealMatrix.Product(valueBias, Matrix($"h.{l}.attn.c_proj.weight"));
            qkvBias.AsSpan(2 * width).Clear();
            tensors[$"h.{l}.attn.c_attn.bias"] = qkvBias;
            tensors[$"h.{l}.attn.c_proj.bias"] = [.. Vector($"h.{l}.attn.c_proj.bias").Zip(moved.Data, (a, b) => a + b)];
        }
        return new ReferenceModel(Config, tensors);
    }

    /// <summary>
    /// A random model whose weights are float32 numbers. Every bias is nonzero and no gain is 1, so that none can be forgotten unnoticed.
    /// </summary>
    /// <param name="config">Any shape.</param>
    /// <param name="seed">Same seed, same model.</param>
    /// <param name="unembeddingBias">Whether there is an lm_head.bias.</param>
    public static ReferenceModel Random(Gpt2Config config, int seed, bool unembeddingBias = false)
    {
        Random random = new(seed);
        Dictionary<string, double[]> tensors = new(StringComparer.Ordinal);
        void Draw(string name, int count, double spread, double centre = 0) =>
            tensors[name] = [.. Enumerable.Range(0, count).Select(_ => (double)(float)(centre + spread * Normal(random)))];

        int width = config.Width, inner = config.InnerWidth;
        Draw("wte.weight", config.Vocabulary * width, 0.7);
        Draw("wpe.weight", config.Positions * width, 0.3);
        for (int l = 0; l < config.Layers; l++)
        {
            Draw($"h.{l}.ln_1.weight", width, 0.2, 1);
            Draw($"h.{l}.ln_1.bias", width, 0.1);
            Draw($"h.{l}.attn.c_attn.weight", width * 3 * width, 1 / Math.Sqrt(width));
            Draw($"h.{l}.attn.c_attn.bias", 3 * width, 0.2);
            Draw($"h.{l}.attn.c_proj.weight", width * width, 0.7 / Math.Sqrt(width));
            Draw($"h.{l}.attn.c_proj.bias", width, 0.2);
            Draw($"h.{l}.ln_2.weight", width, 0.2, 1);
            Draw($"h.{l}.ln_2.bias", width, 0.1);
            Draw($"h.{l}.mlp.c_fc.weight", width * inner, 1 / Math.Sqrt(width));
            Draw($"h.{l}.mlp.c_fc.bias", inner, 0.2);
            Draw($"h.{l}.mlp.c_proj.weight", inner * width, 0.7 / Math.Sqrt(inner));
            Draw($"h.{l}.mlp.c_proj.bias", width, 0.2);
        }
        Draw("ln_f.weight", width, 0.2, 1);
        Draw("ln_f.bias", width, 0.1);
        if (!config.TiedHead)
        {
            Draw("lm_head.weight", config.Vocabulary * width, 1 / Math.Sqrt(width));
        }
        if (unembeddingBias)
        {
            Draw("lm_head.bias", config.Vocabulary, 0.2);
        }
        return new ReferenceModel(config, tensors);
    }

    private static double Normal(Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}

/// <summary>The weights of one layer, cut into heads.</summary>
internal sealed class ReferenceLayer
{
    private readonly RealMatrix[,] _weight;
    private readonly double[,][] _bias;
    private readonly RealMatrix[] _output;

    public ReferenceLayer(ReferenceModel model, int layer)
    {
        int width = model.Config.Width, heads = model.Config.Heads, headWidth = width / heads;
        RealMatrix qkv = model.Matrix($"h.{layer}.attn.c_attn.weight");
        double[] qkvBias = model.Vector($"h.{layer}.attn.c_attn.bias");
        RealMatrix output = model.Matrix($"h.{layer}.attn.c_proj.weight");
        _weight = new RealMatrix[3, heads];
        _bias = new double[3, heads][];
        _output = new RealMatrix[heads];
        for (int h = 0; h < heads; h++)
        {
            for (int part = 0; part < 3; part++)
            {
                int first = part * width + h * headWidth;
                _weight[part, h] = qkv.ColumnBlock(first, headWidth);
                _bias[part, h] = qkvBias[first..(first + headWidth)];
            }
            _output[h] = output.RowBlock(h * headWidth, headWidth);
        }
        AttentionGain = model.Vector($"h.{layer}.ln_1.weight");
        AttentionShift = model.Vector($"h.{layer}.ln_1.bias");
        OutputBias = model.Vector($"h.{layer}.attn.c_proj.bias");
        MlpGain = model.Vector($"h.{layer}.ln_2.weight");
        MlpShift = model.Vector($"h.{layer}.ln_2.bias");
        Up = model.Matrix($"h.{layer}.mlp.c_fc.weight");
        UpBias = model.Vector($"h.{layer}.mlp.c_fc.bias");
        Down = model.Matrix($"h.{layer}.mlp.c_proj.weight");
        DownBias = model.Vector($"h.{layer}.mlp.c_proj.bias");
        AttentionScale = (model.Config.ScaleAttention ? 1 / Math.Sqrt(headWidth) : 1)
            / (model.Config.ScaleAttentionByLayer ? layer + 1 : 1);
    }

    public double[] AttentionGain { get; }

    public double[] AttentionShift { get; }

    /// <summary>The factor on attention scores.</summary>
    public double AttentionScale { get; }

    /// <summary>b_O [D].</summary>
    public double[] OutputBias { get; }

    public double[] MlpGain { get; }

    public double[] MlpShift { get; }

    /// <summary>[D, inner].</summary>
    public RealMatrix Up { get; }

    public double[] UpBias { get; }

    /// <summary>[inner, D].</summary>
    public RealMatrix Down { get; }

    public double[] DownBias { get; }

    /// <summary>W_Q (part 0), W_K (1) or W_V (2) of one head, [D, head width].</summary>
    public RealMatrix Weight(int part, int head) => _weight[part, head];

    /// <summary>b_Q, b_K or b_V of one head.</summary>
    public double[] Bias(int part, int head) => _bias[part, head];

    /// <summary>W_O of one head, [head width, D].</summary>
    public RealMatrix Output(int head) => _output[head];
}
