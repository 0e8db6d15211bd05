using System.Text.Json;
using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime;

namespace Gradpath.Host.Reports;

/// <summary>Result files in JSON, and numbers in them that may not exist.</summary>
internal static class ResultJson
{
    /// <summary>A number, or null where it is not one: JSON has no NaN.</summary>
    public static JsonNode? Number(double value) => JsonNumber.Of(value);

    /// <summary>Writes a result; a file that exists is replaced, and only by a whole one.</summary>
    public static void Write(string path, JsonNode result) => AtomicFile.Write(path, stream =>
    {
        using (Utf8JsonWriter json = new(stream, new JsonWriterOptions { Indented = true })) result.WriteTo(json);
        stream.WriteByte((byte)'\n');
    });
}
