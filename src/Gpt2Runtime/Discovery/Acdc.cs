using System.Diagnostics;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Model;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>
/// ACDC (Conmy et al. 2023): starts from the full graph, goes through the readers from the logits back to the first layer, and takes every
/// sender of a reader away for good whose edge the objective misses by less than a threshold tau:
///
///     m = objective(full graph)
///     for every reader v, in reverse topological order: if nothing reads v's node, drop its edges; else
///         for every sender u: m' = objective(circuit without u -> v); if m' - m &lt; tau: remove the edge, m = m'
///
/// Removed edges carry the ablated output, all others this run's; what has not had its turn yet is in the circuit.
/// </summary>
/// <remarks>
/// <para>Heads have three readers (query, key, value) with senders of their own. There are no edges from a head's inputs to the head, which
/// the paper's program also tests and whose graph therefore has 36 more edges per layer of GPT-2 small.</para>
/// <para>Candidates run as copies of one pass. Candidate j of a pass is tested in the circuit that results if the guesses about those before
/// it are right (<see cref="AcdcForesight"/>); decisions are taken in order up to the first wrong guess, and what ran behind it is thrown
/// away. So every decision is taken in the circuit that the sequential algorithm would have at that point, on the same bits: the circuit
/// does not depend on how many run at once (AcdcTests compares widths, and with the plain loop in float64).</para>
/// <para>With tau = 0 an edge goes only where the objective falls without it, so nothing goes that matters; the objective never rises above
/// the full model's. With an infinite tau every edge goes.</para>
/// </remarks>
public static class Acdc
{
    /// <summary>Searches one circuit per threshold.</summary>
    /// <param name="model">The model, on the device that computes.</param>
    /// <param name="prompts">The prompt pairs; within one both prompts have the same length.</param>
    /// <param name="thresholds">The thresholds tau, 0 or more; infinite ones may be among them.</param>
    /// <param name="options">Everything else that decides the result.</param>
    /// <param name="state">How far an earlier call with the same arguments came; it grows with every pass. Null to start.</param>
    /// <param name="progress">Told after each pass, on the calling thread; may be null.</param>
    /// <param name="cancellation">Stops the search between passes; the state then holds all that was done.</param>
    /// <returns>One result per threshold, in the order given.</returns>
    /// <exception cref="OptionException">A threshold or an option cannot be used.</exception>
    /// <exception cref="GradpathException">An item cannot be used, or the state belongs to another search.</exception>
    /// <exception cref="OperationCanceledException">The search was stopped.</exception>
    public static IReadOnlyList<AcdcResult> Search(
        Gpt2Weights model,
        PromptSet prompts,
        IReadOnlyList<double> thresholds,
        AcdcOptions options,
        AcdcState? state = null,
        IProgress<RunProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(prompts);
        ArgumentNullException.ThrowIfNull(thresholds);
        ArgumentNullException.ThrowIfNull(options);
        var graph = new ComputationGraph(model.Config);
        foreach (double tau in thresholds)
        {
            if (!(tau >= 0)) throw new OptionException($"the threshold is {tau}: it must be 0 or more");
        }
        if (options.Candidates < 0)
            throw new OptionException($"{Terms.Candidates.With(options.Candidates)}: must be at least 1, or 0 for as many as seem to pay");
        if (options.Order == SenderOrder.Score)
        {
            if (options.Scores is not { } scores) throw new OptionException($"{Terms.Order.With(SenderOrder.Score)} needs {Terms.Scores}");
            scores.RequireModel(model.Config, "the scores");
            scores.RequireFinite();
        }
        state ??= new AcdcState(thresholds.Count);
        using var run = new DeviceRun(model.Device);
        using var passes = new AcdcPasses(model, prompts.Pairs, options, cancellation);
        AcdcResult[] results = new AcdcResult[thresholds.Count];
        for (int t = 0; t < results.Length; t++)
        {
            int index = t;
            var walk = new AcdcWalk(graph, options, thresholds[t], passes.Full);
            var foresight = new AcdcForesight(t > 0 ? results[t - 1].Steps : null, graph.Readers);
            Repeat(walk, foresight, state.Objectives(t));
            Report();
            while (!walk.Done)
            {
                cancellation.ThrowIfCancellationRequested();
                Pass(graph, passes, walk, foresight, state, t);
                Report();
            }
            results[t] = Result(model, graph, thresholds[t], passes, walk, state.Effort(t));

            void Report() => progress?.Report(new RunProgress(
                ((long)index * graph.EdgeCount) + walk.Steps.Count, (long)results.Length * graph.EdgeCount, $"edges, {graph.EdgeCount - walk.Steps.Count} to go"));
        }
        return results;
    }

    private static void Repeat(AcdcWalk walk, AcdcForesight foresight, IReadOnlyList<double> objectives)
    {
        foreach (double objective in objectives)
        {
            if (walk.Done) throw new GradpathException("the saved work is of another search: it tested more edges than this one has");
            Decide(walk, foresight, objective);
        }
    }

    private static bool Decide(AcdcWalk walk, AcdcForesight foresight, double objective)
    {
        (int row, int column) = walk.Ahead(1)[0];
        bool removed = walk.Decide(objective);
        foresight.Learn(row, column, removed);
        return removed;
    }

    private static void Pass(ComputationGraph graph, AcdcPasses passes, AcdcWalk walk, AcdcForesight foresight, AcdcState state, int threshold)
    {
        var watch = Stopwatch.StartNew();
        int sublayer = walk.Sublayer;
        List<(int Row, int Column)> ahead = walk.Ahead(passes.FixedCopies ? passes.Copies : foresight.Width(passes.Copies, passes.Overhead));
        var circuits = new PatchedCircuit[ahead.Count];
        var guesses = new bool[ahead.Count];
        List<(int Row, int Column)> gone = [];
        for (int c = 0; c < circuits.Length; c++)
        {
            circuits[c] = new PatchedCircuit(graph, walk.Kept, [.. gone, ahead[c]]);
            guesses[c] = foresight.Removes(ahead[c].Row, ahead[c].Column);
            if (guesses[c]) gone.Add(ahead[c]);
        }
        var objectives = new double[circuits.Length];
        passes.Run(circuits, sublayer, objectives);
        int decided = 0;
        while (decided < circuits.Length)
        {
            bool removed = Decide(walk, foresight, objectives[decided]);
            if (removed != guesses[decided++]) break;
        }
        state.Add(threshold, objectives.AsSpan(0, decided), circuits.Length, circuits.Length * ((2L * graph.Layers) + 1 - sublayer), watch.Elapsed.TotalSeconds);
    }

    private static AcdcResult Result(Gpt2Weights model, ComputationGraph graph, double threshold, AcdcPasses passes, AcdcWalk walk, AcdcEffort effort)
    {
        var changes = new float[walk.Kept.Length];
        foreach (AcdcStep step in walk.Steps)
        {
            int at = (step.Row * graph.Readers) + step.Column;
            if (step.Decision != AcdcDecision.Dropped) changes[at] = (float)(step.After - step.Before);
        }
        EdgeScores scores = new(graph, changes) { ModelWidth = model.Config.Width };
        return new AcdcResult(
            threshold, new Circuit(graph, walk.Kept) { Scores = scores }, walk.Steps, passes.Full, walk.Objective, effort,
            passes.BatchSize);
    }
}
