using System.Text.Json;
using System.Text.Json.Nodes;

namespace Gradpath.Gpt2Runtime.Graph;

/// <summary>
/// The <c>gradpath</c> object of a score file: the provenance, and whether the file's membership flags are a circuit
/// (<c>circuit</c>) or only stand there because the format wants them.
/// </summary>
internal static class FileProvenance
{
    private const string CircuitKey = "circuit";

    public static void Write(Utf8JsonWriter json, EdgeScores scores) => ToJson(scores).WriteTo(json);

    public static JsonObject ToJson(EdgeScores scores)
    {
        JsonObject json = scores.Provenance?.ToJson() ?? [];
        json[CircuitKey] = !scores.EdgesInGraph.IsEmpty || !scores.NodesInGraph.IsEmpty;
        return json;
    }

    public static (Provenance Provenance, bool? HasCircuit) Read(JsonElement json, string source)
    {
        Provenance provenance = Provenance.FromJson(json, source);
        bool? hasCircuit = json.TryGetProperty(CircuitKey, out JsonElement circuit)
            && circuit.ValueKind is JsonValueKind.True or JsonValueKind.False
            ? circuit.GetBoolean() : null;
        return (provenance, hasCircuit);
    }
}
