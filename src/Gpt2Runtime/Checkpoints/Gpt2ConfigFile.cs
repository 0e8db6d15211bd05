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
    public static Gpt2Config Read(string path)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(
                File.ReadAllBytes(path), new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip });
            if (document.RootElement.ValueKind != JsonValueKind.Object) throw new GradpathException($"{path}: is not a JSON object");
            return new Reader(path, document.RootElement).Config();
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new GradpathException($"{path}: is not valid JSON ({e.Message})", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new GradpathException($"{path}: cannot be read: {e.Message}", e);
        }
    }

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
        json.WriteString("activation_function", config.Activation switch
        {
            Gpt2Activation.Gelu => "gelu",
            Gpt2Activation.Relu => "relu",
            _ => "gelu_new",
        });
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
            string type = Text("model_type", "gpt2");
            if (type != "gpt2") throw new GradpathException($"{path}: model_type is \"{type}\"; only \"gpt2\" is supported");
            int width = Extent("n_embd");
            int heads = Extent("n_head");
            if (width % heads != 0) throw new GradpathException($"{path}: n_embd {width} is not a multiple of n_head {heads}");
            return new Gpt2Config
            {
                Layers = Extent("n_layer"),
                Heads = heads,
                Width = width,
                InnerWidth = Has("n_inner") ? Extent("n_inner") : 4 * width,
                Positions = Has("n_positions") || !Has("n_ctx") ? Extent("n_positions") : Extent("n_ctx"),
                Vocabulary = Extent("vocab_size"),
                Epsilon = Epsilon(),
                Activation = Activation(),
                TiedHead = Flag("tie_word_embeddings", true),
                ScaleAttention = Flag("scale_attn_weights", true),
                ScaleAttentionByLayer = Flag("scale_attn_by_inverse_layer_idx", false),
            };
        }

        private bool Has(string name) => root.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null;

        private int Extent(string name)
        {
            if (!Has(name)) throw new GradpathException($"{path}: {name} is missing; a whole number from 1 on is expected");
            JsonElement value = root.GetProperty(name);
            if (value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number) && number is >= 1 and <= LargestExtent)
                return number;
            throw new GradpathException($"{path}: {name} is {value.GetRawText()}; a whole number from 1 to {LargestExtent} is expected");
        }

        private bool Flag(string name, bool fallback)
        {
            if (!Has(name)) return fallback;
            JsonElement value = root.GetProperty(name);
            return value.ValueKind switch
            {
                JsonValueKind.True => true,
                JsonValueKind.False => false,
                _ => throw new GradpathException($"{path}: {name} is {value.GetRawText()}; true or false is expected"),
            };
        }

        private string Text(string name, string fallback)
        {
            if (!Has(name)) return fallback;
            JsonElement value = root.GetProperty(name);
            return value.ValueKind == JsonValueKind.String
                ? value.GetString()!
                : throw new GradpathException($"{path}: {name} is {value.GetRawText()}; a string is expected");
        }

        private float Epsilon()
        {
            const string Name = "layer_norm_epsilon";
            if (!Has(Name)) return 1e-5f;
            JsonElement value = root.GetProperty(Name);
            if (value.ValueKind == JsonValueKind.Number && value.TryGetSingle(out float number) && number is > 0 and < 1) return number;
            throw new GradpathException($"{path}: {Name} is {value.GetRawText()}; a number between 0 and 1, usually 1e-05, is expected");
        }

        // Several names of one formula: the tanh approximation goes by four, the exact function by two.
        private Gpt2Activation Activation()
        {
            string name = Text("activation_function", "gelu_new");
            return name switch
            {
                "gelu_new" or "gelu_pytorch_tanh" or "gelu_fast" or "gelu_accurate" => Gpt2Activation.GeluNew,
                "gelu" or "gelu_python" => Gpt2Activation.Gelu,
                "relu" => Gpt2Activation.Relu,
                _ => throw new GradpathException($"{path}: activation_function is \"{name}\"; gelu_new, gelu and relu are supported"),
            };
        }
    }
}
