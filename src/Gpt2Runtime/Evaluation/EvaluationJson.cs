using System.Globalization;
using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Evaluation;

/// <summary>What an evaluation found of one circuit, as result files have it.</summary>
internal static class EvaluationJson
{
    /// <summary>The measures of one circuit.</summary>
    /// <param name="prompts">The prompt pairs.</param>
    /// <param name="circuit">The circuit.</param>
    /// <param name="result">The evaluation.</param>
    /// <param name="index">The circuit's place in it.</param>
    /// <param name="measures">What was computed of the circuit.</param>
    /// <returns>Means, faithfulness with its interval, sizes, and a row per prompt pair.</returns>
    public static JsonObject Of(PromptSet prompts, Circuit circuit, EvaluationResult result, int index, CircuitMeasures measures)
    {
        CircuitOutcome outcome = result.Circuits[index];
        return new JsonObject
        {
            ["full"] = JsonNumber.Of(result.Full.MeanMetric),
            ["circuit"] = JsonNumber.Of(outcome.MeanMetric),
            ["empty"] = JsonNumber.Of(result.Empty.MeanMetric),
            ["faithfulness"] = JsonNumber.Of(measures.Faithfulness),
            ["faithfulness_ci"] = JsonNumber.Array([measures.Low, measures.High]),
            ["metric_ratio"] = JsonNumber.Of(measures.Ratio),
            ["kl"] = JsonNumber.Of(outcome.MeanKl),
            ["exact_match"] = JsonNumber.Of(outcome.ExactMatchRate),
            ["accuracy"] = JsonNumber.Of(outcome.Accuracy),
            ["n_edges"] = circuit.EdgeCount,
            ["n_edges_before_prune"] = circuit.EdgesBeforePrune,
            ["n_nodes"] = circuit.NodeCount,
            ["items"] = Items(prompts, result, outcome),
        };
    }

    private static JsonArray Items(PromptSet prompts, EvaluationResult result, CircuitOutcome outcome)
    {
        bool[] small = Faithfulness.SmallEffects(result.Full, result.Empty);
        return new JsonArray(
        [
            .. prompts.Pairs.Select((pair, i) => new JsonObject
            {
                ["id"] = pair.Id ?? (i + 1).ToString(CultureInfo.InvariantCulture),
                ["label"] = pair.Label,
                ["full"] = JsonNumber.Of(result.Full.Metric[i]),
                ["circuit"] = JsonNumber.Of(outcome.Metric[i]),
                ["empty"] = JsonNumber.Of(result.Empty.Metric[i]),
                ["kl"] = JsonNumber.Of(outcome.Kl[i]),
                ["exact_match"] = outcome.ExactMatch[i],
                ["accurate"] = outcome.Accurate[i],
                ["small_effect"] = small[i],
            }),
        ]);
    }
}
