using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Checkpoints;

namespace Gradpath.Gpt2Runtime.Graph;

/// <summary>
/// Edge scores and circuits as safetensors, for models whose JSON would be large. Tensors, named as in the EAP-IG library's .pt files:
/// <c>edges_scores</c> [F, K] float32, <c>edges_in_graph</c> [F, K] and <c>nodes_in_graph</c> [F] uint8, <c>nodes_scores</c> [F] float32
/// where there are any; what is not finite there was not scored. The metadata hold <c>cfg</c>, <c>src_nodes</c>, <c>dst_nodes</c> and
/// <c>gradpath</c> (the provenance) as JSON.
/// </summary>
internal static class EdgeScoresSafetensors
{
    private const string Scores = "edges_scores";
    private const string EdgesIn = "edges_in_graph";
    private const string NodesIn = "nodes_in_graph";
    private const string NodeScores = "nodes_scores";

    /// <summary>Writes scores; a file that exists is replaced, and only by a whole one.</summary>
    /// <param name="path">The file.</param>
    /// <param name="scores">The scores.</param>
    /// <param name="more">Adds further tensors and metadata; null for none.</param>
    /// <exception cref="GradpathException">A score is NaN or infinite, or the file cannot be written.</exception>
    public static void Write(string path, EdgeScores scores, Action<SafetensorsWriter>? more = null)
    {
        scores.RequireFinite();
        ComputationGraph graph = scores.Graph;
        JsonObject config = new() { ["n_layers"] = graph.Layers, ["n_heads"] = graph.Heads, ["parallel_attn_mlp"] = false };
        if (scores.ModelWidth > 0) config["d_model"] = scores.ModelWidth;

        SafetensorsWriter file = new();
        file.AddMetadata("cfg", config.ToJsonString());
        file.AddMetadata("src_nodes", GraphNames.Json(GraphNames.Writers(graph)));
        file.AddMetadata("dst_nodes", GraphNames.Json(GraphNames.Readers(graph)));
        file.AddMetadata("gradpath", FileProvenance.ToJson(scores).ToJsonString());
        file.Add(Scores, scores.ValueMemory, graph.Writers, graph.Readers);
        file.Add(EdgesIn, Flags(scores.EdgesInGraph, scores.Values.Length), graph.Writers, graph.Readers);
        file.Add(NodesIn, Flags(scores.NodesInGraph, graph.Writers), graph.Writers);
        if (!scores.NodeScores.IsEmpty) file.Add(NodeScores, scores.NodeScores.ToArray(), graph.Writers);
        more?.Invoke(file);
        file.Write(path);
    }

    /// <summary>Reads scores.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The scores.</returns>
    /// <exception cref="GradpathException">The file cannot be read, or does not hold the scores of a GPT-2 graph.</exception>
    public static EdgeScores Read(string path)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        (ComputationGraph graph, int width) = ReadConfig(file);
        RequireNames(file, "src_nodes", GraphNames.Writers(graph));
        RequireNames(file, "dst_nodes", GraphNames.Readers(graph));
        (Provenance? provenance, bool? hasCircuit) = file.Metadata.TryGetValue("gradpath", out string? json)
            ? JsonFile.Parse(Place(file, "gradpath"), Encoding.UTF8.GetBytes(json), root => FileProvenance.Read(root, path)) : (null, null);

