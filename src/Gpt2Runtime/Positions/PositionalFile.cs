using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Gpt2Runtime.Positions;

/// <summary>
/// Files of edges between spans. Each is a file of plain scores too, those of all spans added up, so that what knows no spans reads it: the
/// extension is <c>positions</c> beside them in JSON, tensors and an entry of the metadata in safetensors. JSON of a circuit lists the
/// circuit's edges alone, of scores all edges.
/// </summary>
internal static class PositionalFile
{
    private const string Key = "positions";
    private const string ScoresTensor = "positional_scores";
    private const string FlagsTensor = "positional_in_graph";

    /// <summary>Whether a file has edges between spans. Of one that cannot be read the reader of plain scores says why.</summary>
    /// <param name="path">The file.</param>
    public static bool HasPositions(string path)
    {
        try
        {
            return Find(path);
        }
        catch (GradpathException)
        {
            return false;
        }
    }

    private static bool Find(string path)
    {
        UnreadableFile.Require(path);
        if (ScoreFile.IsSafetensors(path, writes: false))
        {
            using SafetensorsFile file = SafetensorsFile.Open(path);
            return file.Metadata.ContainsKey(Key);
        }
        return JsonFile.ReadBytes(path, static bytes =>
        {
            ReadOnlySpan<byte> utf8 = bytes.Span.StartsWith("\uFEFF"u8) ? bytes.Span[3..] : bytes.Span;
            var json = new Utf8JsonReader(BareNumbers.Quote(utf8), JsonFile.Options);
            if (!json.Read() || json.TokenType != JsonTokenType.StartObject) return false;
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                if (json.ValueTextEquals(Key)) return true;
                json.Skip();
            }
            return false;
        });
    }

    /// <summary>Reads scores.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The scores, and which edges are in the file's circuit; null where it has none.</returns>
    /// <exception cref="GradpathException">The file cannot be read, or has no positions.</exception>
    public static (PositionalScores Scores, bool[]? InGraph) Read(string path)
    {
        if (!HasPositions(path))
            throw new GradpathException($"{path}: holds no positions: edges between spans were not scored. Plain scores have none.");
        EdgeScores plain = ScoreFile.Read(path);
        (PositionalGraph graph, float[] values, bool[] flags) = ScoreFile.IsSafetensors(path, writes: false)
            ? ReadTensors(path, plain.Graph)
            : JsonFile.Read(path, json => ReadJson(path, json.GetProperty(Key), plain.Graph));
        var scores = new PositionalScores(graph, values) { ModelWidth = plain.ModelWidth, Provenance = plain.Provenance };
        return (scores, plain.EdgesInGraph.IsEmpty ? null : flags);
    }

    /// <summary>Reads a circuit.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The circuit with the file's scores.</returns>
    /// <exception cref="GradpathException">The file cannot be read, has no positions, or holds no circuit.</exception>
    public static PositionalCircuit ReadCircuit(string path)
    {
        (PositionalScores scores, bool[]? flags) = Read(path);
        if (flags is null)
        {
            const string Reason = "holds scores but no circuit: no edge in it is marked in_graph";
            throw GradpathException.Worded($"{path}: {Reason}. Select a circuit from it first ({Terms.CircuitSelection}).");
        }
        PositionalGraph graph = scores.Graph;
        int before = scores.Provenance?.EdgesBeforePrune ?? 0;
        var circuit = new PositionalCircuit(graph, graph.Edges.Where(e => flags[graph.IndexOf(e)])) { Scores = scores };
        return before <= circuit.EdgeCount
            ? circuit
            : new PositionalCircuit(graph, circuit.Edges) { Scores = scores, EdgesBeforePrune = before };
    }

    /// <summary>Writes scores; a file that exists is replaced, and only by a whole one.</summary>
    /// <param name="path">The file.</param>
    /// <param name="scores">The scores.</param>
    /// <exception cref="GradpathException">The extension is not known, or the file cannot be written.</exception>
    public static void Write(string path, PositionalScores scores) => Write(
        path,
        scores.Graph,
        new EdgeScores(scores.Graph.Graph, Plain(scores.Graph, scores.Values))
        {
            ModelWidth = scores.ModelWidth,
            Provenance = scores.Provenance,
        },
        scores.Values.ToArray(),
        null);

    /// <summary>Writes a circuit; a file that exists is replaced, and only by a whole one.</summary>
    /// <param name="path">The file.</param>
    /// <param name="circuit">The circuit.</param>
    /// <exception cref="GradpathException">The extension is not known, or the file cannot be written.</exception>
    public static void Write(string path, PositionalCircuit circuit)
    {
        PositionalGraph graph = circuit.Graph;
        var values = new float[graph.Cells];
        foreach (PositionalEdge edge in circuit.Edges) values[graph.IndexOf(edge)] = circuit.Scores?[edge] ?? 1;
        Circuit plain = circuit.Flatten();
        Write(
            path,
            graph,
            new EdgeScores(graph.Graph, Plain(graph, values))
            {
                EdgesInGraph = plain.Membership,
                NodesInGraph = [.. Enumerable.Range(0, graph.Graph.Writers).Select(plain.ContainsNode)],
                ModelWidth = circuit.ModelWidth,
                Provenance = (circuit.Provenance ?? new Provenance()) with
                {
                    EdgesBeforePrune = circuit.EdgesBeforePrune,
                    EdgesInCircuit = circuit.EdgeCount,
                },
            },
            values,
            circuit);
    }

    private static void Write(string path, PositionalGraph graph, EdgeScores plain, float[] values, PositionalCircuit? circuit)
    {
        if (ScoreFile.IsSafetensors(path, writes: true))
        {
            EdgeScoresSafetensors.Write(path, plain, file =>
            {
                file.AddMetadata(Key, Header(graph).ToJsonString());
                file.Add(ScoresTensor, values, values.Length);
                byte[] flags = new byte[values.Length];
                foreach (PositionalEdge edge in circuit?.Edges ?? []) flags[graph.IndexOf(edge)] = 1;
                file.Add(FlagsTensor, flags, flags.Length);
            });
            return;
        }
        AtomicFile.Write(path, stream => EdgeScoresJson.Write(stream, plain, more: json =>
        {
            json.WriteStartObject(Key);
            foreach ((string key, JsonNode? value) in Header(graph))
            {
                json.WritePropertyName(key);
                value!.WriteTo(json);
            }
            json.WriteStartObject("edges");
            foreach (PositionalEdge edge in circuit?.Edges ?? graph.Edges)
            {
                json.WriteStartObject(graph.EdgeName(edge));
                json.WriteNumber("score", values[graph.IndexOf(edge)]);
                json.WriteBoolean("in_graph", circuit is not null);
                json.WriteEndObject();
            }
            json.WriteEndObject();
            json.WriteEndObject();
        }));
    }

    private static JsonObject Header(PositionalGraph graph) => new()
    {
        ["spans"] = new JsonArray([.. graph.Spans.Select(s => (JsonNode)s)]),
        ["pairs"] = new JsonArray([.. graph.Pairs.Where(p => p.From != p.To).Select(p =>
            (JsonNode)new JsonArray(graph.Spans[p.From], graph.Spans[p.To]))]),
    };

    private static float[] Plain(PositionalGraph graph, ReadOnlySpan<float> values) => Array.ConvertAll(
        graph.Sum(Array.ConvertAll(values.ToArray(), value => (double)value)), sum => (float)sum);

    private static (PositionalGraph Graph, float[] Values, bool[] Flags) ReadTensors(string path, ComputationGraph plain)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        PositionalGraph graph = JsonFile.Parse(
            $"{path}: '{Key}' in its metadata", Encoding.UTF8.GetBytes(file.Metadata[Key]),
            json => ReadHeader(path, json, plain, file.Length));
        foreach (string name in (string[])[ScoresTensor, FlagsTensor])
        {
            SafetensorsEntry entry = file.Require(name);
            if (!entry.Shape.SequenceEqual([graph.Cells]))
            {
                throw new GradpathException(
                    $"{path}: tensor '{name}' has shape {entry.ShapeText}; [{graph.Cells}] is expected of {graph.Spans.Count} spans.");
            }
        }
        if (file.Require(ScoresTensor).Dtype != "F32") throw new GradpathException($"{path}: tensor '{ScoresTensor}' is not of type F32.");
        float[] values = file.ReadFloats(ScoresTensor);
        if (Array.Exists(values, value => !float.IsFinite(value)))
            throw new GradpathException($"{path}: tensor '{ScoresTensor}' has a value that is not a finite number.");
        return (graph, values, Array.ConvertAll(file.ReadBytes(FlagsTensor), flag => flag != 0));
    }

    private static (PositionalGraph Graph, float[] Values, bool[] Flags) ReadJson(string path, JsonElement json, ComputationGraph plain)
    {
        PositionalGraph graph = ReadHeader(path, json, plain, new FileInfo(path).Length);
        var (values, flags, seen) = (new float[graph.Cells], new bool[graph.Cells], new bool[graph.Cells]);
        if (json.Property("edges") is not { ValueKind: JsonValueKind.Object } edges) throw Wrong(path, "'edges' in it must be an object");
        foreach (JsonProperty property in edges.EnumerateObject())
        {
            PositionalEdge edge = Parse(graph, property.Name) ?? throw new GradpathException(
                $"{path}: there is no edge {Quoted.Text(property.Name)} in {graph}.");
            int at = graph.IndexOf(edge);
            if (seen[at]) throw new GradpathException($"{path}: the edge {Quoted.Text(property.Name)} appears twice.");
            seen[at] = true;
            if (property.Value.ValueKind != JsonValueKind.Object)
                throw Wrong(path, $"{Quoted.Text(property.Name)} must be an object with score and in_graph");
            if (property.Value.Property("score") is { } score)
            {
                values[at] = score.ValueKind == JsonValueKind.Number && score.TryGetSingle(out float value) && float.IsFinite(value)
                    ? value
                    : throw Wrong(path, $"the score of {Quoted.Text(property.Name)} must be a finite number");
            }
            flags[at] = property.Value.Flag("in_graph", path) ?? false;
        }
        return (graph, values, flags);
    }

    private static PositionalGraph ReadHeader(string path, JsonElement json, ComputationGraph plain, long bytes)
    {
        if (json.ValueKind != JsonValueKind.Object || json.Property("spans") is not { ValueKind: JsonValueKind.Array } names)
            throw Wrong(path, "'spans' in it must be an array of names");
        string[] spans = [.. names.EnumerateArray().Select(name => name.ValueKind == JsonValueKind.String ? name.GetString()! : "")];
        if (spans.Length == 0 || spans.Distinct(StringComparer.Ordinal).Count() < spans.Length)
            throw Wrong(path, "'spans' in it must be different names, at least one");
        foreach (string span in spans)
        {
            if (TokenSpans.Wrong([new TokenSpan(span, 0, 0)], 0) is { } wrong) throw Wrong(path, wrong);
        }
        if (json.Property("pairs") is not { ValueKind: JsonValueKind.Array } pairs) throw Wrong(path, "'pairs' in it must be an array");
        (int, int)[] crossing = [.. pairs.EnumerateArray().Select(pair =>
        {
            int[] ends = pair.ValueKind == JsonValueKind.Array
                ? [.. pair.EnumerateArray().Select(e => e.ValueKind == JsonValueKind.String ? Array.IndexOf(spans, e.GetString()) : -1)]
                : [];
            return ends is [var from and >= 0, var to and >= 0] && from != to
                ? (from, to)
                : throw Wrong(path, "'pairs' in it must be pairs of two of its spans");
        }).Distinct()];

        // No memory that the file does not explain: every span adds a matrix.
        double cells = ((double)plain.Writers * plain.Readers * spans.Length)
            + ((double)plain.Writers * 2 * plain.Layers * plain.Heads * crossing.Length);
        if (cells > int.MaxValue / 2 || cells * 8 > 16_000_000 + (100.0 * bytes))
            throw Wrong(path, $"{spans.Length} spans and {crossing.Length} pairs of them are more than a file of {bytes} bytes explains");
        return new PositionalGraph(plain, spans, crossing);
    }

    private static PositionalEdge? Parse(PositionalGraph graph, string name)
    {
        int arrow = name.IndexOf("->", StringComparison.Ordinal);
        if (arrow < 0) return null;
        ReadOnlySpan<char> writer = name.AsSpan(0, arrow), reader = name.AsSpan(arrow + 2);
        (int from, int to) = (writer.IndexOf('@'), reader.IndexOf('@'));
        if (from < 0 || to < 0) return null;
        if (!graph.Graph.TryParseWriter(writer[..from], out int row)) return null;
        if (!graph.Graph.TryParseReader(reader[..to], out int column)) return null;
        var edge = new PositionalEdge(
            row, graph.SpanOf(writer[(from + 1)..].ToString()), column, graph.SpanOf(reader[(to + 1)..].ToString()));
        return graph.IsEdge(edge) ? edge : null;
    }

    private static GradpathException Wrong(string path, string what) => new($"{path}: '{Key}': {what}.");
}
