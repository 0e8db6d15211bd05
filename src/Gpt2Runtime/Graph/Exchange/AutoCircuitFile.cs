using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Gradpath.Gpt2Runtime.Graph.Exchange;

/// <summary>
/// Edges by auto-circuit's names as JSON: an array of names is a circuit, an object has a score for each name.
/// </summary>
internal static class AutoCircuitFile
{
    /// <summary>Reads scores or a circuit.</summary>
    /// <param name="path">The file.</param>
    /// <param name="shape">The model's shape, where the file does not have all edges.</param>
    /// <exception cref="GradpathException">The file cannot be read, or a name is none of auto-circuit's.</exception>
    public static EdgeScores Read(string path, GraphShape shape)
    {
        byte[] bytes = BareNumbers.Quote(FileText.ToUtf8(path, FileBytes.Read(path)).Span).ToArray();
        (List<EdgeEntry> entries, bool hasScores) = JsonFile.Parse(path, bytes, root => Entries(path, root));
        return EdgeList.Build(path, shape, entries, hasScores);
    }

    /// <summary>Writes the circuit, or all edges where none is marked; a file that exists is replaced, and only by a whole one.</summary>
    /// <param name="path">The file.</param>
    /// <param name="scores">What to write.</param>
    public static void Write(string path, EdgeScores scores) => AtomicFile.Write(path, stream =>
    {
        using Utf8JsonWriter json = new(stream, new JsonWriterOptions
        {
            Indented = true,
            NewLine = "\n",
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        });
        bool scored = !GraphContent.IsCircuitAlone(scores);
        if (scored) json.WriteStartObject();
        else json.WriteStartArray();
        foreach ((int row, int column) in GraphContent.Edges(scores))
        {
            string name = AutoCircuitNames.Of(scores.Graph, row, column);
            if (scored) json.WriteNumber(name, scores[row, column]);
            else json.WriteStringValue(name);
        }
        if (scored) json.WriteEndObject();
        else json.WriteEndArray();
    });

    private static (List<EdgeEntry> Entries, bool HasScores) Entries(string path, JsonElement root)
    {
        List<EdgeEntry> entries = [];
        if (root.ValueKind == JsonValueKind.Array)
        {
            foreach (JsonElement element in root.EnumerateArray())
            {
                string where = string.Create(CultureInfo.InvariantCulture, $"{path}, entry {entries.Count + 1}");
                if (element.ValueKind != JsonValueKind.String)
                    throw new GradpathException($"{where}: is {JsonFile.Shown(element)}; a name such as A0.1->A3.2.Q is needed.");
                entries.Add(new EdgeEntry(where, Name(where, element.GetString()!)));
            }
            return (entries, false);
        }
        if (root.ValueKind != JsonValueKind.Object)
            throw new GradpathException($"{path}: an array of auto-circuit's names or an object of their scores is needed.");
        foreach (JsonProperty property in root.EnumerateObject())
            entries.Add(new EdgeEntry(path, Name(path, property.Name), Score(path, property)));
        return (entries, true);
    }

    private static float? Score(string path, JsonProperty property) => property.Value.ValueKind switch
    {
        JsonValueKind.Null => null,
        JsonValueKind.Number => property.Value.TryGetSingle(out float value) ? value : float.PositiveInfinity,
        JsonValueKind.String when BareNumbers.IsNaN(property.Value.GetString()) => null,
        JsonValueKind.String when BareNumbers.IsOne(property.Value.GetString()) => float.PositiveInfinity,
        _ => throw new GradpathException(
            $"{path}: the score of {Quoted.Text(property.Name)} is {JsonFile.Shown(property.Value)}; a number is needed."),
    };

    private static string Name(string where, string name) => AutoCircuitNames.Parse(name)
        ?? throw new GradpathException($"{where}: {Quoted.Text(name)} is none of auto-circuit's edges; their names have the form "
            + "A0.1->A3.2.Q, with Resid Start, MLP 3 and Resid End.");
}
