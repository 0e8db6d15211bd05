using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Tests.Support.Reference;

namespace Gradpath.Tests.Support.Models;

/// <summary>
/// A two-layer GPT-2-shaped model that is wired by hand. The residual stream is split into subspaces of one coordinate per token or
/// position; a head reads and writes only the coordinates that it is wired to. LayerNorm does nothing: its epsilon is so large that the
/// stream's own variance does not count, its gain undoes the division, and everything written sums to zero (a coordinate that nobody
/// reads takes what is missing), so the mean is zero too. Heads that are left unwired, and all MLPs, read the tokens and write noise that
/// differs between prompts into coordinates that only they read: they have activations and no effect.
/// </summary>
internal sealed class HandSetModel
{
    public const int Contents = 12;
    public const int Begin = 0;
    public const int Filler = Contents + 1;
    public const int HeadCount = 4;
    public const int LayerCount = 2;

    /// <summary>Logit of a token whose answer coordinate is 1.</summary>
    public const double LogitScale = 6;

    private const int HeadWidth = 16;
    private const int Width = HeadCount * HeadWidth;
    private const int MaxPositions = 8;
    private const int Inner = 20;

    // Coordinates: what token stands here, which stood before, what is predicted, where this is, a flag, noise, the rest.
    private const int Token = 0;
    private const int Previous = Token + Contents;
    private const int Answer = Previous + Contents;
    private const int Place = Answer + Contents;
    private const int Flag = Place + MaxPositions;
    private const int Noise = Flag + 1;
    private const int Balance = Width - 1;

    private const double Epsilon = 1e8;

    private readonly Dictionary<string, double[]> _tensors = new(StringComparer.Ordinal);
    private readonly Gpt2Config _config = new()
    {
        Layers = LayerCount,
        Heads = HeadCount,
        Width = Width,
        InnerWidth = Inner,
        Positions = MaxPositions,
        Vocabulary = Contents + 2,
        Epsilon = (float)Epsilon,
        TiedHead = false,
        ScaleAttention = false,
    };

    private readonly HashSet<(int Layer, int Head)> _wired = [];

    public HandSetModel()
    {
        double[] gain = [.. Enumerable.Repeat(Math.Sqrt(Epsilon), Width)];
        _tensors["wte.weight"] = new double[_config.Vocabulary * Width];
        _tensors["wpe.weight"] = new double[MaxPositions * Width];
        _tensors["lm_head.weight"] = new double[_config.Vocabulary * Width];
        _tensors["ln_f.weight"] = gain;
        _tensors["ln_f.bias"] = new double[Width];
        for (int l = 0; l < LayerCount; l++)
        {
            foreach ((string name, int size) in ((string, int)[])[("attn.c_attn", Width * 3 * Width), ("attn.c_proj", Width * Width),
                ("mlp.c_fc", Width * Inner), ("mlp.c_proj", Inner * Width)])
            {
                _tensors[$"h.{l}.{name}.weight"] = new double[size];
                _tensors[$"h.{l}.{name}.bias"] = new double[name == "attn.c_attn" ? 3 * Width : name == "mlp.c_fc" ? Inner : Width];
            }
            foreach (string norm in new[] { "ln_1", "ln_2" })
            {
                _tensors[$"h.{l}.{norm}.weight"] = gain;
                _tensors[$"h.{l}.{norm}.bias"] = new double[Width];
            }
        }
        for (int t = 0; t < Contents; t++)
        {
            Write("wte.weight", t + 1, Token + t, 1);
            _tensors["lm_head.weight"][((t + 1) * Width) + Answer + t] = LogitScale;
        }
        for (int p = 0; p < MaxPositions; p++) Write("wpe.weight", p, Place + p, 1);
    }

    /// <summary>Attention from every position to the one before it.</summary>
    public HandSetModel AttendToPrevious(int layer, int head, double score)
    {
        for (int p = 1; p < MaxPositions; p++)
        {
            Read(layer, 0, head, p, Place + p, score);
            Read(layer, 1, head, p, Place + p - 1, 1);
        }
        return Wired(layer, head);
    }

    /// <summary>Attention from every position to one fixed position; what comes before it looks at the beginning.</summary>
    public HandSetModel AttendTo(int layer, int head, int position, double score)
    {
        Bias(layer, 0, head, 0, 1);
        Read(layer, 1, head, 0, Place + position, score);
        return Wired(layer, head);
    }

