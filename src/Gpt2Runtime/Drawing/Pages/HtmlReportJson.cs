using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Gpt2Runtime.Drawing;

/// <summary>
/// The data of a page: scores as base64 of little-endian float32, one per edge in the order of the flat index (pairs that are no edge
/// are left out), circuits as base64 of one bit per edge, lowest bit first. The writer escapes &lt;, &gt; and &amp; in all text, so nothing
/// in it can end the element that the data stands in.
/// </summary>
internal static class HtmlReportJson
{
    /// <summary>The JSON text.</summary>
    public static string Of(ReportData data)
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter json = new(stream))
        {
            json.WriteStartObject();
            json.WriteString("view", data.GraphOnly ? "graph" : "report");
            json.WriteString("selection", data.StartWithCircuit ? "file" : "top");
            json.WriteNumber("top", data.Top);
            json.WriteNumber("layers", data.Graph.Layers);
            json.WriteNumber("heads", data.Graph.Heads);
            WritePairs(json, "facts", data.Facts);
            json.WriteStartArray("methods");
            foreach (ReportMethod method in data.Methods) WriteMethod(json, method);
            json.WriteEndArray();
            json.WriteStartArray("logs");
            foreach (TrainingLog log in data.Logs)
            {
                json.WriteStartObject();
                json.WriteString("name", log.Name);
                WriteTraining(json, log.Steps);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(stream.GetBuffer(), 0, (int)stream.Length);
    }

    private static void WriteMethod(Utf8JsonWriter json, ReportMethod method)
    {
        EdgeScores scores = method.Scores;
        int[] edges = [.. EdgeIndices(scores.Graph)];
        json.WriteStartObject();
        json.WriteString("name", method.Name);
        WritePairs(json, "provenance", ProvenanceFacts.Of(scores.Provenance));
        json.WriteBase64String("scores", Bytes(Array.ConvertAll(edges, e => scores.EdgeAt(e).Score)));
        if (!scores.NodeScores.IsEmpty) json.WriteBase64String("nodeScores", Bytes(scores.NodeScores));
        if (!scores.EdgesInGraph.IsEmpty) json.WriteBase64String("circuit", Bits(edges, scores.EdgesInGraph));
        if (method.EmbeddingPath is { Count: > 0 } path) WriteEmbeddingPath(json, path);
        if (method.Curve is { Count: > 0 } curve) WriteCurve(json, curve);
        if (method.Training is { Count: > 0 } training) WriteTraining(json, training);
        json.WriteEndObject();
    }

    private static void WriteEmbeddingPath(Utf8JsonWriter json, IReadOnlyList<EmbeddingPathPoint> path)
    {
        json.WriteStartArray("path");
        foreach (EmbeddingPathStepSummary step in EmbeddingPathStepSummary.Of(path))
        {
            json.WriteStartObject();
            json.WriteNumber("step", step.Step);
            json.WriteNumber("items", step.Items);
            WriteBand(json, "norm", step.GradientNorm);
            WriteBand(json, "distance", step.OutputDistance);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void WriteBand(Utf8JsonWriter json, string name, MeanWithBand band)
    {
        json.WriteStartArray(name);
        json.WriteNumberValue(band.Mean);
        WriteNumberOrNull(json, band.Low);
        WriteNumberOrNull(json, band.High);
        json.WriteEndArray();
    }

    private static void WriteCurve(Utf8JsonWriter json, IReadOnlyList<CurvePoint> curve)
    {
        json.WriteStartArray("curve");
        foreach (CurvePoint point in curve.OrderBy(p => p.Fraction))
        {
            json.WriteStartObject();
            json.WriteNumber("fraction", point.Fraction);
            json.WriteNumber("edges", point.Edges);
            json.WriteNumber("edgesAfterPrune", point.EdgesAfterPrune);
            json.WriteNumber("faithfulness", point.Faithfulness);
            json.WritePropertyName("low");
            WriteNumberOrNull(json, point.Low);
            json.WritePropertyName("high");
            WriteNumberOrNull(json, point.High);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void WriteTraining(Utf8JsonWriter json, IReadOnlyList<EdgePruningStep> training)
    {
        json.WriteStartArray("training");
        foreach (TrainingWindow window in TrainingWindow.Of(training))
        {
            json.WriteStartObject();
            json.WriteNumber("from", window.From);
            json.WriteNumber("to", window.To);
            json.WriteNumber("kl", window.Kl);
            json.WriteNumber("loss", window.Loss);
            json.WriteNumber("target", window.Target);
            json.WriteNumber("sparsity", window.Sparsity);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void WriteNumberOrNull(Utf8JsonWriter json, double? value)
    {
        if (value is { } number) json.WriteNumberValue(number);
        else json.WriteNullValue();
    }

    private static void WritePairs(Utf8JsonWriter json, string name, IEnumerable<KeyValuePair<string, string>> pairs)
    {
        json.WriteStartArray(name);
        foreach ((string key, string value) in pairs)
        {
            json.WriteStartArray();
            json.WriteStringValue(key);
            json.WriteStringValue(value);
            json.WriteEndArray();
        }
        json.WriteEndArray();
    }

    private static IEnumerable<int> EdgeIndices(ComputationGraph graph)
    {
        for (int row = 0; row < graph.Writers; row++)
        {
            for (int column = 0; column < graph.Readers; column++)
            {
                if (graph.IsEdge(row, column)) yield return row * graph.Readers + column;
            }
        }
    }

    private static byte[] Bytes(ReadOnlySpan<float> values)
    {
        if (!BitConverter.IsLittleEndian) throw new PlatformNotSupportedException("big-endian machines are not supported");
        return MemoryMarshal.AsBytes(values).ToArray();
    }

    private static byte[] Bits(int[] edges, ReadOnlySpan<bool> circuit)
    {
        byte[] bits = new byte[(edges.Length + 7) / 8];
        for (int i = 0; i < edges.Length; i++)
        {
            if (circuit[edges[i]]) bits[i / 8] |= (byte)(1 << (i % 8));
        }
        return bits;
    }
}
