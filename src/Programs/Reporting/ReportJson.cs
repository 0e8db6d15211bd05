using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Gradpath.Programs.Reporting;

/// <summary>Values of reports as JSON: numbers stay numbers, and what is no number is null, which JSON has instead of NaN.</summary>
internal static class ReportJson
{
    private static readonly JsonSerializerOptions s_format =
        new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>A value as JSON.</summary>
    /// <param name="value">Null, a truth value, a number, a text, a list of these, or JSON.</param>
    public static JsonNode? Node(object? value) => value switch
    {
        null => null,
        JsonNode node => node.Parent is null ? node : node.DeepClone(),
        bool truth => JsonValue.Create(truth),
        int number => JsonValue.Create(number),
        long number => JsonValue.Create(number),
        ulong number => JsonValue.Create(number),
        float number => float.IsFinite(number) ? JsonValue.Create(number) : null,
        double number => double.IsFinite(number) ? JsonValue.Create(number) : null,
        string text => JsonValue.Create(text),
        System.Collections.IEnumerable list => new JsonArray([.. list.Cast<object?>().Select(Node)]),
        _ => throw new ArgumentException($"a report has no values of type {value.GetType().Name}"),
    };

    /// <summary>Writes one object as indented JSON with a line break behind it.</summary>
    public static void Write(TextWriter output, JsonObject json)
    {
        output.Write(json.ToJsonString(s_format).ReplaceLineEndings("\n"));
        output.Write('\n');
    }
}
