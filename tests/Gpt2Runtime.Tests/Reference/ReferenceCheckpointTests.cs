using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using Gradpath.Gpt2Runtime.Checkpoints;

namespace Gradpath.Gpt2Runtime.Tests.Reference;

/// <summary>The reference's own checkpoint reader: number formats, prefixes, shards and options of config.json; needs no files.</summary>
public sealed class ReferenceCheckpointTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("reference-checkpoint").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [InlineData("F32", "")]
    [InlineData("F32", "transformer.")]
    [InlineData("F16", "transformer.")]
    [InlineData("BF16", "")]
    public void A_model_written_in_two_shards_is_read_back(string type, string prefix)
    {
        Gpt2Config config = new()
        {
            Layers = 1,
            Heads = 2,
            Width = 4,
            InnerWidth = 6,
            Positions = 3,
            Vocabulary = 5,
            Epsilon = 1e-3f,
            Activation = Gpt2Activation.Relu,
            TiedHead = false,
            ScaleAttention = false,
            ScaleAttentionByLayer = true,
        };
        ReferenceModel model = ReferenceModel.Random(config, seed: 1, unembeddingBias: true);
        (string Name, float[] Values)[] tensors =
            [.. model.FloatTensors().Select(t => (t.Key, Array.ConvertAll(t.Value, v => Rounded(v, type))))];
        File.WriteAllText(Path.Combine(_directory, "config.json"), """
            { "n_layer": 1, "n_head": 2, "n_embd": 4, "n_inner": 6, "n_positions": 3, "vocab_size": 5, "layer_norm_epsilon": 1e-3,
              "activation_function": "relu", "tie_word_embeddings": false, "scale_attn_weights": false,
              "scale_attn_by_inverse_layer_idx": true }
            """);
        File.WriteAllBytes(Path.Combine(_directory, "model-1.safetensors"), Write(tensors[..7], type, prefix));
        File.WriteAllBytes(Path.Combine(_directory, "model-2.safetensors"), Write(tensors[7..], type, prefix));

        ReferenceModel read = ReferenceCheckpoint.Load(_directory);

        Assert.Equal(config, read.Config);
        Assert.Equal(0.001, read.Epsilon);
        IReadOnlyDictionary<string, float[]> found = read.FloatTensors();
        Assert.Equal(tensors.Length, found.Count);
        Assert.All(tensors, t => Assert.Equal(t.Values, found[t.Name]));
    }

    private static float Rounded(float value, string type) => type switch
    {
        "F16" => (float)(Half)value,
        "BF16" => BitConverter.Int32BitsToSingle(BitConverter.SingleToInt32Bits(value) & ~0xffff),
        _ => value,
    };

    private static byte[] Write((string Name, float[] Values)[] tensors, string type, string prefix)
    {
        using MemoryStream data = new();
        Dictionary<string, object> header = new() { ["__metadata__"] = new Dictionary<string, string> { ["format"] = "pt" } };
        Span<byte> number = stackalloc byte[4];
        foreach ((string name, float[] values) in tensors)
        {
            long first = data.Length;
            foreach (float value in values)
            {
                if (type == "F16")
                {
                    BinaryPrimitives.WriteHalfLittleEndian(number, (Half)value);
                }
                else
                {
                    BinaryPrimitives.WriteSingleLittleEndian(number, value);
                }
                data.Write(type switch { "F32" => number, "F16" => number[..2], _ => number[2..] });
            }
            header[prefix + name] = new { dtype = type, shape = new[] { values.Length }, data_offsets = new[] { first, data.Length } };
        }
        byte[] json = Encoding.UTF8.GetBytes(JsonSerializer.Serialize(header));
        byte[] length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, json.Length);
        return [.. length, .. json, .. data.ToArray()];
    }
}
