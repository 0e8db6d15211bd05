using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Host.Sessions;

/// <summary>Scores with progress, and methods as scorers of searches.</summary>
internal static class Scoring
{
    /// <summary>Runs one method.</summary>
    /// <param name="model">The model.</param>
    /// <param name="prompts">The prompts.</param>
    /// <param name="options">The method and its settings.</param>
    /// <param name="terminal">Where progress is shown.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <param name="file">Where the work goes if it is stopped; null where it is not saved.</param>
    /// <exception cref="StoppedException">The work was stopped and saved.</exception>
    public static AttributionResult Run(
        Gpt2Weights model, PromptSet prompts, AttributionOptions options, Terminal terminal, CancellationToken cancellation,
        ProgressFile? file = null) => SearchRun.Saved(file, terminal, () =>
    {
        AttributionResult result = ScoringProgress.Run(
            terminal, options.Method.Name, progress => EdgeAttribution.Run(model, prompts, options, file, progress, cancellation));
        cancellation.ThrowIfCancellationRequested();
        return result;
    });

    /// <summary>Runs one method and writes the scores of every prompt pair.</summary>
    /// <param name="path">The file.</param>
    /// <param name="half">Whether scores are kept as float16.</param>
    /// <param name="edges">The edges whose scores are kept; null for all.</param>
    /// <param name="model">The model.</param>
    /// <param name="prompts">The prompts.</param>
    /// <param name="options">The method and its settings.</param>
    /// <param name="terminal">Where progress is shown.</param>
    /// <param name="cancellation">Stops the work.</param>
    public static AttributionResult RunPerItem(
        string path, bool half, Circuit? edges, Gpt2Weights model, PromptSet prompts, AttributionOptions options, Terminal terminal,
        CancellationToken cancellation)
    {
        AttributionResult result = ScoringProgress.Run(
            terminal, options.Method.Name,
            progress => ItemScores.Write(path, half, edges, model, prompts, options, progress, cancellation));
        cancellation.ThrowIfCancellationRequested();
        return result;
    }

    /// <summary>A method's settings in a session: the session's ablation and seed where it reads them, else its defaults.</summary>
    /// <param name="session">Model and prompts.</param>
    /// <param name="method">The method.</param>
    public static AttributionOptions Options(EvaluationSession session, AttributionMethod method) => new()
    {
        Method = method,
        Ablation = method.Takes(MethodSettings.Ablation) ? session.Options.Ablation : null,
        Seed = method.Takes(MethodSettings.Seed) ? session.Seed : null,
    };

    /// <summary>Refuses a method that has no scores for the metric.</summary>
    /// <param name="metric">The metric.</param>
    /// <param name="method">The method.</param>
    /// <param name="advice">What to do instead.</param>
    /// <exception cref="UsageException">All its scores would be 0.</exception>
    public static void RequireScores(Metric metric, AttributionMethod method, string advice)
    {
        if (!method.VanishesFor(metric)) return;
        AttributionMethod? member = method.Members.FirstOrDefault(m => m.VanishesFor(metric));
        string which = member is null ? method.Title : $"{member.Title}, a member of the {method},";
        throw new UsageException($"--metric {metric}: {which} has no scores for it, as its gradient is 0 at the clean prompts; {advice}.");
    }

    /// <summary>Refuses an ablation that a method does not know, although its scores depend on the corrupted prompts.</summary>
    /// <param name="ablation">The ablation.</param>
    /// <param name="method">The method.</param>
    /// <param name="what">What the message calls it.</param>
    /// <param name="advice">What to do instead.</param>
    /// <exception cref="UsageException">It knows patching alone.</exception>
    public static void RequireAblation(Ablation ablation, AttributionMethod method, string what, string advice)
    {
        if (ablation == Ablation.Patching || !method.ReadsCorrupted || method.Takes(MethodSettings.Ablation)) return;
        throw new UsageException($"--ablation {EnumNames.Of(ablation)} does not apply to {what}; {advice}.");
    }

    /// <summary>A method as the scorer of a search.</summary>
    /// <param name="session">Model and prompts.</param>
    /// <param name="method">The method.</param>
    /// <exception cref="UsageException">It has no scores for the metric, or knows no other ablation.</exception>
    public static IEdgeScorer Scorer(EvaluationSession session, AttributionMethod method)
    {
        RequireScores(session.Metric, method, "name --scores, another --scorer or another --metric");
        string others = string.Join(", ", AttributionMethods.All.Where(m => m.Takes(MethodSettings.Ablation)).Select(m => m.Name));
        RequireAblation(session.Options.Ablation, method, $"the scorer {method.Name}", $"use {others} or --scores");
        return method.Scorer(Options(session, method));
    }
}
