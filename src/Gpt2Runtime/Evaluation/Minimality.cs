using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Evaluation;

/// <summary>
/// Minimality (Wang et al., 2022, section 4): in a circuit C without idle parts, every node v makes a difference once some set K of other
/// nodes is gone. For every node but the input the largest |F(C minus (K + v)) - F(C minus K)| over the sets K tried is stated: the empty
/// set, classes, random halves, and the last sets of greedy searches for incompleteness. Of a set that holds v, v itself is left out.
/// </summary>
/// <param name="Points">One per node, lowest row first.</param>
/// <param name="SetsTried">Number of sets K.</param>
/// <param name="Circuit">F(C).</param>
/// <param name="BatchSize">The number of pairs per batch that was used.</param>
/// <param name="PeakDeviceBytes">Largest amount of device memory in use during the run.</param>
public sealed record Minimality(IReadOnlyList<MinimalityPoint> Points, int SetsTried, double Circuit, int BatchSize, long PeakDeviceBytes)
{
    /// <summary>Measures minimality.</summary>
    /// <param name="model">The model, on the device that computes.</param>
    /// <param name="prompts">The prompt pairs; within one both prompts have the same length.</param>
    /// <param name="circuit">A circuit of this model.</param>
    /// <param name="options">The sets to try; each costs as many circuits as the circuit has nodes.</param>
    /// <param name="progress">Told after each pass; may be null.</param>
    /// <param name="cancellation">Stops the run between passes.</param>
    /// <returns>One point per node.</returns>
    /// <exception cref="GradpathException">An item or the circuit cannot be used.</exception>
    public static Minimality Measure(
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
        circuit.RequireModel(model.Config, "the circuit");
        List<NodeSet> sets = [NodeSets.Empty, .. options.Classes, .. NodeSets.Random(circuit, options.RandomDraws, options.Seed)];
        if (options.GreedyRuns > 0)
        {
            Completeness searches = Completeness.Measure(
                model, prompts, circuit, options with { Classes = [], RandomDraws = 0 }, progress, cancellation);
            sets.AddRange(searches.Points.Select(p => p.Set).Where(s => s.Kind == "greedy").GroupBy(s => s.Name.Split('.')[0])
                .Select(run => run.Last()));
        }
        var runs = new KnockoutRuns(model, prompts, options.Evaluation, progress, cancellation);
        int[] nodes = NodeSets.Candidates(circuit);
        var best = new MinimalityPoint?[nodes.Length];
        foreach (NodeSet set in sets)
        {
            NodeSet[] others = [.. nodes.Select(v => set.Nodes.Contains(v) ? set with { Nodes = [.. set.Nodes.Where(n => n != v)] } : set)];
            double[] values = runs.Without(
                circuit, [.. others.Select(k => k.Nodes), .. others.Select((k, i) => k.Nodes.Append(nodes[i]).ToArray())]);
            for (int i = 0; i < nodes.Length; i++)
            {
                var point = new MinimalityPoint(nodes[i], others[i], values[i], values[nodes.Length + i]);
                if (best[i] is null || point.Difference > best[i]!.Difference) best[i] = point;
            }
        }
        double whole = runs.Of([circuit])[0];
        return new Minimality([.. best.OfType<MinimalityPoint>()], sets.Count, whole, runs.BatchSize, runs.PeakDeviceBytes);
    }
}
