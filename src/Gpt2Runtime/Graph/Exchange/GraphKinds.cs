namespace Gradpath.Gpt2Runtime.Graph.Exchange;

/// <summary>The table of kinds of files of scores and circuits: help, documentation and conversion read it.</summary>
internal static class GraphKinds
{
    private const GraphParts Listed = GraphParts.Scores | GraphParts.Circuit;

    /// <summary>The kinds, in the order in which they are listed.</summary>
    public static IReadOnlyList<GraphKind> All { get; } =
    [
        new("eap-ig", "JSON of the EAP-IG library, in any of its shapes; Gradpath's own files", ".json", GraphParts.All)
        {
            Read = (path, _) => [EdgeScoresJson.Read(Existing(path).Span, path)],
            Write = One((path, scores) => AtomicFile.Write(path, stream => EdgeScoresJson.Write(stream, scores))),
        },
        new("eap-ig-0.1", "JSON of version 0.1 of that library, whose nodes are true or false", ".eap-ig-0.1.json",
            Listed | GraphParts.OtherScores | GraphParts.Provenance)
        {
            Read = (path, _) => [EdgeScoresJson.Read(Existing(path).Span, path)],
            Write = One((path, scores) => AtomicFile.Write(path, stream => EdgeScoresJson.Write(stream, scores, plainNodes: true))),
        },
        new("safetensors", "tensors, for large models", ".safetensors", GraphParts.All)
        {
            Read = (path, _) => [EdgeScoresSafetensors.Read(path)],
            Write = One((path, scores) => EdgeScoresSafetensors.Write(path, scores)),
        },
        new("csv", "a line per edge: edge, score, in_circuit", ".csv", Listed | GraphParts.OtherScores)
        {
            NeedsShape = true,
            Read = (path, shape) => [EdgeCsv.Read(path, shape)],
            Write = One(EdgeCsv.Write),
        },
        new("acdc", "JSON of edges by ACDC's names: hooks and indices of the reader and of the writer", ".acdc.json", Listed)
        {
            ListsEdges = true,
            NeedsShape = true,
            Read = (path, shape) => [AcdcFile.Read(path, shape)],
            Write = One(AcdcFile.Write),
        },
        new("auto-circuit", "JSON of edges by auto-circuit's names: A0.1->A3.2.Q", ".auto-circuit.json", Listed)
        {
            ListsEdges = true,
            NeedsShape = true,
            Read = (path, shape) => [AutoCircuitFile.Read(path, shape)],
            Write = One(AutoCircuitFile.Write),
        },
        new("circuit-tracer", "the graph of a circuit for circuit-tracer's viewer and Neuronpedia", ".circuit-tracer.json",
            Listed | GraphParts.Provenance | GraphParts.Width)
        {
            Read = (path, _) => [CircuitTracerFile.Read(path)],
            Write = One(CircuitTracerFile.Write),
        },
        new("mib", "the folder of a task and a model in a submission to MIB: scores, or nine circuits", "", GraphParts.All)
        {
            Read = (path, _) => MibFolder.Read(path),
            Write = MibFolder.Write,
        },
    ];

    /// <summary>The kind that a name says.</summary>
    /// <param name="name">The name, as people write it.</param>
    /// <returns>Null where there is none.</returns>
    public static GraphKind? Find(string name) => All.FirstOrDefault(k => TableNames.Same(name, k.Name));

    /// <summary>The kind that a file's name says: that of the longest ending.</summary>
    /// <param name="path">The file.</param>
    /// <returns>Null where the name says none.</returns>
    public static GraphKind? OfFile(string path) => All
        .Where(k => !k.IsFolder && path.EndsWith(k.Ending, StringComparison.OrdinalIgnoreCase))
        .MaxBy(k => k.Ending.Length);

    private static ReadOnlyMemory<byte> Existing(string path)
    {
        UnreadableFile.Require(path);
        return FileBytes.Read(path);
    }

    private static Action<string, IReadOnlyList<EdgeScores>> One(Action<string, EdgeScores> write) =>
        (path, graphs) => write(path, graphs[0]);
}
