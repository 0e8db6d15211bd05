namespace Gradpath.Gpt2Runtime.Graph;

/// <summary>All names at once, for writing files.</summary>
internal static class GraphNames
{
    public static string[] Writers(ComputationGraph graph) => [.. Enumerable.Range(0, graph.Writers).Select(graph.WriterName)];

    public static string[] Readers(ComputationGraph graph) => [.. Enumerable.Range(0, graph.Readers).Select(graph.ReaderName)];
}
