using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Checkpoints;

namespace Gradpath.Gpt2Runtime.Graph;

/// <summary>
/// A file of scores per prompt pair: safetensors with the tensor <c>edges_scores_per_item</c> [N, F, K], float32 or float16, and the
/// metadata of a file of scores, with the pairs' labels (<c>labels</c>, a JSON array of N texts or nulls) where there are any. A file of
/// some edges has that tensor as [N, E], and <c>edges_in_graph</c> [F, K] uint8 says which they are, in its order. Opening reads no scores;
/// they are read pair by pair.
/// </summary>
public sealed class ItemScoresFile : IDisposable
{
    private const string Scores = "edges_scores_per_item";
    private const string EdgesIn = "edges_in_graph";

    private readonly SafetensorsFile _file;
    private readonly SafetensorsEntry _entry;
    private readonly byte[] _bytes;
    private readonly float[] _values;
    private readonly int[] _places;

    private ItemScoresFile(SafetensorsFile file)
    {
        _file = file;
        _entry = file.Require(Scores);
        if (_entry.Dtype is not ("F32" or "F16"))
        {
            throw new GradpathException($"{file.Path}: tensor '{Scores}' is of type {Quoted.Name(_entry.Dtype)[1..^1]}; F32 or F16 is "
                + "expected");
        }
        bool some = file.Entries.ContainsKey(EdgesIn);
        (Graph, ModelWidth) = EdgeScoresSafetensors.ReadGraph(file, (writers, readers) =>
        {
            bool fits = _entry.Shape is [> 0 and <= int.MaxValue, .. var rest]
                && (some ? rest is [> 0] && rest[0] <= (Int128)writers * readers : rest.SequenceEqual([writers, readers]));
            if (!fits)
            {
                throw new GradpathException($"{file.Path}: tensor '{Scores}' has shape {_entry.ShapeText}; "
                    + $"{(some ? "[N, E]" : $"[N, {writers}, {readers}]")} with at least one prompt pair is expected");
            }
        });
        Items = (int)_entry.Shape[0];
        Edges = some ? ReadEdges(file) : [.. Graph.Edges];
        _places = [.. Edges.Select((e, i) => some ? i : (e.Row * Graph.Readers) + e.Column)];
        _bytes = new byte[_entry.Bytes / Items];
        _values = new float[some ? Edges.Count : Graph.Writers * Graph.Readers];
        Provenance = file.Metadata.TryGetValue("gradpath", out string? json)
            ? JsonFile.Parse($"{file.Path}: 'gradpath' in its metadata", Encoding.UTF8.GetBytes(json), root =>
                Provenance.FromJson(root, file.Path))
            : null;
        Labels = file.Metadata.TryGetValue("labels", out string? labels)
            ? JsonFile.Parse($"{file.Path}: 'labels' in its metadata", Encoding.UTF8.GetBytes(labels), root =>
                ReadLabels(root, Items, $"{file.Path}: 'labels' in its metadata"))
            : [];
    }

    /// <summary>The graph that the scores belong to.</summary>
    public ComputationGraph Graph { get; }

    /// <summary>Width D of the model's residual stream; 0 where it is not known.</summary>
    public int ModelWidth { get; }

    /// <summary>The edges that have scores, row by row: all of the graph, or those that were asked for.</summary>
    public IReadOnlyList<(int Row, int Column)> Edges { get; }

    /// <summary>Number of prompt pairs N.</summary>
    public int Items { get; }

    /// <summary>The prompt pairs' labels, such as <c>template=5;names=Evan,Oliver</c>; empty where the file has none.</summary>
    public IReadOnlyList<string?> Labels { get; }

    /// <summary>How the scores were made; null where the file does not say.</summary>
    public Provenance? Provenance { get; }

