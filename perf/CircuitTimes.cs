using System.Diagnostics;
using System.Globalization;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Model;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Kernels;
using Gradpath.Kernels.Cpu;

namespace Gradpath.Perf;

/// <summary>
/// Times the evaluation of circuits of several sizes against a plain forward pass over the same prompts, on GPT-2 small's shape with random
/// weights. The evaluation's own clean and corrupted runs are timed once, as the evaluation of no circuit at all.
/// </summary>
internal static class CircuitTimes
{
    private static readonly int[] Sizes = [100, 500, 1000, 2000, 5000, 16000, 32491];

    /// <summary>Runs the table.</summary>
    /// <returns>Exit code.</returns>
    public static int Run()
    {
        const int Pairs = 20;
        const int Tokens = 16;
        using var device = new CpuDevice();
        Gpt2Config config = Workloads.Shape("small");
        Console.WriteLine($"GPT-2 small shape, random weights; {Pairs} pairs of {Tokens} tokens; {device.Description}");
        using Gpt2Weights weights = RandomGpt2Weights.Create(config, 1, device);
        PromptPair[] prompts = Workloads.Pairs(Pairs, Tokens, Tokens - 4);
        AttributionResult eap = EdgeAttribution.Score(weights, prompts, new AttributionOptions { Method = AttributionMethod.Eap });
        var scores = new EdgeScores(new ComputationGraph(config), eap.Scores) { ModelWidth = config.Width };
        double nothing = Seconds(() => CircuitEvaluation.Evaluate(weights, prompts, [], new EvaluationOptions { BatchSize = Pairs }));
        double forward = ForwardSeconds(weights, prompts);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"one forward pass of the clean prompts: {forward:F3} s; clean, corrupted, full and empty run together: {nothing:F3} s"));
        Console.WriteLine("| edges | after pruning | nodes | seconds | against the forward pass |");
        Console.WriteLine("|---|---|---|---|---|");
        foreach (int size in Sizes)
        {
            Circuit circuit = CircuitPruning.Prune(CircuitSelection.TopEdges(scores, size));
            double time = Seconds(() => CircuitEvaluation.Evaluate(weights, prompts, [circuit], new EvaluationOptions { BatchSize = Pairs })) - nothing;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {size} | {circuit.EdgeCount} | {circuit.NodeCount} | {time:F3} | {time / forward:F2} |"));
        }
        return 0;
    }

    private static double ForwardSeconds(Gpt2Weights weights, PromptPair[] prompts)
    {
        int[] lengths = [.. prompts.Select(p => p.Length)];
        using var shape = new PassShape(weights.Device, lengths, 1, answerOnly: false);
        using var activations = new Activations(weights.Config, weights.Device, PassCapacity.For(lengths, 1, false), keepWriters: false);
        using Tensor embeddings = weights.Device.Allocate(shape.Rows, weights.Config.Width);
        var forward = new ForwardPass(weights);
        return Seconds(() =>
        {
            forward.Embed(shape, activations, embeddings);
            forward.Run(shape, activations);
        });
    }

    private static double Seconds(Action action)
    {
        action();
        var times = new List<double>();
        for (int i = 0; i < 5; i++)
        {
            var watch = Stopwatch.StartNew();
            action();
            times.Add(watch.Elapsed.TotalSeconds);
        }
        times.Sort();
        return times[times.Count / 2];
    }
}
