using System.Text;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Kernels.Cpu;

namespace Gradpath.Host.Tests;

/// <summary>A folder with a tiny random checkpoint and token-id prompt pairs for it.</summary>
public sealed class TinyModel : IDisposable
{
    private readonly TempFolder _folder = new();

    public TinyModel()
    {
        Gpt2Config config = new() { Layers = 2, Heads = 2, Width = 8, InnerWidth = 16, Positions = 12, Vocabulary = 20 };
        using CpuDevice device = new(1);
        using Gpt2Weights weights = RandomGpt2Weights.Create(config, 5, device, scale: 0.4f, biasJitter: 0.1f);
        Directory.CreateDirectory(ModelDirectory);
        CheckpointWriter.Write(ModelDirectory, weights);
        File.WriteAllText(Pairs, PairLines(6, 5));
    }

    public string Folder => _folder.Path;

    public string ModelDirectory => _folder["model"];

    public string Pairs => _folder["pairs.jsonl"];

    public string Path(string name) => _folder[name];

    /// <summary>JSON lines of prompt pairs of one length.</summary>
    public static string PairLines(int count, int length)
    {
        Random random = new(2);
        StringBuilder lines = new();
        string Ids() => string.Join(",", Enumerable.Range(0, length).Select(_ => random.Next(20)));
        for (int i = 0; i < count; i++)
            lines.Append($$"""{"clean_ids":[{{Ids()}}],"corrupted_ids":[{{Ids()}}],"answer_ids":[3],"wrong_answer_ids":[4]}""").Append('\n');
        return lines.ToString();
    }

    /// <summary>EAP's scores of edges between the pairs' tokens, made at the first call.</summary>
    public string SpanScores()
    {
        string file = Path("span-scores.json");
        if (!File.Exists(file))
        {
            Cli.Run(
                "score", "--model", ModelDirectory, "--data", Pairs, "--threads", "1", "--method", "eap", "--positions", "tokens", "--out",
                file).Succeeds();
        }
        return file;
    }

    /// <summary>A circuit of such edges, made at the first call.</summary>
    public string SpanCircuit()
    {
        string file = Path("span-circuit.json");
        if (!File.Exists(file)) Cli.Run("circuit", "--scores", SpanScores(), "--greedy", "30", "--out", file).Succeeds();
        return file;
    }

    /// <summary>EAP's scores of the pairs, made at the first call.</summary>
    public string Scores()
    {
        string file = Path("eap-scores.json");
        if (!File.Exists(file))
            Cli.Run("score", "--model", ModelDirectory, "--data", Pairs, "--threads", "1", "--method", "eap", "--out", file).Succeeds();
        return file;
    }

    /// <summary>EAP's scores of every pair, made at the first call.</summary>
    public string PerItem()
    {
        string file = Path("items.safetensors");
        if (!File.Exists(file))
        {
            Cli.Run("score", "--model", ModelDirectory, "--data", Pairs, "--threads", "1", "--method", "eap", "--per-item", file)
                .Succeeds();
        }
        return file;
    }

    /// <summary>The circuit of the strongest of those scores, pruned where the options do not say otherwise.</summary>
    public string Circuit(string name, int edges, params string[] options)
    {
        Cli.Run(["circuit", "--scores", Scores(), "--top-n", $"{edges}", "--out", Path(name), .. options]).Succeeds();
        return Path(name);
    }

    public void Dispose() => _folder.Dispose();
}
