using System.Diagnostics;
using System.Globalization;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Gpt2Runtime.Tokenization;
using Gradpath.Kernels.Cpu;

namespace Gradpath.Perf;

/// <summary>
/// Edge pruning, its hybrid at three shares, and EAP at the same sparsity: KL on prompts that were not trained on, and time.
/// </summary>
internal static class DiscoveryTimes
{
    /// <summary>Runs the table.</summary>
    /// <param name="args">[sparsity] [steps] [seed] [task] [pairs] [batch size].</param>
    /// <returns>Exit code.</returns>
    public static int Run(string[] args)
    {
        double sparsity = args.Length > 0 ? double.Parse(args[0], CultureInfo.InvariantCulture) : 0.95;
        int steps = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 0;
        ulong seed = args.Length > 2 ? ulong.Parse(args[2], CultureInfo.InvariantCulture) : 0;
        string task = args.Length > 3 ? args[3] : "ioi";
        int count = args.Length > 4 ? int.Parse(args[4], CultureInfo.InvariantCulture) : 100;
        int batch = args.Length > 5 ? int.Parse(args[5], CultureInfo.InvariantCulture) : 32;
        using var device = new CpuDevice();
        using Gpt2Checkpoint checkpoint = Gpt2Checkpoint.Open(ModelLocator.Resolve("demo"));
        using Gpt2Weights weights = checkpoint.LoadWeights(device);
        var tokenizer = BpeTokenizer.Load(checkpoint.Directory);
        PromptSet train = Prompts(0, count), test = Prompts(1, 200);
        var graph = new ComputationGraph(weights.Config);
        Console.WriteLine($"demo model, {task}, {count} pairs to train on, 200 to judge; {device.Description}");
        Console.WriteLine("| method | edges | KL trained on | KL | steps | multiply-adds a step and token | seconds |");
        Console.WriteLine("|---|---|---|---|---|---|---|");
        var watch = Stopwatch.StartNew();
        EdgeScores eap = EdgeAttribution.Score(weights, train, new AttributionOptions { Method = AttributionMethods.Eap });
        double scoring = watch.Elapsed.TotalSeconds;
        int kept = EdgePruning.CircuitSize(graph, sparsity);
        Row("eap, top n", CircuitSelection.TopEdges(eap, kept), 0, 0, scoring);
        Row("eap, greedy", CircuitSelection.Greedy(eap, kept), 0, 0, scoring);
        foreach (double share in new[] { 1, 0.5, 0.25, 0.1 })
        {
            if (share < 2 * (1 - sparsity) - 1e-9 && share < 1) continue;
            watch.Restart();
            EdgePruningOptions plain = new() { Sparsity = sparsity, Steps = steps, Seed = seed, BatchSize = batch };
            HybridPruningOptions hybrid = new()
            {
                Sparsity = sparsity,
                Steps = steps,
                Seed = seed,
                BatchSize = batch,
                Share = share,
                Scorer = new GivenScores(eap),
            };
            EdgePruningResult result = share < 1
                ? CircuitSearches.HybridPruning.Search(weights, train, hybrid)
                : CircuitSearches.EdgePruning.Search(weights, train, plain);
            double seconds = watch.Elapsed.TotalSeconds + (share < 1 ? scoring : 0);
            string name = share < 1 ? string.Create(CultureInfo.InvariantCulture, $"hap, {share}") : "edge pruning";
            Row(name, result.Circuit, result.Options.Steps, result.WorkPerRow, seconds);
        }
        return 0;

        PromptSet Prompts(ulong promptSeed, int limit) => PromptLoader.Load(task, null, tokenizer, new PromptOptions
        {
            Vocabulary = checkpoint.Config.Vocabulary,
            Positions = checkpoint.Config.Positions,
            Limit = limit,
            Seed = promptSeed,
        });

        void Row(string name, Circuit circuit, int done, long work, double seconds)
        {
            var kl = new EvaluationOptions { Metric = BuiltInMetrics.KlDivergence };
            double Kl(PromptSet prompts) => CircuitEvaluation.Evaluate(weights, prompts, [circuit], kl).Circuits[0].MeanKl;
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| {name} | {circuit.EdgeCount} | {Kl(train):F4} | {Kl(test):F4} | {done} | {work} | {seconds:F1} |"));
        }
    }
}
