using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Gradpath.Gpt2Runtime.Checkpoints;

namespace Gradpath.Gpt2Runtime.Tests.Checkpoints;

/// <summary>
/// Writes checkpoint files byte by byte, without the program's own writer, so that tests can make every kind of file, broken ones included.
/// </summary>
internal static class CheckpointBuilder
{
    /// <summary>A model small enough to spell out: D 4, H 2, inner 6, V 5.</summary>
    public static Gpt2Config Config { get; } = new() { Layers = 2, Heads = 2, Width = 4, InnerWidth = 6, Positions = 3, Vocabulary = 5 };

    /// <summary>The value of every element in the tests' models: small multiples of 1/8, exact in all types.</summary>
    public static float Value(string name, int index) => ((name.Sum(c => c) + (index * 3)) % 61 / 8f) - 3;

    public static string ConfigJson(string changes = "") => ConfigJson(Config, changes);

    /// <summary>config.json text; fields in <paramref name="changes"/> (JSON members) replace or join the usual ones.</summary>
    public static string ConfigJson(Gpt2Config config, string changes)
    {
        System.Text.Json.Nodes.JsonObject json = System.Text.Json.Nodes.JsonNode.Parse($$"""
            {
              "model_type": "gpt2", "activation_function": "gelu_new", "layer_norm_epsilon": 1e-05, "n_ctx": {{config.Positions}},
              "n_positions": {{config.Positions}}, "n_embd": {{config.Width}}, "n_head": {{config.Heads}}, "n_layer": {{config.Layers}},
              "n_inner": {{config.InnerWidth}}, "reorder_and_upcast_attn": false, "vocab_size": {{config.Vocabulary}}
            }
            """)!.AsObject();
        foreach (var member in System.Text.Json.Nodes.JsonNode.Parse("{" + changes + "}")!.AsObject().ToArray())
        {
            if (member.Value is System.Text.Json.Nodes.JsonValue v && v.ToString() == "DELETE") json.Remove(member.Key);
            else json[member.Key] = member.Value?.DeepClone();
        }
        return json.ToJsonString();
    }

    /// <summary>The tensors of a model.</summary>
    public static List<(string Name, string Dtype, int[] Shape)> Tensors(
        Gpt2Config config, string dtype = "F32", string prefix = "transformer.", bool headBias = false)
    {
        List<(string, string, int[])> tensors = [];
        foreach (TensorSpec spec in Gpt2Layout.Of(config))
            tensors.Add((spec.Name.StartsWith("lm_head", StringComparison.Ordinal) ? spec.Name : prefix + spec.Name, dtype, spec.Shape));
        if (headBias) tensors.Add(("lm_head.bias", dtype, [config.Vocabulary]));
        return tensors;
    }

    public static byte[] File(IEnumerable<(string Name, string Dtype, int[] Shape)> tensors, bool pad = true)
    {
        StringBuilder header = new("{\"__metadata__\":{\"format\":\"pt\"}");
        using MemoryStream data = new();
        foreach ((string name, string dtype, int[] shape) in tensors)
        {
            long begin = data.Length;
            int count = shape.Aggregate(1, (a, b) => a * b);
            string bare = name.Replace("transformer.", "", StringComparison.Ordinal);
            for (int i = 0; i < count; i++) data.Write(Encode(dtype, Value(bare, i)));
            header.Append(CultureInfo.InvariantCulture,
                $",\"{name}\":{{\"dtype\":\"{dtype}\",\"shape\":[{string.Join(',', shape)}],\"data_offsets\":[{begin},{data.Length}]}}");
        }
        header.Append('}');
        while (pad ? header.Length % 8 != 0 : header.Length % 4 != 1) header.Append(' ');
        return File(header.ToString(), data.ToArray());
    }

    public static byte[] File(string header, byte[] data)
    {
        byte[] json = Encoding.UTF8.GetBytes(header);
        byte[] file = new byte[8 + json.Length + data.Length];
        BinaryPrimitives.WriteUInt64LittleEndian(file, (ulong)json.Length);
        json.CopyTo(file, 8);
        data.CopyTo(file, 8 + json.Length);
        return file;
    }

    /// <summary>Values as a file has them.</summary>
    public static byte[] Encode(string dtype, IEnumerable<double> values) => [.. values.SelectMany(value => Encode(dtype, value))];

    public static byte[] Encode(string dtype, IEnumerable<float> values) => Encode(dtype, values.Select(value => (double)value));

    private static byte[] Encode(string dtype, double value) => dtype switch
    {
        "F32" => BitConverter.GetBytes((float)value),
        "F16" => BitConverter.GetBytes((Half)value),
        "BF16" => BitConverter.GetBytes((ushort)(BitConverter.SingleToUInt32Bits((float)value) >> 16)),
        "F64" => BitConverter.GetBytes(value),
        "U8" or "BOOL" => [1],
        "I32" => BitConverter.GetBytes(1),
        _ => throw new ArgumentOutOfRangeException(nameof(dtype)),
    };
}
