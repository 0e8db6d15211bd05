using Gradpath.Gpt2Runtime.Checkpoints;

namespace Gradpath.Gpt2Runtime.Compilation;

/// <summary>
/// The weights of a model that is wired by hand, coordinate by coordinate. Weights are given in the units of what sublayers read; a
/// <see cref="HarmlessNorm"/> is in front of each.
/// </summary>
/// <param name="config">The model's shape, see <see cref="Config"/>.</param>
internal sealed class Wiring(Gpt2Config config)
{
    private readonly Dictionary<string, (double[] Values, int[] Shape)> _tensors = Gpt2Layout.Of(config)
        .ToDictionary(s => s.Name, s => (Initial(s), s.Shape), StringComparer.Ordinal);

    /// <summary>The configuration of a wired model.</summary>
    /// <param name="layers">Number of layers.</param>
    /// <param name="heads">Heads per layer.</param>
    /// <param name="headWidth">Width of a head.</param>
    /// <param name="inner">Hidden units of an MLP.</param>
    /// <param name="positions">Longest prompt.</param>
    /// <param name="vocabulary">Number of tokens.</param>
    public static Gpt2Config Config(int layers, int heads, int headWidth, int inner, int positions, int vocabulary) => new()
    {
        Layers = layers,
        Heads = heads,
        Width = heads * headWidth,
        InnerWidth = inner,
        Positions = positions,
        Vocabulary = vocabulary,
        Epsilon = (float)HarmlessNorm.Epsilon,
        Activation = Gpt2Activation.Relu,
        TiedHead = false,
    };

    /// <summary>The coordinate that keeps the mean at 0.</summary>
    public int Balance => config.Width - 1;

    /// <summary>Adds to what a token writes.</summary>
    public void Embed(int token, int coordinate, double value) => Write("wte.weight", token, coordinate, value);

    /// <summary>Adds to what a position writes.</summary>
    public void Place(int position, int coordinate, double value) => Write("wpe.weight", position, coordinate, value);

    /// <summary>Adds to what a query (part 0), key (1) or value (2) reads. A score is the plain product.</summary>
    public void Read(int layer, int head, int part, int column, int coordinate, double weight) =>
        Add($"h.{layer}.attn.c_attn.weight", coordinate, Column(head, part, column), Scaled(part, weight));

    /// <summary>Adds a constant to a query, key or value.</summary>
    public void Bias(int layer, int head, int part, int column, double value) =>
        Add($"h.{layer}.attn.c_attn.bias", 0, Column(head, part, column), Scaled(part, value));

    /// <summary>Adds to what a head writes.</summary>
    public void Write(int layer, int head, int column, int coordinate, double value) =>
        Write($"h.{layer}.attn.c_proj.weight", (head * config.HeadWidth) + column, coordinate, value);

    /// <summary>Adds to what a hidden unit of an MLP reads.</summary>
    public void ReadUnit(int layer, int unit, int coordinate, double weight) => Add($"h.{layer}.mlp.c_fc.weight", coordinate, unit, weight);

    /// <summary>Adds a constant to a hidden unit.</summary>
    public void BiasUnit(int layer, int unit, double value) => Add($"h.{layer}.mlp.c_fc.bias", 0, unit, value);

    /// <summary>Adds to what a hidden unit writes.</summary>
    public void WriteUnit(int layer, int unit, int coordinate, double value) =>
        Write($"h.{layer}.mlp.c_proj.weight", unit, coordinate, value);

    /// <summary>Adds to what an MLP always writes.</summary>
    public void WriteAlways(int layer, int coordinate, double value) => Write($"h.{layer}.mlp.c_proj.bias", 0, coordinate, value);

    /// <summary>Adds to what a logit reads.</summary>
    public void Unembed(int token, int coordinate, double weight) => Add(Gpt2Layout.HeadWeight, token, coordinate, weight);

    /// <summary>The tensors, row-major, under the names of Hugging Face checkpoints without their prefix.</summary>
    public IReadOnlyDictionary<string, ReadOnlyMemory<float>> Tensors() => _tensors.ToDictionary(
        t => t.Key, t => (ReadOnlyMemory<float>)Array.ConvertAll(t.Value.Values, v => (float)v), StringComparer.Ordinal);

    private static double[] Initial(TensorSpec spec)
    {
        double[] values = new double[spec.Count];
        if (spec.Name.Contains("ln_", StringComparison.Ordinal) && spec.Name.EndsWith(".weight", StringComparison.Ordinal))
            Array.Fill(values, HarmlessNorm.Gain(HarmlessNorm.Unit));
        return values;
    }

    private int Column(int head, int part, int column)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(column, config.HeadWidth);
        return (part * config.Width) + (head * config.HeadWidth) + column;
    }

    private double Scaled(int part, double value) => part == 0 ? value / config.AttentionScale(0) : value;

    private void Write(string tensor, int row, int coordinate, double value)
    {
        Add(tensor, row, coordinate, HarmlessNorm.Unit * value);
        Add(tensor, row, Balance, -HarmlessNorm.Unit * value);
    }

    private void Add(string tensor, int row, int column, double value)
    {
        (double[] values, int[] shape) = _tensors[tensor];
        values[(row * shape[^1]) + column] += value;
    }
}
