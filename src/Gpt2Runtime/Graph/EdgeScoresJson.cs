using System.Text.Encodings.Web;
using System.Text.Json;

namespace Gradpath.Gpt2Runtime.Graph;

/// <summary>
/// Edge scores and circuits as the EAP-IG library's JSON: <c>cfg</c>, <c>nodes</c>, <c>edges</c>, and beside them this program's
/// provenance under <c>gradpath</c>, which that library ignores.
/// </summary>
/// <remarks>
/// Written as the library writes today: every node is <c>{"in_graph", "score"?}</c>, <c>logits</c> among them, every edge is
/// <c>{"score", "in_graph"}</c>. Also read: nodes that are plain booleans, <c>cfg</c> without <c>d_model</c>, scores that are null
/// (taken as 0), and the further top-level keys of older versions. Neuron entries are passed over. NaN, which that library writes although
/// JSON has no such number, says of an edge, a node or a neuron that it was not scored. So does Infinity of a node or a neuron.
/// The library has no word for "no circuit chosen": a file of its own in which nothing is in the graph is read as that.
/// </remarks>
internal static class EdgeScoresJson
{
    private const int FlushBytes = 1 << 20;
    private const string Expected = "Expected is an object with \"cfg\", \"nodes\" and \"edges\".";

    /// <summary>Writes scores. Numbers have as many digits as it takes to read the same float32 back.</summary>
    /// <param name="stream">Where to.</param>
    /// <param name="scores">The scores.</param>
    /// <param name="plainNodes">As version 0.1 of the library writes it: nodes are true or false, and the width is not stated.</param>
    /// <param name="more">Writes further properties behind these; null for none.</param>
    /// <exception cref="GradpathException">A score is NaN or infinite, which JSON cannot hold; the message names the edge.</exception>
    public static void Write(Stream stream, EdgeScores scores, bool plainNodes = false, Action<Utf8JsonWriter>? more = null)
    {
        scores.RequireFinite();
        // The default encoder would write every -> and <q> as \u escapes.
        JsonWriterOptions options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
        using Utf8JsonWriter json = new(stream, options);
        json.WriteStartObject();
        WriteConfig(json, scores, plainNodes);
        json.WritePropertyName("gradpath");
        FileProvenance.Write(json, scores);
        WriteNodes(json, scores, plainNodes);
        WriteEdges(json, scores);
        more?.Invoke(json);
        json.WriteEndObject();
        json.Flush();
    }

    /// <summary>Reads scores.</summary>
    /// <param name="utf8">The file's bytes.</param>
    /// <param name="source">Its name, for messages.</param>
    /// <returns>The scores.</returns>
    /// <exception cref="GradpathException">The text is not JSON of that form, or not of a whole GPT-2 graph.</exception>
    public static EdgeScores Read(ReadOnlySpan<byte> utf8, string source)
    {
        if (utf8.StartsWith("\uFEFF"u8)) utf8 = utf8[3..];
        try
        {
            utf8 = BareNumbers.Quote(utf8);
            return new EdgeScoresJsonReader(source).Read(utf8);
        }
        catch (JsonException e)
        {
            string reason = Quoted.Reason(e);
            throw new GradpathException(
                $"{source}, line {e.LineNumber + 1}: not JSON that edge scores can be read from: {reason} {Expected}", e);
        }
        catch (InvalidOperationException e)
        {
            // The platform decodes a string when it is asked for; half of a surrogate pair as an escape is valid JSON but no text.
            throw new GradpathException($"{source}: a text is not valid Unicode. {Expected}", e);
        }
    }

    private static void WriteConfig(Utf8JsonWriter json, EdgeScores scores, bool plainNodes)
    {
        json.WriteStartObject("cfg");
        json.WriteNumber("n_layers", scores.Graph.Layers);
        json.WriteNumber("n_heads", scores.Graph.Heads);
        json.WriteBoolean("parallel_attn_mlp", false);
        if (scores.ModelWidth > 0 && !plainNodes) json.WriteNumber("d_model", scores.ModelWidth);
        json.WriteEndObject();
    }

    private static void WriteNodes(Utf8JsonWriter json, EdgeScores scores, bool plainNodes)
    {
        json.WriteStartObject("nodes");
        for (int row = 0; row <= scores.Graph.LogitsNode; row++)
        {
            bool isLogits = row == scores.Graph.LogitsNode;
            bool isIn = isLogits || (!scores.NodesInGraph.IsEmpty && scores.NodesInGraph[row]);
            if (plainNodes)
            {
                json.WriteBoolean(scores.Graph.WriterName(row), isIn);
                continue;
            }
            json.WriteStartObject(scores.Graph.WriterName(row));
            json.WriteBoolean("in_graph", isIn);
            bool isScored = !isLogits && !scores.NodeScores.IsEmpty && !float.IsNaN(scores.NodeScores[row]);
            if (isScored) json.WriteNumber("score", scores.NodeScores[row]);
            json.WriteEndObject();
        }
        json.WriteEndObject();
    }

    private static void WriteEdges(Utf8JsonWriter json, EdgeScores scores)
    {
        ComputationGraph graph = scores.Graph;
        string[] writers = GraphNames.Writers(graph);
        string[] readers = GraphNames.Readers(graph);
        Span<char> name = stackalloc char[64];
        json.WriteStartObject("edges");
        foreach ((int row, int column) in graph.Edges)
        {
            int index = scores.IndexOf(row, column);
            name.TryWrite($"{writers[row]}->{readers[column]}", out int length);
            json.WriteStartObject(name[..length]);
            json.WriteNumber("score", scores.Values[index]);
            json.WriteBoolean("in_graph", !scores.EdgesInGraph.IsEmpty && scores.EdgesInGraph[index]);
            json.WriteEndObject();
            if (json.BytesPending > FlushBytes) json.Flush();
        }
        json.WriteEndObject();
    }
}
