using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Kernels;

namespace Gradpath.Cuda.Tests;

/// <summary>A model so small that whole methods run in the blink of an eye, and what is run on it.</summary>
internal static class TinyRuns
{
    private static readonly Gpt2Config Config = new()
    {
        Layers = 2,
        Heads = 2,
        Width = 12,
        InnerWidth = 20,
        Positions = 8,
        Vocabulary = 17,
    };

    public static Gpt2Weights Model(Device device) =>
        RandomGpt2Weights.Create(Config, 3, device, scale: 0.4f, gainJitter: 0.1f, biasJitter: 0.1f);

    /// <summary>Pairs of prompts.</summary>
    /// <param name="lengths">The length of each.</param>
    public static PromptPair[] Pairs(params int[] lengths)
    {
        Random random = new(11);
        int[] Ids(int length) => [.. Enumerable.Range(0, length).Select(_ => random.Next(17))];
        return [.. lengths.Select(length => new PromptPair(Ids(length), Ids(length), [3], [8]))];
    }

    /// <summary>A method with so many steps, where it has any.</summary>
    public static AttributionOptions Options(AttributionMethod method, int steps) =>
        new() { Method = method, Steps = method.Takes(MethodSettings.Steps) ? steps : null };

    public static AttributionResult Score(Gpt2Weights model, AttributionOptions options, PromptPair[] pairs) =>
        EdgeAttribution.Run(model, PromptSet.Of(pairs), options);

    /// <summary>Metric and KL of three circuits, the full and the empty one, item by item.</summary>
    public static double[] Evaluate(Gpt2Weights model, EvaluationOptions options, PromptPair[] pairs)
    {
        ComputationGraph graph = new(model.Config);
        EdgeScores scores = EdgeAttribution.Score(
            model, PromptSet.Of(pairs), new AttributionOptions { Method = AttributionMethods.Random, Seed = 5 });
        Circuit[] circuits = [.. new[] { 2, graph.EdgeCount / 3, graph.EdgeCount - 4 }.Select(n => CircuitSelection.TopEdges(scores, n))];
        EvaluationResult result = CircuitEvaluation.Evaluate(model, PromptSet.Of(pairs), circuits, options);
        CircuitOutcome[] outcomes = [result.Full, result.Empty, .. result.Circuits];
        return [.. outcomes.SelectMany(o => o.Metric), .. outcomes.SelectMany(o => o.Kl)];
    }
}
