using System.Text;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Kernels.Cpu;

namespace Gradpath.Fuzz.Tests;

/// <summary>Files of a checkpoint's model.</summary>
internal static class ModelReaders
{
    private static readonly Gpt2Config s_config =
        new() { Layers = 2, Heads = 2, Width = 4, InnerWidth = 6, Positions = 5, Vocabulary = 7 };

    /// <summary>The readers.</summary>
    public static IReadOnlyList<FuzzReader> All { get; } =
    [
        new("model-config", "config.json", folder =>
        {
            MakeModel(folder);
            byte[] sound = File.ReadAllBytes(Path.Combine(folder, "config.json"));
            return new FuzzTarget([sound], path => Gpt2ConfigFile.Read(path));
        }),
        new("weights", "model.safetensors", folder =>
        {
            MakeModel(folder);
            CpuDevice device = new(1);
            byte[] tied = File.ReadAllBytes(Path.Combine(folder, "model.safetensors"));
            return new FuzzTarget([tied, WithHead(folder)], _ => Load(folder, device), device) { HasHeader = true };
        }),
        new("shard-index", "model.safetensors.index.json", folder =>
        {
            MakeModel(folder);
            File.Move(Path.Combine(folder, "model.safetensors"), Path.Combine(folder, "model-1.safetensors"));
            using SafetensorsFile file = SafetensorsFile.Open(Path.Combine(folder, "model-1.safetensors"));
            string map = string.Join(",\n", file.Entries.Keys.Select(name => $"    \"{name}\": \"model-1.safetensors\""));
            byte[] sound = Encoding.UTF8.GetBytes($$"""{"metadata": {"total_size": 1}, "weight_map": {{{map}} } }""");
            CpuDevice device = new(1);
            return new FuzzTarget([sound], _ => Load(folder, device), device);
        }),
        new("hub-reference", "main", folder =>
        {
            string snapshot = Path.Combine(folder, "hub", "models--gpt2", "snapshots", "abc");
            Directory.CreateDirectory(snapshot);
            MakeModel(snapshot);
            string refs = Path.Combine(folder, "hub", "models--gpt2", "refs");
            Directory.CreateDirectory(refs);
            return new FuzzTarget(["abc"u8.ToArray(), "abc\n"u8.ToArray(), "0123456789abcdef"u8.ToArray()], path =>
            {
                File.Copy(path, Path.Combine(refs, "main"), overwrite: true);
                ModelLocator.Resolve("gpt2", name => name == "HF_HUB_CACHE" ? Path.Combine(folder, "hub") : null, [folder]);
            })
            { RefusesNothing = true };
        }),
    ];

    /// <summary>Writes a small model.</summary>
    public static void MakeModel(string folder)
    {
        using CpuDevice device = new(1);
        using Gpt2Weights weights = RandomGpt2Weights.Create(s_config, 1, device);
        CheckpointWriter.Write(folder, weights);
    }

    private static void Load(string folder, CpuDevice device)
    {
        using Gpt2Checkpoint checkpoint = Gpt2Checkpoint.Open(folder);
        checkpoint.LoadWeights(device).Dispose();
    }

    private static byte[] WithHead(string folder)
    {
        using SafetensorsFile file = SafetensorsFile.Open(Path.Combine(folder, "model.safetensors"));
        SafetensorsWriter writer = new();
        foreach (SafetensorsEntry entry in file.Entries.Values)
            writer.Add(entry.Name, file.ReadFloats(entry.Name), [.. entry.Shape.Select(extent => (int)extent)]);
        writer.Add("lm_head.weight", new float[28], 7, 4);
        writer.Add("h.0.attn.bias", new byte[4], 4);
        writer.Write(Path.Combine(folder, "headed"));
        return File.ReadAllBytes(Path.Combine(folder, "headed"));
    }
}