    /// <summary>Opens a file.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The file; dispose of it to close it.</returns>
    /// <exception cref="GradpathException">The file cannot be read, or holds no scores per prompt pair.</exception>
    public static ItemScoresFile Open(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        var file = SafetensorsFile.Open(path);
        try
        {
            return new ItemScoresFile(file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Reads the scores of a prompt pair.</summary>
    /// <param name="item">The pair, from 0.</param>
    /// <param name="scores">One per edge of <see cref="Edges"/>: filled.</param>
    /// <exception cref="GradpathException">The file cannot be read, or a score is not a number.</exception>
    public void Read(int item, Span<float> scores)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(item);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(item, Items);
        ArgumentOutOfRangeException.ThrowIfNotEqual(scores.Length, Edges.Count);
        _file.Read(_entry, (long)item * _bytes.Length, _bytes);
        FloatConversion.ToSingle(_entry.Dtype, _bytes, _values);
        foreach (float score in _values)
        {
            if (!float.IsFinite(score))
                throw new GradpathException($"{_file.Path}: a score of prompt pair {item + 1} is not a finite number");
        }
        for (int e = 0; e < scores.Length; e++) scores[e] = _values[_places[e]];
    }

    /// <inheritdoc />
    public void Dispose() => _file.Dispose();

    /// <summary>Writes a file while its scores are made.</summary>
    /// <param name="path">The file; one that exists is replaced, and only by a whole one.</param>
    /// <param name="half">Whether scores are kept as float16.</param>
    /// <param name="items">Number of prompt pairs.</param>
    /// <param name="graph">The graph.</param>
    /// <param name="width">Width of the residual stream.</param>
    /// <param name="provenance">How the scores are made.</param>
    /// <param name="labels">The pairs' labels; null for none.</param>
    /// <param name="edges">The edges whose scores are kept, at least one; null for all.</param>
    /// <param name="work">Makes the scores and hands over those of each pair in order.</param>
    internal static void Write(
        string path, bool half, int items, ComputationGraph graph, int width, Provenance provenance, IReadOnlyList<string?>? labels,
        Circuit? edges, Action<Taker> work)
    {
        SafetensorsWriter file = new();
        JsonObject config =
            new() { ["n_layers"] = graph.Layers, ["n_heads"] = graph.Heads, ["parallel_attn_mlp"] = false, ["d_model"] = width };
        file.AddMetadata("cfg", config.ToJsonString());
        file.AddMetadata("src_nodes", GraphNames.Json(GraphNames.Writers(graph)));
        file.AddMetadata("dst_nodes", GraphNames.Json(GraphNames.Readers(graph)));
        file.AddMetadata("gradpath", provenance.ToJson().ToJsonString());
        if (labels is not null) file.AddMetadata("labels", GraphNames.Json(labels));
        // By place, not by score.
        bool[] kept = edges?.Membership.ToArray() ?? [];
        int[] cells = [.. Enumerable.Range(0, kept.Length).Where(i => kept[i])];
        if (edges is not null)
            file.Add(EdgesIn, Array.ConvertAll(kept, k => k ? (byte)1 : (byte)0), graph.Writers, graph.Readers);
        file.Add(Scores, half, edges is null ? [items, graph.Writers, graph.Readers] : [items, cells.Length], stream =>
        {
            var picked = new float[cells.Length];
            var rounded = new Half[!half ? 0 : edges is null ? graph.Writers * graph.Readers : cells.Length];
            int done = 0;
            work(all =>
            {
                done++;
                for (int i = 0; i < picked.Length; i++) picked[i] = all[cells[i]];
                ReadOnlySpan<float> scores = edges is null ? all : picked;
                if (!half)
                {
                    stream.Write(MemoryMarshal.AsBytes(scores));
                    return;
                }
                for (int i = 0; i < scores.Length; i++) rounded[i] = (Half)scores[i];
                if (Array.Exists(rounded, Half.IsInfinity))
                {
                    Term single = Terms.ItemType.With("f32");
                    throw GradpathException.Worded(
                        $"{path}: a score of prompt pair {done} is too large for float16; keep scores as float32 ({single}).");
                }
                stream.Write(MemoryMarshal.AsBytes(rounded.AsSpan()));
            });
            if (done != items) throw new InvalidOperationException($"{done} of {items} prompt pairs have scores");
        });
        file.Write(path);
    }

    private (int Row, int Column)[] ReadEdges(SafetensorsFile file)
    {
        bool[] flags = EdgeScoresSafetensors.ReadFlags(file, EdgesIn, Graph.Writers, Graph.Readers);
        (int Row, int Column)[] edges =
            [.. Enumerable.Range(0, flags.Length).Where(i => flags[i]).Select(i => Math.DivRem(i, Graph.Readers))];
        foreach ((int row, int column) in edges)
        {
            if (!Graph.IsEdge(row, column))
            {
                throw new GradpathException(
                    $"{file.Path}: {Graph.WriterName(row)} does not feed {Graph.ReaderName(column)}, yet the file has an edge there");
            }
        }
        if (edges.Length != _entry.Shape[1])
        {
            throw new GradpathException(
                $"{file.Path}: tensor '{Scores}' has scores of {_entry.Shape[1]} edges, but '{EdgesIn}' names {edges.Length}");
        }
        return edges;
    }

    private static string?[] ReadLabels(JsonElement root, int items, string where)
    {
        if (root.ValueKind != JsonValueKind.Array || root.GetArrayLength() != items)
            throw new GradpathException($"{where}: an array of {items} labels is expected, one per prompt pair");
        return [.. root.EnumerateArray().Select(label => label.ValueKind switch
        {
            JsonValueKind.Null => null,
            JsonValueKind.String => label.GetString(),
            _ => throw new GradpathException($"{where}: a label is {JsonFile.Shown(label)}; a text or null is expected"),
        })];
    }

    /// <summary>Takes the scores of one prompt pair.</summary>
    /// <param name="scores">[F, K] row-major.</param>
    internal delegate void Taker(ReadOnlySpan<float> scores);
}
