using System.Diagnostics;
using System.Globalization;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Model;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Gpt2Runtime.Tokenization;
using Gradpath.Kernels;
using Gradpath.Kernels.Cpu;

namespace Gradpath.Perf;

/// <summary>
/// ACDC on the demo model, against the naive loop: for every edge tested one whole patched pass from the input on, one after the other.
/// </summary>
internal static class AcdcTimes
{
    private static readonly double[] s_thresholds = [0.001, 0.01, 0.1];

    /// <summary>Runs the comparison.</summary>
    /// <param name="args">Optional: candidates at once.</param>
    /// <returns>Exit code.</returns>
    public static int Run(string[] args)
    {
        string directory = ModelLocator.Resolve("demo");
        using var device = new CpuDevice(1);
        using Gpt2Checkpoint checkpoint = Gpt2Checkpoint.Open(directory);
        using Gpt2Weights weights = checkpoint.LoadWeights(device);
        PromptSet prompts = PromptLoader.Load("ioi", null, BpeTokenizer.Load(directory), new PromptOptions { Limit = 20 });
        var options = new AcdcOptions { Candidates = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 0 };
        Console.WriteLine($"ACDC, KL, demo model, ioi, {prompts.Pairs.Count} pairs; {device.Description}");
        Console.WriteLine("| tau | edges kept | edges tested | candidates run | forward passes | processor seconds | naive passes | naive "
            + "processor seconds | ratio |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|---|");
        foreach (double tau in s_thresholds)
        {
            // The two take turns, best of three each, on one thread and in processor time: other work on the machine makes both a little
            // slower.
            double ours = double.MaxValue, naive = double.MaxValue;
            AcdcResult result = CircuitSearches.Acdc.Search(weights, prompts, options with { Threshold = tau });
            for (int round = 0; round < 3; round++)
            {
                double start = ProcessorSeconds();
                result = CircuitSearches.Acdc.Search(weights, prompts, options with { Threshold = tau });
                ours = Math.Min(ours, ProcessorSeconds() - start);
                naive = Math.Min(naive, NaiveSeconds(weights, prompts.Pairs, result));
            }
            AcdcEffort effort = result.Effort;
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| {tau} | {result.Circuit.EdgeCount} | {effort.Tested} | {effort.Runs} | {effort.Passes(weights.Config.Layers):F1} | "
                    + $"{ours:F2} | {effort.Tested} | {naive:F2} | {naive / ours:F1} |"));
        }
        return 0;
    }

    // The same circuits in the same order, as the search went through them.
    private static double NaiveSeconds(Gpt2Weights weights, IReadOnlyList<PromptPair> pairs, AcdcResult result)
    {
        Device device = weights.Device;
        Gpt2Config config = weights.Config;
        var graph = new ComputationGraph(config);
        int[] lengths = [.. pairs.Select(p => p.Length)];
        var capacity = PassCapacity.For(lengths, 1, false);
        using var one = new PassShape(device, lengths, 1, answerOnly: false);
        using var activations = new Activations(config, device, capacity, keepWriters: true);
        using var patched = new PatchedForwardPass(weights, capacity, 1, continues: false);
        using var target = new WriterOutputs(config, device, capacity);
        using var head = new OutputHead(weights, BuiltInMetrics.KlDivergence, pairs.Count, pairs.Count);
        using Tensor clean = Embeddings(weights, [.. pairs.SelectMany(p => p.Clean)]);
        using Tensor corrupted = Embeddings(weights, [.. pairs.SelectMany(p => p.Corrupted)]);
        using Tensor answers = device.Allocate(pairs.Count, config.Width);
        var forward = new ForwardPass(weights);
        double start = ProcessorSeconds();
        forward.Embed(one, activations, corrupted);
        forward.Run(one, activations);
        target.Take(one, activations, corrupted, 0);
        patched.SetAblation(one, target);
        forward.Embed(one, activations, clean);
        forward.Run(one, activations);
        head.SetItems(pairs);
        head.Evaluate(one, activations, 0);
        bool[] kept = new bool[graph.Writers * graph.Readers];
        foreach ((int row, int column) in graph.Edges) kept[(row * graph.Readers) + column] = true;
        foreach (AcdcStep step in result.Steps)
        {
            int index = (step.Row * graph.Readers) + step.Column;
            kept[index] = false;
            if (step.Decision == AcdcDecision.Dropped) continue;
            patched.Run(one, clean, [new PatchedCircuit(graph, kept)], false, answers);
            head.EvaluateRows(answers, pairs.Count);
            double objective = head.Values.Take(pairs.Count).Average();
            if (Math.Abs(objective - step.After) > 1e-4)
                throw new InvalidOperationException($"{graph.EdgeName(step.Row, step.Column)}: {objective}, not {step.After}");
            kept[index] = step.Decision == AcdcDecision.Kept;
        }
        return ProcessorSeconds() - start;
    }

    private static double ProcessorSeconds() => Process.GetCurrentProcess().TotalProcessorTime.TotalSeconds;

    private static Tensor Embeddings(Gpt2Weights weights, int[] tokens)
    {
        Tensor embeddings = weights.Device.Allocate(tokens.Length, weights.Config.Width);
        using DeviceArray<int> ids = weights.Device.Store<int>(tokens);
        weights.Device.GatherRows(weights.TokenEmbedding, ids, tokens.Length, weights.Config.Width, embeddings);
        return embeddings;
    }
}
