using System.Text.Json;

namespace Gradpath.Tests.Support.Goldens;

/// <summary>A metric of every item.</summary>
internal sealed record GoldenEvaluation(double[] LogitDiff, double[] Kl);

/// <summary>A selection and what the selected circuit does.</summary>
/// <param name="Scores">Key of the scores that it was selected from.</param>
/// <param name="Intervention"><c>patching</c>, <c>zero</c> or <c>mean-positional</c>.</param>
/// <param name="Select"><c>topn</c> or <c>greedy</c>.</param>
/// <param name="N">Number of edges selected.</param>
/// <param name="Absolute">Ranked by |score|, otherwise by score.</param>
/// <param name="Tie">The selection hung on a tie and cannot be compared; the evaluation can.</param>
/// <param name="BeforePrune">The selected edges; empty where the file has only the pruned ones.</param>
/// <param name="AfterPrune">The edges that pruning leaves.</param>
/// <param name="NodesAfterPrune">The nodes that pruning leaves, without logits; null where the file does not say.</param>
/// <param name="Evaluation">With every edge outside the circuit corrupted.</param>
internal sealed record GoldenCircuit(
    GoldenKey Scores,
    string Intervention,
    string Select,
    int N,
    bool Absolute,
    bool Tie,
    string[] BeforePrune,
    string[] AfterPrune,
    string[]? NodesAfterPrune,
    GoldenEvaluation Evaluation);

/// <summary>circuits.json.</summary>
internal sealed record GoldenCircuits(
    GoldenEvaluation Full, GoldenEvaluation Empty, IReadOnlyList<GoldenCircuit> Circuits, IReadOnlyList<GoldenCircuit> Interventions)
{
    public static GoldenCircuits Read(JsonElement json) => new(
        ReadEvaluation(json.GetProperty("full")),
        ReadEvaluation(json.GetProperty("empty")),
        [.. json.GetProperty("circuits").EnumerateArray().Select(ReadCircuit)],
        json.TryGetProperty("interventions", out JsonElement list) ? [.. list.EnumerateArray().Select(ReadCircuit)] : []);

    private static GoldenEvaluation ReadEvaluation(JsonElement json) =>
        new(GoldenJson.Vector(json.GetProperty("logit_diff")), GoldenJson.Vector(json.GetProperty("kl")));

    private static GoldenCircuit ReadCircuit(JsonElement json)
    {
        string[]? Strings(string name) => json.TryGetProperty(name, out JsonElement e) ? GoldenJson.Strings(e) : null;
        string[] before = Strings("edges_before_prune") ?? [];
        return new GoldenCircuit(
            GoldenKey.Parse(json.GetProperty("scores").GetString()!),
            json.TryGetProperty("intervention", out JsonElement intervention) ? intervention.GetString()! : "patching",
            json.GetProperty("select").GetString()!,
            json.GetProperty("n").GetInt32(),
            json.GetProperty("absolute").GetBoolean(),
            json.TryGetProperty("tie", out JsonElement tie) && tie.GetBoolean(),
            before,
            Strings("edges_after_prune") ?? [.. before.Except(Strings("removed_by_prune") ?? [], StringComparer.Ordinal)],
            Strings("nodes_after_prune"),
            ReadEvaluation(json));
    }
}
