using System.Diagnostics;
using System.Text.Json;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Gpt2Runtime.Tokenization;
using Gradpath.Kernels.Cpu;

namespace Gradpath.Host.Tests;

/// <summary>
/// The peer in PyTorch computes what the reference outputs say and what this program computes. Skipped where no Python has torch.
/// </summary>
public sealed class PeerTests
{
    private static readonly string Root = RepositoryFiles.Root;
    private static readonly Lazy<string?> s_python = new(
        () => new[] { "python3", "/usr/bin/python3" }.FirstOrDefault(p => Run(p, "-c", "import torch").ExitCode == 0));

    [SkippableTheory]
    [InlineData("tiny-random", "padded")]
    [InlineData("nano-sort", "sort_k2")]
    public void The_peer_equals_the_reference_outputs(string model, string task)
    {
        string directory = RepositoryFiles.Data($"models/{model}"), goldens = RepositoryFiles.Data($"goldens/{model}/{task}");
        string output = Peer("check", "--model", directory, "--goldens", goldens);
        Assert.Contains("eap-ig: ", output, StringComparison.Ordinal);
        Assert.Contains("circuits: ", output, StringComparison.Ordinal);
    }

    [SkippableTheory]
    [InlineData("eap")]
    [InlineData("eap-ig")]
    public void The_peers_scores_are_ours(string name)
    {
        AttributionMethod method = AttributionMethods.Find(name);
        using TempFolder folder = new();
        string directory = Path.Combine(Root, "models/demo");
        PromptSet prompts = PromptLoader.Load("ioi", null, BpeTokenizer.Load(directory), new PromptOptions { Limit = 8 });
        File.WriteAllLines(folder["pairs.jsonl"], prompts.Pairs.Select(p => JsonSerializer.Serialize(
            new { clean_ids = p.Clean, corrupted_ids = p.Corrupted, answer_ids = p.Answers, wrong_answer_ids = p.WrongAnswers })));
        Peer("score", "--model", directory, "--data", folder["pairs.jsonl"], "--method", method.Name, "--out", folder["scores.json"]);
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(folder["scores.json"]));
        double[] theirs = [.. json.RootElement.GetProperty("matrix").EnumerateArray().SelectMany(row =>
            row.EnumerateArray().Select(v => v.GetDouble()))];

        using CpuDevice device = new();
        using Gpt2Checkpoint checkpoint = Gpt2Checkpoint.Open(directory);
        using Gpt2Weights weights = checkpoint.LoadWeights(device);
        float[] ours = EdgeAttribution.Score(weights, prompts, new AttributionOptions { Method = method }).Values.ToArray();
        Assert.Equal(ours.Length, theirs.Length);
        double largest = theirs.Max(Math.Abs);
        for (int i = 0; i < ours.Length; i++) Assert.InRange(Math.Abs(ours[i] - theirs[i]), 0, 1e-5 * largest);
    }

    private static string Peer(params string[] arguments)
    {
        Skip.If(s_python.Value is null, "no python3 here can import torch");
        (int code, string output) = Run(s_python.Value!, [Path.Combine(Root, "perf/peers/eap_ig_torch.py"), .. arguments]);
        Assert.True(code == 0, output);
        return output;
    }

    private static (int ExitCode, string Output) Run(string program, params string[] arguments)
    {
        try
        {
            using Process process = Process.Start(new ProcessStartInfo(program, arguments)
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true
            })!;
            Task<string> errors = process.StandardError.ReadToEndAsync();
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return (process.ExitCode, output + errors.Result);
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            return (-1, e.Message);
        }
    }
}