        bool[] edgesIn = ReadFlags(file, EdgesIn, graph.Writers, graph.Readers);
        bool[] nodesIn = ReadFlags(file, NodesIn, graph.Writers);
        float[] values = ReadFloats(file, Scores, graph.Writers, graph.Readers);
        int unscored = 0;
        for (int i = 0; i < values.Length; i++)
        {
            if (!float.IsNaN(values[i])) continue;
            values[i] = 0;
            if (graph.IsEdge(i / graph.Readers, i % graph.Readers)) unscored++;
        }
        bool circuit = hasCircuit ?? (edgesIn.Contains(true) || nodesIn.Contains(true));
        EdgeScores scores = new(graph, values)
        {
            UnscoredEdges = unscored,
            NodeScores = file.Entries.ContainsKey(NodeScores)
                ? Array.ConvertAll(ReadFloats(file, NodeScores, graph.Writers), score => float.IsFinite(score) ? score : float.NaN)
                : null,
            EdgesInGraph = circuit ? edgesIn : null,
            NodesInGraph = circuit ? nodesIn : null,
            ModelWidth = width,
            Provenance = provenance,
        };
        RequireEdgesOnly(scores, path);
        return scores;
    }

    private static byte[] Flags(ReadOnlySpan<bool> values, int length)
    {
        var flags = new byte[length];
        for (int i = 0; i < values.Length; i++) flags[i] = values[i] ? (byte)1 : (byte)0;
        return flags;
    }

    // Without cfg, as the EAP-IG library's tensors look once somebody has saved them as safetensors, the shape of the scores says it all.
    private static (ComputationGraph Graph, int Width) ReadConfig(SafetensorsFile file)
    {
        if (!file.Metadata.ContainsKey("cfg")) return (OfShape(file), 0);
        return ReadGraph(file, (writers, readers) => RequireShape(file, file.Require(Scores), [writers, readers]));
    }

    /// <summary>The graph that the metadata describe.</summary>
    /// <param name="file">A file of scores.</param>
    /// <param name="require">Refuses a file whose tensors are not for so many writers and readers, before a graph of them is made.</param>
    /// <returns>The graph, and the width of the residual stream or 0.</returns>
    /// <exception cref="GradpathException">They describe none.</exception>
    internal static (ComputationGraph Graph, int Width) ReadGraph(SafetensorsFile file, Action<long, long> require)
    {
        string text = file.Metadata.GetValueOrDefault("cfg", "null");
        (int layers, int heads, int width) = JsonFile.Parse(Place(file, "cfg"), Encoding.UTF8.GetBytes(text), json =>
        {
            int Number(string key) => json.ValueKind == JsonValueKind.Object && json.Property(key) is { ValueKind: JsonValueKind.Number } e
                && e.TryGetInt32(out int v) && v is > 0 and <= 1_000_000 ? v : 0;
            return (Number("n_layers"), Number("n_heads"), Number("d_model"));
        });
        if (layers == 0 || heads == 0)
            throw new GradpathException($"{file.Path}: 'cfg' in its metadata must state n_layers and n_heads of a GPT-2 model.");
        if (GraphNumbering.Lack(layers, heads) is { } lack) throw new GradpathException($"{file.Path}: {lack}.");
        require(1 + ((long)layers * (heads + 1)), 1 + ((long)layers * ((3 * heads) + 1)));
        return (new ComputationGraph(layers, heads), width);
    }

    private static ComputationGraph OfShape(SafetensorsFile file)
    {
        // F - 1 = L H + L and K - 1 = 3 L H + L.
        if (file.Require(Scores).Shape is [var writers and > 0, var readers and > 0] && (Int128)writers * readers <= Array.MaxLength
            && readers > writers && (readers - writers) % 2 == 0)
        {
            long all = (readers - writers) / 2, layers = writers - 1 - all;
            if (layers > 0 && all % layers == 0) return new ComputationGraph((int)layers, (int)(all / layers));
        }
        throw new GradpathException($"{file.Path}: tensor '{Scores}' has shape {file.Require(Scores).ShapeText}, which is that of no "
            + "GPT-2 graph, and the metadata hold no 'cfg'.");
    }

    private static string Place(SafetensorsFile file, string key) => $"{file.Path}: '{key}' in its metadata";

    private static void RequireNames(SafetensorsFile file, string key, string[] expected)
    {
        if (!file.Metadata.TryGetValue(key, out string? text)) return;
        if (!JsonFile.Parse(Place(file, key), Encoding.UTF8.GetBytes(text), names => names.ValueKind == JsonValueKind.Array
            && names.EnumerateArray().Select(n => n.ValueKind == JsonValueKind.String ? n.GetString() : null).SequenceEqual(expected)))
        {
            throw new GradpathException(
                $"{file.Path}: '{key}' in its metadata are not the {expected.Length} names of the GPT-2 graph that 'cfg' describes.");
        }
    }

    private static float[] ReadFloats(SafetensorsFile file, string name, params long[] shape)
    {
        SafetensorsEntry entry = file.Require(name);
        if (entry.Dtype != "F32") throw new GradpathException($"{file.Path}: tensor '{name}' is of type "
            + $"{Quoted.Name(entry.Dtype)[1..^1]}; F32 is expected");
        RequireShape(file, entry, shape);
        return file.ReadFloats(name);
    }

    /// <summary>Reads a tensor of flags.</summary>
    /// <param name="file">A file of scores.</param>
    /// <param name="name">The tensor.</param>
    /// <param name="shape">Its shape.</param>
    /// <returns>The flags; what is not 0 is true.</returns>
    /// <exception cref="GradpathException">It is missing, or of another type or shape.</exception>
    internal static bool[] ReadFlags(SafetensorsFile file, string name, params long[] shape)
    {
        RequireShape(file, file.Require(name), shape);
        return Array.ConvertAll(file.ReadBytes(name), static v => v != 0);
    }

    private static void RequireShape(SafetensorsFile file, SafetensorsEntry entry, long[] shape)
    {
        if (!entry.Shape.SequenceEqual(shape))
            throw new GradpathException(
                $"{file.Path}: tensor '{entry.Name}' has shape {entry.ShapeText}; [{string.Join(", ", shape)}] is expected");
    }

    private static void RequireEdgesOnly(EdgeScores scores, string path)
    {
        for (int i = 0; i < scores.Values.Length; i++)
        {
            ScoredEdge cell = scores.EdgeAt(i);
            if (scores.Graph.IsEdge(cell.Row, cell.Column)) continue;
            if (cell.Score != 0 || (!scores.EdgesInGraph.IsEmpty && scores.EdgesInGraph[i]))
            {
                throw new GradpathException($"{path}: {scores.Graph.WriterName(cell.Row)} does not feed "
                    + $"{scores.Graph.ReaderName(cell.Column)}, "
                    + "yet the file has a score or an edge there.");
            }
        }
    }
}
