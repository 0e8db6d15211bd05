using System.Text.Json.Nodes;

namespace Gradpath.Gpt2Runtime.Graph;

/// <summary>All names at once, for writing files.</summary>
internal static class GraphNames
{
    public static string[] Writers(ComputationGraph graph) => [.. Enumerable.Range(0, graph.Writers).Select(graph.WriterName)];

    public static string[] Readers(ComputationGraph graph) => [.. Enumerable.Range(0, graph.Readers).Select(graph.ReaderName)];

    /// <summary>Names or labels as JSON, without the reflection that a program compiled ahead of time does not have.</summary>
    /// <param name="texts">The texts; null becomes null.</param>
    /// <returns>An array.</returns>
    public static string Json(IEnumerable<string?> texts) => new JsonArray([.. texts.Select(t => (JsonNode?)t)]).ToJsonString();
}
