using System.Text;
using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Transcoders;
using Gradpath.Host.Reports.Pages;
using Gradpath.Host.Sessions;
using Gradpath.Kernels.Cpu;

namespace Gradpath.Fuzz.Tests;

/// <summary>Files of transcoders and of graphs over their features.</summary>
internal static class TranscoderReaders
{
    private const int Width = 4, Features = 6;

    private static readonly Gpt2Config s_config =
        new() { Layers = 1, Heads = 2, Width = Width, InnerWidth = 6, Positions = 5, Vocabulary = 7 };

    /// <summary>The readers.</summary>
    public static IReadOnlyList<FuzzReader> All { get; } =
    [
        new("attribution-graph", "graph.json", _ => new FuzzTarget([Bytes("""
            {"metadata": {"scan": "set", "prompt": "a b", "prompt_tokens": ["a", " b"]}, "qParams": {}, "nodes": [
            {"node_id": "E_1_0", "layer": "E", "ctx_idx": 0, "feature_type": "embedding", "clerp": "a", "influence": 0.5},
            {"node_id": "0_3_1", "layer": "0", "ctx_idx": 1, "feature_type": "cross layer transcoder", "influence": 0.75},
            {"node_id": "2_5_1", "layer": "2", "ctx_idx": 1, "feature_type": "logit", "clerp": "Output", "influence": null}],
            "links": [{"source": "E_1_0", "target": "0_3_1", "weight": 1.5}, {"source": "0_3_1", "target": "2_5_1", "weight": -2}]}
            """)], path => AttributionSection.Of(path))),
        new("transcoder-config", "config.yaml", folder =>
        {
            Write(Path.Combine(folder, "layer_0.safetensors"), byInput: false);
            return new FuzzTarget(
                [Bytes("model_kind: transcoder_set\nfeature_input_hook: ln2.hook_normalized\nactivation: topk\nk: 2\n")], ReadFolder);
        }),
        new("transcoder-lens", "cfg.json", folder =>
        {
            Write(Path.Combine(folder, "sae_weights.safetensors"), byInput: true);
            return new FuzzTarget([Bytes("""
                {"architecture": "transcoder", "activation_fn": "topk", "activation_fn_kwargs": {"k": 2}, "metadata":
                {"hook_name": "blocks.0.ln2.hook_normalized", "hook_name_out": "blocks.0.hook_mlp_out"}}
                """)], ReadFolder);
        }),
        new("transcoder", "layer_0.safetensors", folder =>
        {
            string path = Path.Combine(folder, "sound.safetensors");
            Write(path, byInput: false);
            return new FuzzTarget([File.ReadAllBytes(path)], Read) { HasHeader = true };
        }),
        new("transcoder-training", "training.safetensors", folder =>
        {
            CpuDevice device = new(1);
            using Gpt2Weights weights = RandomGpt2Weights.Create(s_config, 1, device);
            string path = Path.Combine(folder, "sound.safetensors");
            using (TranscoderTrainer trainer = Trainer(weights))
            {
                trainer.Train(path, _ => { }, null, CancellationToken.None);
                trainer.Save(path);
            }
            return new FuzzTarget([File.ReadAllBytes(path)], damaged =>
            {
                using Gpt2Weights model = RandomGpt2Weights.Create(s_config, 1, device);
                using TranscoderTrainer trainer = Trainer(model);
                trainer.Resume(damaged);
            }, device)
            { HasHeader = true };
        }),
    ];

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text + "\n");

    private static void ReadFolder(string path)
    {
        using TranscoderSet set = new("set", TranscoderFolder.Read(Path.GetDirectoryName(path)!), s_config);
    }

    private static void Read(string path)
    {
        using Transcoder transcoder = Transcoder.Open(new TranscoderSpec(0, path), Width);
        int[] some = [0, transcoder.Features - 1];
        _ = transcoder.EncoderRows(some);
        _ = transcoder.DecoderRows(some);
    }

    private static TranscoderTrainer Trainer(Gpt2Weights weights) => new(
        weights, [[1, 2, 3], [4, 5, 6, 0]],
        new TranscoderTrainingOptions { Layers = [0], Features = Features, K = 2, Steps = 3, StepPositions = 4 },
        new JsonObject { ["--steps"] = 3 });

    private static void Write(string path, bool byInput)
    {
        SafetensorsWriter writer = new();
        float[] Values(int count) => [.. Enumerable.Range(0, count).Select(i => (i % 5) - 1.5f)];
        writer.Add("W_enc", Values(Width * Features), byInput ? [Width, Features] : [Features, Width]);
        writer.Add("W_dec", Values(Width * Features), Features, Width);
        writer.Add("b_enc", Values(Features), Features);
        writer.Add("b_dec", Values(Width), Width);
        writer.Add("W_skip", Values(Width * Width), Width, Width);
        writer.Add("threshold", Values(Features), Features);
        writer.Write(path);
    }
}