    /// <summary>Takes the attention to the fixed position away again, and turns it against it, where the flag is set.</summary>
    public HandSetModel DivertIfFlagged(int layer, int head)
    {
        Read(layer, 0, head, 0, Flag, -2);
        return this;
    }

    /// <summary>Attention to a position before which the current token stood already, or else to the beginning.</summary>
    public HandSetModel AttendToWhatFollowed(int layer, int head, double score) => Match(layer, head, Token, Previous, score);

    /// <summary>Attention to the place of the token that is predicted so far, or else to the beginning.</summary>
    public HandSetModel AttendToPrediction(int layer, int head, double score) => Match(layer, head, Answer, Token, score);

    /// <summary>The token at the attended position, into the subspace of the token before.</summary>
    public HandSetModel NotePrevious(int layer, int head) => Move(layer, head, Previous, 1);

    /// <summary>The token at the attended position, into the prediction.</summary>
    public HandSetModel Predict(int layer, int head, double strength) => Move(layer, head, Answer, strength);

    /// <summary>Sets the flag where a content token stands at the attended position.</summary>
    public HandSetModel RaiseFlag(int layer, int head)
    {
        for (int t = 0; t < Contents; t++) Read(layer, 2, head, Contents, Token + t, 1);
        Write($"h.{layer}.attn.c_proj.weight", (head * HeadWidth) + Contents, Flag, 1);
        return this;
    }

    /// <summary>The model; unwired heads and all MLPs make noise.</summary>
    public ReferenceModel Build(int seed)
    {
        var random = new Random(seed);
        double Draw() => (random.NextDouble() - 0.5) * 2;
        for (int l = 0; l < LayerCount; l++)
        {
            for (int h = 0; h < HeadCount; h++)
            {
                if (_wired.Contains((l, h))) continue;
                for (int c = 0; c < HeadWidth; c++)
                {
                    foreach (int from in NoiseReads())
                    {
                        for (int part = 0; part < 3; part++) Read(l, part, h, c, from, Draw());
                    }
                    for (int to = Noise; to < Balance; to++) Write($"h.{l}.attn.c_proj.weight", (h * HeadWidth) + c, to, 0.3 * Draw());
                }
            }
            for (int i = 0; i < Inner; i++)
            {
                foreach (int from in NoiseReads()) _tensors[$"h.{l}.mlp.c_fc.weight"][(from * Inner) + i] = Draw();
                for (int to = Noise; to < Balance; to++) Write($"h.{l}.mlp.c_proj.weight", i, to, 0.3 * Draw());
            }
        }
        return new ReferenceModel(_config, _tensors.ToDictionary(t => t.Key, t => Array.ConvertAll(t.Value, v => (double)(float)v)));
    }

    private static IEnumerable<int> NoiseReads() => [.. Enumerable.Range(Token, Contents), .. Enumerable.Range(Noise, Balance - Noise)];

    private HandSetModel Match(int layer, int head, int query, int key, double score)
    {
        for (int t = 0; t < Contents; t++)
        {
            Read(layer, 0, head, t, query + t, score);
            Read(layer, 1, head, t, key + t, 1);
        }
        Bias(layer, 0, head, Contents, score / 2);
        Read(layer, 1, head, Contents, Place, 1);
        return Wired(layer, head);
    }

    private HandSetModel Move(int layer, int head, int to, double strength)
    {
        for (int t = 0; t < Contents; t++)
        {
            Read(layer, 2, head, t, Token + t, 1);
            Write($"h.{layer}.attn.c_proj.weight", (head * HeadWidth) + t, to + t, strength);
        }
        return this;
    }

    private HandSetModel Wired(int layer, int head)
    {
        _wired.Add((layer, head));
        return this;
    }

    private void Read(int layer, int part, int head, int column, int coordinate, double weight) =>
        _tensors[$"h.{layer}.attn.c_attn.weight"][(coordinate * 3 * Width) + (part * Width) + (head * HeadWidth) + column] += weight;

    private void Bias(int layer, int part, int head, int column, double value) =>
        _tensors[$"h.{layer}.attn.c_attn.bias"][(part * Width) + (head * HeadWidth) + column] += value;

    private void Write(string matrix, int row, int coordinate, double value)
    {
        _tensors[matrix][(row * Width) + coordinate] += value;
        _tensors[matrix][(row * Width) + Balance] -= value;
    }
}
