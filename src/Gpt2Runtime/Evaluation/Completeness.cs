using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Evaluation;

/// <summary>
/// Completeness (Wang et al., 2022, section 4): a circuit C that holds everything that matters reacts to the loss of nodes as the full
/// model M does. F is the mean metric; C minus K has no edge from or to a node of K, and neither has M minus K. The empty set is always
/// tried.
/// </summary>
/// <param name="Points">All sets tried: the empty one, classes, random halves, every step of the greedy searches.</param>
/// <param name="BatchSize">The number of pairs per batch that was used.</param>
/// <param name="PeakDeviceBytes">Largest amount of device memory in use during the run.</param>
public sealed record Completeness(IReadOnlyList<CompletenessPoint> Points, int BatchSize, long PeakDeviceBytes)
{
    /// <summary>Measures completeness.</summary>
    /// <param name="model">The model, on the device that computes.</param>
    /// <param name="prompts">The prompt pairs; within one both prompts have the same length.</param>
    /// <param name="circuit">A circuit of this model.</param>
    /// <param name="options">The sets to try, and how circuits are evaluated.</param>
    /// <param name="progress">Told after each pass; may be null.</param>
    /// <param name="cancellation">Stops the run between passes.</param>
    /// <returns>One point per set.</returns>
    /// <exception cref="GradpathException">An item or the circuit cannot be used.</exception>
    public static Completeness Measure(
        Gpt2Weights model,
        PromptSet prompts,
        Circuit circuit,
        KnockoutOptions options,
        IProgress<RunProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(prompts);
        ArgumentNullException.ThrowIfNull(circuit);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.GreedyCandidates, 1);
        circuit.RequireModel(model.Config, "the circuit");
        var runs = new KnockoutRuns(model, prompts, options.Evaluation, progress, cancellation);
        var full = Graph.Circuit.Of(circuit.Graph, circuit.Graph.Edges);
        List<CompletenessPoint> points = Run(
            runs, circuit, full, [NodeSets.Empty, .. options.Classes, .. NodeSets.Random(circuit, options.RandomDraws, options.Seed)]);
        points.AddRange(Greedy(runs, circuit, full, options));
        return new Completeness(points, runs.BatchSize, runs.PeakDeviceBytes);
    }

    private static List<CompletenessPoint> Run(KnockoutRuns runs, Circuit circuit, Circuit full, IReadOnlyList<NodeSet> sets)
    {
        double[] values = runs.Of(
            [.. sets.Select(s => NodeSets.Without(circuit, s.Nodes)), .. sets.Select(s => NodeSets.Without(full, s.Nodes))]);
        return [.. sets.Select((set, i) => new CompletenessPoint(set, values[i], values[sets.Count + i]))];
    }

    // Each search starts from nothing and adds, of some drawn nodes, the one that leaves the largest difference. All searches take a step
    // together, so that their candidates run side by side.
    private static List<CompletenessPoint> Greedy(KnockoutRuns runs, Circuit circuit, Circuit full, KnockoutOptions options)
    {
        int[] nodes = NodeSets.Candidates(circuit);
        var random = new SplitMix64(options.Seed + 1);
        var taken = new CompletenessPoint[options.GreedyRuns][];
        Array.Fill(taken, []);
        for (int step = 1; step <= Math.Min(options.GreedyIterations, nodes.Length); step++)
        {
            NodeSet[][] candidates = [.. taken.Select((path, run) =>
            {
                IReadOnlyList<int> had = path.Length > 0 ? path[^1].Set.Nodes : [];
                return Draw(random, [.. nodes.Except(had)], options.GreedyCandidates)
                    .Select(node => new NodeSet("greedy", $"{run + 1}.{step}", [.. had.Append(node).Order()])).ToArray();
            })];
            List<CompletenessPoint> points = Run(runs, circuit, full, [.. candidates.SelectMany(c => c)]);
            int first = 0;
            for (int run = 0; run < taken.Length; run++)
            {
                CompletenessPoint best = points[first..(first + candidates[run].Length)].MaxBy(p => p.Difference)!;
                taken[run] = [.. taken[run], best];
                first += candidates[run].Length;
            }
        }
        return [.. taken.SelectMany(path => path)];
    }

    private static int[] Draw(SplitMix64 random, int[] from, int count)
    {
        count = Math.Min(count, from.Length);
        random.Draw<int>(from, count);
        return from[..count];
    }
}
