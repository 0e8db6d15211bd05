using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Host.Reports;

namespace Gradpath.Host.Commands;

/// <summary>The tests of a circuit as a result file.</summary>
internal static class TestCircuitJson
{
    /// <summary>The whole result.</summary>
    public static JsonObject Of(Circuit circuit, CircuitTests tests, CircuitTestOptions settings, JsonObject made) => new()
    {
        ["n_edges"] = circuit.EdgeCount,
        ["n_nodes"] = circuit.NodeCount,
        ["faithfulness"] = ResultJson.Number(tests.Faithfulness),
        ["damage"] = ResultJson.Number(tests.Damage),
        ["tests"] = new JsonArray([.. tests.Results.Select(t => Test(t, settings))]),
        ["edges"] = new JsonArray([.. tests.Edges.Select(e => Edge(circuit.Graph, e))]),
        ["random"] = new JsonObject(Distribution.Of(tests).Select(d => KeyValuePair.Create(
            EnumNames.Of(d.Test), (JsonNode?)new JsonArray([.. d.Values.Select(ResultJson.Number)])))),
        ["gradpath"] = made,
    };

    /// <summary>The settings of the tests.</summary>
    public static JsonObject Options(CircuitTestOptions settings) => new()
    {
        ["tests"] = string.Join(',', settings.Tests.Select(t => EnumNames.Of(t))),
        ["alpha"] = settings.Alpha,
        ["tolerance"] = settings.Tolerance,
        ["random"] = settings.RandomDraws,
        ["permutations"] = settings.Permutations,
        ["edges"] = settings.Edges,
        ["correction"] = EnumNames.Of(settings.Correction),
    };

    /// <summary>How a test's p-values are corrected: those of edges are.</summary>
    public static string Correction(CircuitTestResult test, CircuitTestOptions settings) =>
        test.Kind == CircuitTestKind.Minimality ? EnumNames.Of(settings.Correction) : "none";

    private static JsonObject Test(CircuitTestResult test, CircuitTestOptions settings) => new()
    {
        ["test"] = EnumNames.Of(test.Kind),
        ["null_hypothesis"] = test.Null,
        ["statistic_name"] = test.StatisticName,
        ["statistic"] = ResultJson.Number(test.Statistic),
        ["p_value"] = ResultJson.Number(test.PValue),
        ["items"] = test.Items,
        ["draws"] = test.Draws,
        ["power"] = ResultJson.Number(test.Power),
        ["alternative"] = test.Alternative.Length > 0 ? test.Alternative : null,
        ["smallest_p"] = test.SmallestP,
        ["alpha"] = test.Alpha,
        ["seed"] = settings.Seed,
        ["correction"] = Correction(test, settings),
        ["rejected"] = test.Rejected,
        ["evidence"] = EnumNames.Of(test.Evidence),
    };

    private static JsonObject Edge(ComputationGraph graph, CircuitTestEdge edge) => new()
    {
        ["edge"] = graph.EdgeName(edge.Row, edge.Column),
        ["change"] = ResultJson.Number(edge.Change),
        ["p_value"] = edge.PValue,
        ["p_benjamini_hochberg"] = edge.BenjaminiHochberg,
        ["p_holm"] = edge.Holm,
        ["needed"] = edge.Needed,
    };
}
