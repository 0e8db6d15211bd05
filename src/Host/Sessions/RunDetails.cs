using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Kernels;

namespace Gradpath.Host.Sessions;

/// <summary>What <c>--verbose</c> says of a run before it starts.</summary>
internal static class RunDetails
{
    /// <summary>The device and what a run may take of it.</summary>
    public static void Device(Terminal terminal, Device device) => terminal.Detail(
        $"device: {device.Description}, workspaces of at most {Sizes.Bytes(device.WorkspaceBudget)}");

    /// <summary>The model.</summary>
    public static void Model(Terminal terminal, Gpt2Checkpoint checkpoint, Gpt2Weights weights) => terminal.Detail(
        $"model: {weights.Name} from {checkpoint.Directory}, {Sizes.Count(checkpoint.ParameterCount)} parameters, {checkpoint.Dtype}, "
            + checkpoint.Hash);

    /// <summary>The prompts.</summary>
    public static void Prompts(Terminal terminal, PromptSet prompts)
    {
        int least = prompts.Pairs.Min(p => p.Length), most = prompts.Pairs.Max(p => p.Length);
        terminal.Detail($"prompts: {Sizes.Of(prompts.Pairs.Count, "pair")} of {prompts.Task} ({prompts.Source}), "
            + $"{(least == most ? $"{least}" : $"{least} to {most}")} tokens, metric {prompts.Metric.Name}");
    }

    /// <summary>A search's settings, as provenance states them, with their defaults in place.</summary>
    /// <param name="terminal">Where to.</param>
    /// <param name="what">The search.</param>
    /// <param name="options">The settings.</param>
    /// <param name="graph">The model's graph.</param>
    public static void Settings(Terminal terminal, string what, SearchOptions options, ComputationGraph graph)
    {
        if (!terminal.Verbose) return;
        JsonObject settings = (options is EdgePruningOptions training ? training.Resolve(graph.EdgeCount) : options).Describe(graph);
        if (settings.Count == 0) return;
        terminal.Detail($"{what}: {string.Join(", ", settings.Select(s => $"{s.Key} {s.Value?.ToString() ?? "none"}"))}");
    }
}
