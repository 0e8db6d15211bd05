using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Host.Reports;
using Gradpath.Host.Sessions;

namespace Gradpath.Host.Commands;

/// <summary>The matrices of <c>gradpath transfer</c> as a result file.</summary>
internal static class TransferJson
{
    /// <summary>How the matrices were made: what all tasks share, and each task's prompts.</summary>
    public static JsonObject Provenance(EvaluationSession session, TransferMatrices m)
    {
        JsonObject json = (session.Provenance(m.Tasks.Max(t => t.Column!.BatchSize)) with
        {
            Task = string.Join(',', m.Names),
            Method = m.Method,
            Metric = string.Join(',', m.Tasks.Select(t => t.Judge.Metric.Name)),
            Items = m.Tasks.Sum(t => t.Prompts.Judge.Pairs.Count),
            Data = null,
            DataHash = null,
        }).ToJson();
        json["options"] = Options(m);
        json["tasks"] = new JsonArray([.. m.Tasks.Select(t => new JsonObject
        {
            ["task"] = t.Name,
            ["metric"] = t.Judge.Metric.Name,
            ["found_on"] = t.Prompts.Find.Source,
            ["judged_on"] = t.Prompts.Judge.Source,
            ["data_hash"] = t.Prompts.Judge.Hash,
        })]);
        return json;
    }

    /// <summary>The settings.</summary>
    public static JsonObject Options(TransferMatrices m) => new()
    {
        ["method"] = m.Method,
        ["edges"] = string.Join(',', m.Sizes),
        ["random"] = m.Random,
    };

    /// <summary>The whole result.</summary>
    public static JsonObject Of(TransferMatrices m, JsonObject made) => new()
    {
        ["tasks"] = new JsonArray([.. m.Tasks.Select(t => new JsonObject
        {
            ["task"] = t.Name,
            ["metric"] = t.Judge.Metric.Name,
            ["full"] = ResultJson.Number(t.Column!.Full.Average()),
            ["empty"] = ResultJson.Number(t.Column.Empty.Average()),
            ["unsteady"] = t.Column.IsUnsteady,
        })]),
        ["matrices"] = new JsonArray([.. m.Sizes.Select((edges, size) => new JsonObject
        {
            ["edges"] = edges,
            ["jaccard"] = Matrix(m, size, c => c.Overlap.Edges.Jaccard),
            ["jaccard_chance"] = Matrix(m, size, c => c.Chance),
            ["jaccard_nodes"] = Matrix(m, size, c => c.Overlap.Nodes.Jaccard),
            ["faithfulness"] = Matrix(m, size, c => c.Effect.Faithfulness),
            ["faithfulness_low"] = Matrix(m, size, c => c.Effect.Low),
            ["faithfulness_high"] = Matrix(m, size, c => c.Effect.High),
            ["damage"] = Matrix(m, size, c => c.Effect.Damage),
            ["damage_low"] = Matrix(m, size, c => c.Effect.DamageLow),
            ["damage_high"] = Matrix(m, size, c => c.Effect.DamageHigh),
            ["random_faithfulness"] = Row(m, on => m.MeanOfRandom(size, on, e => e.Faithfulness)),
            ["random_damage"] = Row(m, on => m.MeanOfRandom(size, on, e => e.Damage)),
        })]),
        ["circuits"] = new JsonArray([.. m.Tasks.SelectMany(t => t.Circuits.Select((circuit, size) => new JsonObject
        {
            ["task"] = t.Name,
            ["edges"] = m.Sizes[size],
            ["n_edges"] = circuit.EdgeCount,
            ["n_nodes"] = circuit.NodeCount,
            ["members"] = new JsonArray([.. circuit.Edges.Select(e => JsonValue.Create(circuit.Graph.EdgeName(e.Row, e.Column)))]),
        }))]),
        ["gradpath"] = made.DeepClone(),
    };

    // A row per circuit, a column per task that judges.
    private static JsonArray Matrix(TransferMatrices m, int size, Func<TransferCell, double> value) =>
        new([.. Enumerable.Range(0, m.Tasks.Count).Select(of => Row(m, on => value(m.Cell(size, of, on))))]);

    private static JsonArray Row(TransferMatrices m, Func<int, double> value) =>
        new([.. Enumerable.Range(0, m.Tasks.Count).Select(on => ResultJson.Number(value(on)))]);
}
