using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Graph;
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
    public static IReadOnlyList<PathRound> FromJson(ComputationGraph graph, SearchCheckpoint checkpoint, JsonObject state)
    {
        try
        {
            return [.. state[RoundsKey]!.AsArray().Select(r =>
                new PathRound([.. r!["maps"]!.AsArray().Select(Map)], [.. r["edges"]!.AsArray().Select(Edge)]))];
        }
        catch (Exception e) when (e is InvalidOperationException or FormatException or NullReferenceException)
        {
            throw checkpoint.Damaged(e);
        }

        PathMap Map(JsonNode? map)
        {
            double[] effects = checkpoint.Unpack<double>(map!.AsObject(), "effects");
            return effects.Length == graph.Writers
                ? new PathMap(map["kind"]!.GetValue<string>(), [.. map["receivers"]!.AsArray().Select(Receiver)], [.. effects])
                : throw checkpoint.Damaged();
        }

        PathEdge Edge(JsonNode? edge)
        {
            int row = edge!["row"]!.GetValue<int>();
            PathReceiver receiver = Receiver(edge);
            return graph.IsEdge(row, receiver.Column)
                ? new PathEdge(row, receiver, checkpoint.Unpack<double>(edge.AsObject(), "effect")[0])
                : throw checkpoint.Damaged();
        }

        PathReceiver Receiver(JsonNode? receiver)
        {
            int column = receiver!["column"]!.GetValue<int>();
            return (uint)column < (uint)graph.Readers
                ? new PathReceiver(column, TokenPositions.Parse(receiver["positions"]!.GetValue<string>()))
                : throw checkpoint.Damaged();
        }
    }

    private static JsonObject Round(PathRound round) => new()
    {
        ["maps"] = new JsonArray([.. round.Maps.Select(map => new JsonObject
        {
            ["kind"] = map.Kind,
            ["receivers"] = new JsonArray([.. map.Receivers.Select(Receiver)]),
            ["effects"] = SearchCheckpoint.Pack(map.Effects.AsSpan()),
        })]),
        ["edges"] = new JsonArray([.. round.Edges.Select(edge =>
        {
            JsonObject json = Receiver(edge.Receiver);
            json["row"] = edge.Row;
            json["effect"] = SearchCheckpoint.Pack<double>([edge.Effect]);
            return json;
        })]),
    };

    private static JsonObject Receiver(PathReceiver receiver) =>
        new() { ["column"] = receiver.Column, ["positions"] = receiver.Positions.Text };
}
