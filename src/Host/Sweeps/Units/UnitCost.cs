using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Host.Sessions;
using Gradpath.Host.Sweeps.Plan;

namespace Gradpath.Host.Sweeps.Units;

/// <summary>
/// Estimates the work of units in multiply-adds: matrix products alone, whole passes. It is good for dividing work and for the time left,
/// where only ratios count.
/// </summary>
internal static class UnitCost
{
    // A patched pass computes what differs from the ablated run: about so much of a whole one for every edge that is tried.
    private const double PerEdge = 0.3;

    // Two parts of a pass for each of a round's kinds of input: queries, keys, values, and all together.
    private const double PerSender = 4;

    /// <summary>The work of a unit with its judging.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="config">The model.</param>
    /// <param name="prompts">The pairs.</param>
    /// <param name="method">The method.</param>
    public static double Of(SweepPlan plan, Gpt2Config config, SplitPrompts prompts, SweepMethod method) =>
        (Passes(config, method, prompts.Find.Pairs.Count) * Pass(config, prompts.Find)) + Judging(plan, config, prompts);

    /// <summary>The work of judging a unit's circuits.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="config">The model.</param>
    /// <param name="prompts">The pairs.</param>
    public static double Judging(SweepPlan plan, Gpt2Config config, SplitPrompts prompts)
    {
        double circuits = 2;
        if (plan.Evaluate.HasFlag(SweepEvaluation.Curve)) circuits += 2 * plan.Fractions.Count;
        int sizes = plan.Edges.Count > 0 ? plan.Edges.Count : plan.Fractions.Count;
        if (plan.Evaluate.HasFlag(SweepEvaluation.Sizes)) circuits += sizes;
        if (plan.Evaluate.HasFlag(SweepEvaluation.Transfer)) circuits += sizes * (plan.Tasks.Count - 1);
        return circuits * Pass(config, prompts.Judge);
    }

    /// <summary>The work of a forward pass over prompts.</summary>
    /// <param name="config">The model.</param>
    /// <param name="prompts">The prompts.</param>
    public static double Pass(Gpt2Config config, PromptSet prompts)
    {
        double layer = (4.0 * config.Width * config.Width) + (2.0 * config.Width * config.InnerWidth);
        double tokens = prompts.Pairs.Sum(p => (double)p.Length);
        return (tokens * config.Layers * layer) + ((double)prompts.Pairs.Count * config.Width * config.Vocabulary);
    }

    /// <summary>A method's work in whole forward passes over the prompts, a backward pass counted as one; estimated for searches.</summary>
    /// <param name="config">The model.</param>
    /// <param name="method">The method.</param>
    /// <param name="pairs">How many pairs there are.</param>
    public static double Passes(Gpt2Config config, SweepMethod method, int pairs)
    {
        var graph = new ComputationGraph(config);
        if (method.Verb == "score") return Known(SweepMethodOptions.Attribution(method, SweepExpansion.AnyBatch), graph);
        double scoring = SweepMethodOptions.Scorer(method) is { } scorer
            ? Known(new AttributionOptions { Method = scorer }, graph)
            : 0;
        SearchOptions search = SweepMethodOptions.Search(method, null, graph);
        if (search is PathTracingOptions paths) return paths.Rounds * (double)(paths.Senders?.Count ?? graph.Writers) * PerSender;
        if (search is not EdgePruningOptions training) return PerEdge * graph.EdgeCount;
        training = training.Resolve(graph.EdgeCount);
        double share = training is HybridPruningOptions hybrid ? hybrid.Share : 1;
        double batch = Math.Min(pairs, training.BatchSize) / (double)pairs;
        return scoring + (2 * share * training.Steps * training.Draws * batch);
    }

    // Where nobody counts them: methods with steps move activations sublayer by sublayer, others try edge by edge.
    private static double Known(AttributionOptions options, ComputationGraph graph)
    {
        double passes = options.Method.Scorer(options).Passes;
        if (!double.IsNaN(passes)) return passes;
        return options.Method.Takes(MethodSettings.Steps)
            ? ScoringSettings.Of(options).Steps * 2 * (graph.Layers + 1)
            : PerEdge * graph.EdgeCount;
    }
}
