using System.Text.Json;

namespace Gradpath.Gpt2Runtime.Checkpoints;

/// <summary>config.json of a Hugging Face GPT-2 directory, read into a <see cref="Gpt2Config"/> and written from one.</summary>
internal static class Gpt2ConfigFile
{
    // Keeps products such as 3 n_embd within 32 bits; no model comes near.
    private const int LargestExtent = 1 << 24;

    /// <summary>Reads a config.json.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The model's shape.</returns>
    /// <exception cref="GradpathException">The file is not JSON, is of another model type, or a field is missing or out of
    /// range.</exception>
    public static Gpt2Config Read(string path) => Parse(path, FileBytes.Read(path));

    /// <summary>Reads a config.json that has been read.</summary>
    /// <param name="path">The file, for messages.</param>
    /// <param name="bytes">Its bytes.</param>
    /// <inheritdoc cref="Read"/>
    public static Gpt2Config Parse(string path, ReadOnlyMemory<byte> bytes) => JsonFile.Parse(path, bytes, root =>
        root.ValueKind == JsonValueKind.Object
            ? new Reader(path, root).Config()
            : throw new GradpathException($"{path}: a JSON object is needed, not {JsonFile.Shown(root)}"));

    /// <summary>Writes a config.json.</summary>
    /// <param name="path">The file.</param>
    /// <param name="config">The model's shape.</param>
    /// <exception cref="GradpathException">The file cannot be written.</exception>
    public static void Write(string path, Gpt2Config config) => AtomicFile.Write(path, stream =>
    {
        using Utf8JsonWriter json = new(stream, new JsonWriterOptions { Indented = true });
        json.WriteStartObject();
        json.WriteStartArray("architectures");
        json.WriteStringValue("GPT2LMHeadModel");
        json.WriteEndArray();
        json.WriteString("model_type", "gpt2");
        json.WriteString("activation_function", ActivationNames.Of(config.Activation));
        json.WriteNumber("layer_norm_epsilon", config.Epsilon);
        json.WriteNumber("n_ctx", config.Positions);
        json.WriteNumber("n_positions", config.Positions);
        json.WriteNumber("n_embd", config.Width);
        json.WriteNumber("n_head", config.Heads);
        json.WriteNumber("n_layer", config.Layers);
        json.WriteNumber("n_inner", config.InnerWidth);
        json.WriteBoolean("scale_attn_by_inverse_layer_idx", config.ScaleAttentionByLayer);
        json.WriteBoolean("scale_attn_weights", config.ScaleAttention);
        json.WriteBoolean("tie_word_embeddings", config.TiedHead);
        json.WriteString("torch_dtype", "float32");
        json.WriteNumber("vocab_size", config.Vocabulary);
        json.WriteEndObject();
    });

    private sealed class Reader(string path, JsonElement root)
    {
        public Gpt2Config Config()
        {
            string type = root.Text("model_type", path) ?? "gpt2";
            if (type != "gpt2") throw new GradpathException($"{path}: model_type is {Quoted.Text(type)}; only \"gpt2\" is supported");
            int width = Extent("n_embd");
            int heads = Extent("n_head");
            int layers = Extent("n_layer");
            if (width % heads != 0) throw new GradpathException($"{path}: n_embd {width} is not a multiple of n_head {heads}");
            if (GraphNumbering.Lack(layers, heads) is { } lack) throw new GradpathException($"{path}: n_layer and n_head: {lack}");
            return new Gpt2Config
            {
                Layers = layers,
                Heads = heads,
                Width = width,
                InnerWidth = root.Property("n_inner") is not null ? Extent("n_inner") : 4 * width,
                Positions = root.Property("n_positions") is not null || root.Property("n_ctx") is null ? Extent("n_positions")
                    : Extent("n_ctx"),
                Vocabulary = Extent("vocab_size"),
                Epsilon = Epsilon(),
                Activation = Activation(),
                TiedHead = root.Flag("tie_word_embeddings", path) ?? true,
                ScaleAttention = root.Flag("scale_attn_weights", path) ?? true,
                ScaleAttentionByLayer = root.Flag("scale_attn_by_inverse_layer_idx", path) ?? false,
            };
        }

        private int Extent(string name)
        {
            if (root.Property(name) is not { } value)
                throw new GradpathException($"{path}: {name} is missing; a whole number from 1 on is expected");
            if (value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number) && number is >= 1 and <= LargestExtent)
                return number;
            throw new GradpathException(
                $"{path}: {name} is {JsonFile.Shown(value)}; a whole number from 1 to {LargestExtent} is expected");
        }

        private float Epsilon()
        {
            const string Name = "layer_norm_epsilon";
            if (root.Property(Name) is not { } value) return 1e-5f;
            if (value.ValueKind == JsonValueKind.Number && value.TryGetSingle(out float number) && number is > 0 and < 1) return number;
            throw new GradpathException(
                $"{path}: {Name} is {JsonFile.Shown(value)}; a number between 0 and 1, usually 1e-05, is expected");
        }

        private Gpt2Activation Activation()
        {
            string name = root.Text("activation_function", path) ?? ActivationNames.Of(Gpt2Activation.GeluNew);
            return ActivationNames.Find(name) ?? throw new GradpathException(
                $"{path}: activation_function is {Quoted.Text(name)}; {ActivationNames.Supported} are supported");
        }
    }
}
