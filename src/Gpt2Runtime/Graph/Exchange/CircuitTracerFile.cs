using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Gradpath.Gpt2Runtime.Graph.Exchange;

/// <summary>
/// A circuit as the JSON of circuit-tracer's graphs, which its viewer and Neuronpedia show: <c>metadata</c>, <c>qParams</c>, <c>nodes</c>,
/// <c>links</c>. A head or an MLP stands where a feature would; a link is between two nodes and has the sum of the scores of their edges as
/// its weight. Beside it stand its edges with their scores, and in the file <c>cfg</c> and <c>gradpath</c>, so that it can be read back.
/// </summary>
internal static class CircuitTracerFile
{
    private const string Links = "links", Edges = "edges", Config = "cfg", Made = "gradpath";

    /// <summary>Reads a circuit that <see cref="Write"/> wrote.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="GradpathException">The file cannot be read, or holds another graph.</exception>
    public static EdgeScores Read(string path) => JsonFile.Read(path, root => Read(path, root));

    /// <summary>Writes a circuit; a file that exists is replaced, and only by a whole one.</summary>
    /// <param name="path">The file.</param>
    /// <param name="scores">Scores in which a circuit is marked.</param>
    /// <exception cref="GradpathException">None is marked, or the file cannot be written.</exception>
    public static void Write(string path, EdgeScores scores)
    {
        if (scores.EdgesInGraph.IsEmpty)
        {
            const string Reason = "the graph of circuit-tracer shows a circuit, and these are scores without one";
            throw GradpathException.Worded($"{path}: {Reason}. Select a circuit from them first ({Terms.CircuitSelection}).");
        }
        AtomicFile.Write(path, stream =>
        {
            using Utf8JsonWriter json = new(stream, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
            json.WriteStartObject();
            WriteHead(json, scores);
            WriteNodes(json, new Circuit(scores.Graph, scores.EdgesInGraph));
            WriteLinks(json, scores);
            json.WriteEndObject();
        });
    }

    private static void WriteHead(Utf8JsonWriter json, EdgeScores scores)
    {
        string task = scores.Provenance?.Task ?? "circuit";
        json.WriteStartObject("metadata");
        json.WriteString("slug", task);
        json.WriteString("scan", scores.Provenance?.Model ?? "gpt2");
        WriteTexts(json, "transcoder_list");
        WriteTexts(json, "prompt_tokens", "all positions");
        json.WriteString("prompt", task);
        json.WriteNull("node_threshold");
        json.WriteNumber("schema_version", 1);
        json.WriteEndObject();
        json.WriteStartObject("qParams");
        json.WriteString("linkType", "both");
        json.WriteString("clickedId", "");
        json.WriteString("sg_pos", "");
        WriteTexts(json, "pinnedIds");
        WriteTexts(json, "supernodes");
        json.WriteEndObject();
        json.WriteStartObject(Config);
        json.WriteNumber("n_layers", scores.Graph.Layers);
        json.WriteNumber("n_heads", scores.Graph.Heads);
        if (scores.ModelWidth > 0) json.WriteNumber("d_model", scores.ModelWidth);
        json.WriteEndObject();
        if (scores.Provenance is null) return;
        json.WritePropertyName(Made);
        FileProvenance.Write(json, scores);
    }

    private static void WriteTexts(Utf8JsonWriter json, string name, params string[] texts)
    {
        json.WriteStartArray(name);
        foreach (string text in texts) json.WriteStringValue(text);
        json.WriteEndArray();
    }

    private static void WriteNodes(Utf8JsonWriter json, Circuit circuit)
    {
        json.WriteStartArray("nodes");
        foreach (int node in circuit.Nodes.Append(circuit.Graph.LogitsNode))
        {
            (string layer, int within, string kind) = Place(circuit.Graph, node);
            long x = kind == "cross layer transcoder" ? int.Parse(layer, CultureInfo.InvariantCulture) : 0;
            json.WriteStartObject();
            json.WriteString("node_id", Id(circuit.Graph, node));
            json.WriteNumber("feature", ((x + within) * (x + within + 1) / 2) + within);
            json.WriteString("layer", layer);
            json.WriteNumber("ctx_idx", 0);
            json.WriteString("feature_type", kind);
            json.WriteNumber("token_prob", 0);
            json.WriteBoolean("is_target_logit", node == circuit.Graph.LogitsNode);
            json.WriteNumber("run_idx", 0);
            json.WriteNumber("reverse_ctx_idx", 0);
            json.WriteString("jsNodeId", string.Create(CultureInfo.InvariantCulture, $"{layer}_{within}-0"));
            json.WriteString("clerp", circuit.Graph.WriterName(node));
            json.WriteNull("influence");
            json.WriteNull("activation");
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void WriteLinks(Utf8JsonWriter json, EdgeScores scores)
    {
        bool scored = !GraphContent.IsCircuitAlone(scores);
        ComputationGraph graph = scores.Graph;
        json.WriteStartArray(Links);
        foreach (var link in GraphContent.Edges(scores).GroupBy(e => (e.Row, Node: graph.NodeOfColumn(e.Column))))
        {
            json.WriteStartObject();
            json.WriteString("source", Id(graph, link.Key.Row));
            json.WriteString("target", Id(graph, link.Key.Node));
            json.WriteNumber("weight", link.Sum(e => (double)scores[e.Row, e.Column]));
            json.WriteStartObject(Edges);
            foreach ((int row, int column) in link)
            {
                if (scored) json.WriteNumber(graph.EdgeName(row, column), scores[row, column]);
                else json.WriteNull(graph.EdgeName(row, column));
            }
            json.WriteEndObject();
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    // Layer, place in it and kind, as circuit-tracer has them; the logits stand one layer above the model.
    private static (string Layer, int Within, string Kind) Place(ComputationGraph graph, int node)
    {
        if (node == ComputationGraph.InputRow) return ("E", 0, "embedding");
        (int layer, int within) = Math.DivRem(node - 1, graph.WritersPerLayer);
        return node == graph.LogitsNode
            ? ((graph.Layers + 1).ToString(CultureInfo.InvariantCulture), 0, "logit")
            : (layer.ToString(CultureInfo.InvariantCulture), within, "cross layer transcoder");
    }

    private static string Id(ComputationGraph graph, int node)
    {
        (string layer, int within, _) = Place(graph, node);
        return string.Create(CultureInfo.InvariantCulture, $"{layer}_{within}_0");
    }

    private static EdgeScores Read(string path, JsonElement root)
    {
        int? Size(string name) => root.Property(Config)?.Property(name) is { ValueKind: JsonValueKind.Number } number
            && number.TryGetInt32(out int value) && value > 0 ? value : null;
        if (Size("n_layers") is not { } layers || Size("n_heads") is not { } heads
            || root.Property(Links) is not { ValueKind: JsonValueKind.Array } links)
        {
            throw new GradpathException($"{path}: is no graph of heads and MLPs that was converted to circuit-tracer's format: 'cfg' with "
                + "n_layers and n_heads and 'links' are needed. Graphs of features have no counterpart here.");
        }
        List<EdgeEntry> entries = [];
        bool hasScores = false;
        int number = 0;
        foreach (JsonElement link in links.EnumerateArray())
        {
            string where = string.Create(CultureInfo.InvariantCulture, $"{path}, link {++number}");
            if (link.Property(Edges) is not { ValueKind: JsonValueKind.Object } edges)
                throw new GradpathException($"{where}: has no 'edges', an object of the names of its edges and their scores.");
            foreach (JsonProperty edge in edges.EnumerateObject())
            {
                float? score = edge.Value.ValueKind switch
                {
                    JsonValueKind.Null => null,
                    JsonValueKind.Number => edge.Value.TryGetSingle(out float value) ? value : float.PositiveInfinity,
                    _ => throw new GradpathException($"{where}: the score of {Quoted.Text(edge.Name)} must be a number or null."),
                };
                hasScores |= score is not null;
                entries.Add(new EdgeEntry(where, edge.Name, score, IsIn: true));
            }
        }
        if (GraphNumbering.Lack(layers, heads) is { } lack) throw new GradpathException($"{path}: {lack}.");
        RequireFits(path, layers, heads, entries.Count);
        EdgeScores list = EdgeList.Build(path, new GraphShape(layers, heads), entries, hasScores);
        return new EdgeScores(list.Graph, list.Values)
        {
            // An empty circuit is one too.
            EdgesInGraph = list.EdgesInGraph,
            NodesInGraph = list.NodesInGraph,
            ModelWidth = Size("d_model") ?? 0,
            Provenance = root.Property(Made) is { } made ? FileProvenance.Read(made, path).Provenance : null,
            UnscoredEdges = list.UnscoredEdges,
        };
    }

    // A few characters must not ask for gigabytes.
    private static void RequireFits(string path, int layers, int heads, int edges)
    {
        const long Most = 10_000_000, PerEdge = 10_000;
        if (GraphNumbering.Edges(layers, heads) > Most + (PerEdge * edges))
            throw new GradpathException($"{path}: {layers} layers x {heads} heads are more than the {edges} edges of the file can be of.");
    }
}
