using System.Buffers.Binary;
using System.Text.Json;
using Gradpath.Gpt2Runtime.Checkpoints;

namespace Gradpath.Tests.Support.Reference;

/// <summary>
/// A reader of Hugging Face GPT-2 directories that owes nothing to the runtime's. A safetensors file is an 8-byte little-endian length,
/// that many bytes of JSON (name -> dtype, shape, data_offsets), then the data.
/// </summary>
internal static class ReferenceCheckpoint
{
    /// <summary>Reads config.json and model.safetensors (or its shards) of a directory.</summary>
    public static ReferenceModel Load(string directory)
    {
        Dictionary<string, double[]> tensors = new(StringComparer.Ordinal);
        foreach (string file in Directory.GetFiles(directory, "*.safetensors").Order(StringComparer.Ordinal))
        {
            ReadTensors(File.ReadAllBytes(file), tensors);
        }
        using JsonDocument json = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(directory, "config.json")));
        return new ReferenceModel(ReadConfig(json.RootElement), tensors);
    }

    private static Gpt2Config ReadConfig(JsonElement json)
    {
        int Number(string name) => json.GetProperty(name).GetInt32();
        bool Flag(string name, bool otherwise) => json.TryGetProperty(name, out JsonElement e) ? e.GetBoolean() : otherwise;
        bool hasInner = json.TryGetProperty("n_inner", out JsonElement inner) && inner.ValueKind == JsonValueKind.Number;
        return new Gpt2Config
        {
            Layers = Number("n_layer"),
            Heads = Number("n_head"),
            Width = Number("n_embd"),
            InnerWidth = hasInner ? inner.GetInt32() : 4 * Number("n_embd"),
            Positions = Number("n_positions"),
            Vocabulary = Number("vocab_size"),
            Epsilon = json.GetProperty("layer_norm_epsilon").GetSingle(),
            Activation = json.GetProperty("activation_function").GetString() switch
            {
                "gelu_new" => Gpt2Activation.GeluNew,
                "gelu" => Gpt2Activation.Gelu,
                "relu" => Gpt2Activation.Relu,
                "silu" => Gpt2Activation.Silu,
                "quick_gelu" => Gpt2Activation.QuickGelu,
                "tanh" => Gpt2Activation.Tanh,
                string other => throw new NotSupportedException(other),
                null => Gpt2Activation.GeluNew,
            },
            TiedHead = Flag("tie_word_embeddings", true),
            ScaleAttention = Flag("scale_attn_weights", true),
            ScaleAttentionByLayer = Flag("scale_attn_by_inverse_layer_idx", false),
        };
    }

    private static void ReadTensors(byte[] file, Dictionary<string, double[]> tensors)
    {
        int headerLength = checked((int)BinaryPrimitives.ReadInt64LittleEndian(file));
        using JsonDocument header = JsonDocument.Parse(file.AsMemory(8, headerLength));
        foreach (JsonProperty entry in header.RootElement.EnumerateObject())
        {
            string type = entry.Value.TryGetProperty("dtype", out JsonElement dtype) ? dtype.GetString()! : "";
            if (type is not ("F32" or "F16" or "BF16"))
            {
                continue; // metadata and causal-mask buffers
            }
            JsonElement offsets = entry.Value.GetProperty("data_offsets");
            int first = checked((int)offsets[0].GetInt64()), end = checked((int)offsets[1].GetInt64());
            const string Prefix = "transformer.";
            string name = entry.Name.StartsWith(Prefix, StringComparison.Ordinal) ? entry.Name[Prefix.Length..] : entry.Name;
            tensors[name] = Widen(type, file.AsSpan(8 + headerLength + first, end - first));
        }
    }

    private static double[] Widen(string type, ReadOnlySpan<byte> bytes)
    {
        int size = type == "F32" ? 4 : 2;
        double[] values = new double[bytes.Length / size];
        for (int i = 0; i < values.Length; i++)
        {
            ReadOnlySpan<byte> place = bytes.Slice(i * size, size);
            values[i] = type switch
            {
                "F32" => BinaryPrimitives.ReadSingleLittleEndian(place),
                "F16" => (double)BinaryPrimitives.ReadHalfLittleEndian(place),
                _ => BitConverter.Int32BitsToSingle(BinaryPrimitives.ReadUInt16LittleEndian(place) << 16),
            };
        }
        return values;
    }
}
