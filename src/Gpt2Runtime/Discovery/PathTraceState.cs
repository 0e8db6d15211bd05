using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>The rounds of a run as a state, bit for bit.</summary>
internal static class PathTraceState
{
    private const string RoundsKey = "rounds";

    /// <summary>Rounds as a state.</summary>
    /// <param name="rounds">The rounds so far.</param>
    /// <returns>The state.</returns>
    public static JsonObject ToJson(IReadOnlyList<PathRound> rounds) =>
        new() { [RoundsKey] = new JsonArray([.. rounds.Select(Round)]) };

    /// <summary>Reads what <see cref="ToJson"/> has made.</summary>
    /// <param name="graph">The model's graph.</param>
    /// <param name="checkpoint">Where the state is from.</param>
    /// <param name="state">The state.</param>
    /// <returns>The rounds.</returns>
    /// <exception cref="GradpathException">The state is not one of rounds of this model.</exception>
    public static IReadOnlyList<PathRound> FromJson(ComputationGraph graph, RunCheckpoint checkpoint, JsonObject state)
    {
        return [.. checkpoint.Objects(state, RoundsKey).Select(r => new PathRound(
            [.. checkpoint.Objects(r, "maps").Select(Map)], [.. Edges(r).Select(Edge)]))];

        PathMap Map(JsonObject map) => new(
            checkpoint.Text(map, "kind"),
            [.. checkpoint.Objects(map, "receivers").Select(Receiver)],
            [.. checkpoint.Unpack<double>(map, "effects", graph.Writers, gaps: true)]);

        // A round may have none.
        IReadOnlyList<JsonObject> Edges(JsonObject round) =>
            round["edges"] is JsonArray { Count: 0 } ? [] : checkpoint.Objects(round, "edges");

        PathEdge Edge(JsonObject edge)
        {
            int row = checkpoint.Number<int>(edge, "row");
            PathReceiver receiver = Receiver(edge);
            return row < graph.Writers && graph.IsEdge(row, receiver.Column)
                ? new PathEdge(row, receiver, checkpoint.Unpack<double>(edge, "effect", 1)[0])
                : throw checkpoint.Damaged();
        }

        PathReceiver Receiver(JsonObject receiver)
        {
            int column = checkpoint.Number<int>(receiver, "column");
            string positions = checkpoint.Text(receiver, "positions");
            try
            {
                return column < graph.Readers ? new PathReceiver(column, TokenPositions.Parse(positions)) : throw checkpoint.Damaged();
            }
            catch (GradpathException e)
            {
                throw checkpoint.Damaged(e);
            }
        }
    }

    private static JsonObject Round(PathRound round) => new()
    {
        ["maps"] = new JsonArray([.. round.Maps.Select(map => new JsonObject
        {
            ["kind"] = map.Kind,
            ["receivers"] = new JsonArray([.. map.Receivers.Select(Receiver)]),
            ["effects"] = RunCheckpoint.Pack(map.Effects.AsSpan()),
        })]),
        ["edges"] = new JsonArray([.. round.Edges.Select(edge =>
        {
            JsonObject json = Receiver(edge.Receiver);
            json["row"] = edge.Row;
            json["effect"] = RunCheckpoint.Pack<double>([edge.Effect]);
            return json;
        })]),
    };

    private static JsonObject Receiver(PathReceiver receiver) =>
        new() { ["column"] = receiver.Column, ["positions"] = receiver.Positions.Text };
}
