using System.Globalization;
using System.Text.Json;

namespace Gradpath.Gpt2Runtime.Graph.Exchange;

/// <summary>
/// Edges by ACDC's names as a JSON array. An entry is <c>[reader's hook, index, writer's hook, index]</c>, as ACDC's own tuples are, or
/// such an entry with an effect behind it, <c>[[...], 0.1]</c>, as its <c>save_edges</c> pairs them.
/// </summary>
internal static class AcdcFile
{
    /// <summary>Reads scores or a circuit. Edges inside of heads and MLPs, which are none here, are passed over.</summary>
    /// <param name="path">The file.</param>
    /// <param name="shape">The model's shape, where the file does not have all edges.</param>
    /// <exception cref="GradpathException">The file cannot be read, or an entry is no edge.</exception>
    public static EdgeScores Read(string path, GraphShape shape)
    {
        (List<EdgeEntry> entries, bool hasScores, int? last) = JsonFile.Read(path, root => Entries(path, root));
        EdgeScores scores = EdgeList.Build(path, shape with { Layers = shape.Layers ?? last + 1 }, entries, hasScores);
        return last is null || scores.Graph.Layers == last + 1 ? scores : throw new GradpathException(
            $"{path}: blocks.{last}.hook_resid_post stands for the logits of {last + 1} layers, and the model has {scores.Graph}.");
    }

    /// <summary>Writes the circuit, or all edges where none is marked; a file that exists is replaced, and only by a whole one.</summary>
    /// <param name="path">The file.</param>
    /// <param name="scores">What to write.</param>
    public static void Write(string path, EdgeScores scores) => AtomicFile.Write(path, stream =>
    {
        bool scored = !GraphContent.IsCircuitAlone(scores);
        using Utf8JsonWriter json = new(stream);
        json.WriteStartArray();
        foreach ((int row, int column) in GraphContent.Edges(scores))
        {
            if (scored) json.WriteStartArray();
            (string reader, int? readerHead, string writer, int? writerHead) = AcdcNames.Of(scores.Graph, row, column);
            json.WriteStartArray();
            json.WriteStringValue(reader);
            WriteIndex(json, readerHead);
            json.WriteStringValue(writer);
            WriteIndex(json, writerHead);
            json.WriteEndArray();
            if (!scored) continue;
            json.WriteNumberValue(scores[row, column]);
            json.WriteEndArray();
        }
        json.WriteEndArray();
    });

    private static void WriteIndex(Utf8JsonWriter json, int? head)
    {
        json.WriteStartArray();
        json.WriteNullValue();
        if (head is { } number)
        {
            json.WriteNullValue();
            json.WriteNumberValue(number);
        }
        json.WriteEndArray();
    }

    private static (List<EdgeEntry> Entries, bool HasScores, int? LastLayer) Entries(string path, JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Array)
            throw new GradpathException($"{path}: a JSON array of ACDC's edges is needed; it is {JsonFile.Shown(root)}.");
        List<EdgeEntry> entries = [];
        bool hasScores = false;
        int? last = null;
        int number = 0;
        foreach (JsonElement element in root.EnumerateArray())
        {
            string where = string.Create(CultureInfo.InvariantCulture, $"{path}, entry {++number}");
            (JsonElement edge, float? score, bool scored) = Scored(where, element);
            hasScores |= scored;
            if (edge.ValueKind != JsonValueKind.Array || edge.GetArrayLength() != 4
                || edge[0].ValueKind != JsonValueKind.String || edge[2].ValueKind != JsonValueKind.String)
                throw new GradpathException($"{where}: is {JsonFile.Shown(edge)}; [reader's hook, index, writer's hook, index] is needed.");
            string reader = edge[0].GetString()!;
            string? name = AcdcNames.Parse(
                reader, Head(where, edge[1]), edge[2].GetString()!, Head(where, edge[3]), out string? lack);
            if (lack is not null) throw new GradpathException($"{where}: {lack}.");
            if (name is null) continue;
            if (AcdcNames.LastLayer(reader) is { } layer)
            {
                if (last is not null && last != layer)
                    throw new GradpathException($"{where}: {reader} stands for the logits, and another layer's did so before.");
                last = layer;
            }
            entries.Add(new EdgeEntry(where, name, score));
        }
        return (entries, hasScores, last);
    }

    private static (JsonElement Edge, float? Score, bool IsScored) Scored(string where, JsonElement element)
    {
        if (element.ValueKind != JsonValueKind.Array || element.GetArrayLength() != 2) return (element, null, false);
        return (element[0], element[1].ValueKind switch
        {
            JsonValueKind.Null => null,
            JsonValueKind.Number => element[1].TryGetSingle(out float value) ? value : float.PositiveInfinity,
            _ => throw new GradpathException($"{where}: the effect is {JsonFile.Shown(element[1])}; a number or null is needed."),
        }, true);
    }

    private static int? Head(string where, JsonElement index)
    {
        if (index.ValueKind == JsonValueKind.Array && index.GetArrayLength() < 3) return null;
        if (index.ValueKind == JsonValueKind.Array && index[2].ValueKind == JsonValueKind.Number
            && index[2].TryGetInt32(out int head) && head >= 0)
            return head;
        throw new GradpathException($"{where}: an index is {JsonFile.Shown(index)}; [null] or one such as [null, null, 3] is needed.");
    }
}
