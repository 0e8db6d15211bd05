using System.Diagnostics;
using System.Globalization;
using CommandLine;
using Gradpath.Diagnostics.Bench;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Model;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Kernels;
using Gradpath.Kernels.Cpu;
using Gradpath.Programs;
using Gradpath.Programs.Reporting;

namespace Gradpath.Perf;

/// <summary>The options of <c>perf circuits</c>: none.</summary>
[Verb("circuits", HelpText = "Circuits of several sizes against a plain forward pass.")]
internal sealed class CircuitTimesOptions : CommandOptions
{
}

/// <summary>
/// Times the evaluation of circuits of several sizes against a plain forward pass over the same prompts, on GPT-2 small's shape with random
/// weights, all with the last layer at the answers alone: processor time on one thread, so that other work on the machine matters little.
/// </summary>
internal static class CircuitTimes
{
    private static readonly int[] Sizes = [100, 500, 1000, 2000, 5000, 16000, 32491];

    /// <summary>Runs the table.</summary>
    public static CommandReport Run()
    {
        CommandReport report = new() { Markdown = true };
        const int Pairs = Workloads.PairCount;
        const int Tokens = Workloads.Tokens;
        using var device = new CpuDevice(1);
        Gpt2Config config = Workloads.Shape("small");
        report.Line($"GPT-2 small shape, random weights; {Pairs} pairs of {Tokens} tokens; {device.Description}",
            ("pairs", Pairs), ("tokens", Tokens), ("device", device.Description));
        using Gpt2Weights weights = RandomGpt2Weights.Create(config, 1, device);
        PromptPair[] pairs = Workloads.Pairs(Pairs, Tokens, Workloads.DiffersAt);
        var prompts = PromptSet.Of(pairs);
        EdgeScores scores = EdgeAttribution.Score(weights, prompts, new AttributionOptions { Method = AttributionMethods.Eap });
        int[] lengths = [.. pairs.Select(p => p.Length)];
        var capacity = PassCapacity.For(lengths, 1, true);
        using var shape = new PassShape(device, lengths, 1, answerOnly: true);
        using var activations = new Activations(config, device, capacity, keepWriters: true);
        using var patched = new PatchedForwardPass(weights, capacity, 1, continues: false);
        using var target = new WriterOutputs(config, device, capacity);
        using Tensor clean = Embeddings(weights, [.. pairs.SelectMany(p => p.Clean)]);
        using Tensor corrupted = Embeddings(weights, [.. pairs.SelectMany(p => p.Corrupted)]);
        using Tensor answers = device.Allocate(Pairs, config.Width);
        var forward = new ForwardPass(weights);
        RunForward(corrupted);
        target.Take(shape, activations, corrupted, 0);
        patched.SetAblation(shape, target.Target);

        // The plain pass and the circuits take turns.
        Circuit[] circuits = [.. Sizes.Select(size => CircuitPruning.Prune(CircuitSelection.TopEdges(scores, size)))];
        PatchedCircuit[] edges = [.. circuits.Select(c => new PatchedCircuit(scores.Graph, c.Membership.ToArray()))];
        double plain = 0;
        var times = new double[circuits.Length];
        const int Rounds = 5;
        for (int round = -1; round < Rounds; round++)
        {
            double seconds = Seconds(() => RunForward(clean));
            if (round >= 0) plain += seconds / Rounds;
            for (int i = 0; i < circuits.Length; i++)
            {
                seconds = Seconds(() => patched.Run(shape, clean, [edges[i]], false, answers));
                if (round >= 0) times[i] += seconds / Rounds;
            }
        }
        report.Line(string.Create(CultureInfo.InvariantCulture, $"plain forward pass of the clean prompts: {plain:F3} s"),
            ("plain_seconds", plain));
        var rows = circuits.Select((c, i) => (Size: Sizes[i], Circuit: c, Seconds: times[i]));
        report.Table(ReportTable.Of("circuits", rows)
            .Column("edges", "edges", r => r.Size, r => $"{r.Size}")
            .Column("after pruning", "edges_after_prune", r => r.Circuit.EdgeCount, r => $"{r.Circuit.EdgeCount}")
            .Column("nodes", "nodes", r => r.Circuit.NodeCount, r => $"{r.Circuit.NodeCount}")
            .Column("processor seconds", "seconds", r => r.Seconds, r => r.Seconds.ToString("F3", CultureInfo.InvariantCulture))
            .Column("against the plain pass", "ratio_to_plain", r => r.Seconds / plain,
                r => (r.Seconds / plain).ToString("F2", CultureInfo.InvariantCulture)));
        // The whole evaluation: the runs of both prompts, the circuit, the metrics.
        int thousand = Array.IndexOf(Sizes, 1000);
        double whole = 0;
        for (int round = -1; round < Rounds; round++)
        {
            double seconds = Seconds(() => CircuitEvaluation.Evaluate(weights, prompts, [circuits[thousand]], new EvaluationOptions()));
            if (round >= 0) whole += seconds / Rounds;
        }
        report.Line(string.Create(CultureInfo.InvariantCulture,
            $"evaluation of the circuit of {Sizes[thousand]} edges: {whole:F2} processor seconds, {whole / plain:F2} plain passes"),
            ("evaluation_seconds", whole));
        return report;

        void RunForward(Tensor embeddings)
        {
            forward.Embed(shape, activations, embeddings);
            forward.Run(shape, activations);
        }
    }

    private static Tensor Embeddings(Gpt2Weights weights, int[] tokens)
    {
        Tensor embeddings = weights.Device.Allocate(tokens.Length, weights.Config.Width);
        using DeviceArray<int> ids = weights.Device.Store<int>(tokens);
        weights.Device.GatherRows(weights.TokenEmbedding, ids, tokens.Length, weights.Config.Width, embeddings);
        return embeddings;
    }

    private static double Seconds(Action action)
    {
        TimeSpan start = Process.GetCurrentProcess().TotalProcessorTime;
        action();
        return (Process.GetCurrentProcess().TotalProcessorTime - start).TotalSeconds;
    }
}
