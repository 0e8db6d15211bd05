using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Gradpath.Gpt2Runtime.Transcoders;

/// <summary>
/// A pruned graph in the JSON of circuit-tracer, which its viewer and Neuronpedia open: <c>metadata</c>, <c>qParams</c>, <c>nodes</c>,
/// <c>links</c>. What we add stands under <c>gradpath</c>.
/// </summary>
/// <remarks>
/// An error node is called <c>error_LAYER_POSITION</c> here. The published tool's name for it, <c>0_LAYER_POSITION</c>, is also that of a
/// feature of layer 0.
/// </remarks>
internal static class AttributionGraphJson
{
    private static readonly JsonSerializerOptions s_compact = new();

    /// <summary>Writes a graph; a file that exists is replaced.</summary>
    /// <param name="path">The file.</param>
    /// <param name="graph">The graph.</param>
    /// <param name="text">What it says in words.</param>
    /// <exception cref="GradpathException">The file cannot be written.</exception>
    public static void Write(string path, PrunedGraph graph, GraphText text) => AtomicFile.Write(path, stream =>
    {
        using Utf8JsonWriter json = new(stream, new JsonWriterOptions { Indented = true });
        Of(graph, text).WriteTo(json, s_compact);
    });

    /// <summary>The name of a node.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="node">The node.</param>
    public static string Id(AttributionGraph graph, int node)
    {
        GraphSources sources = graph.Sources;
        if (node >= sources.Count)
            return Name($"{sources.Layers + 1}_{graph.Logits[node - sources.Count].Token}_{sources.Positions - 1}");
        int position = node - sources.Slots.Length;
        if (position >= 0) return Name($"E_{graph.Tokens[position]}_{position}");
        ActiveFeature slot = sources.Slots[node];
        return slot.Feature < 0
            ? Name($"error_{slot.Layer}_{slot.Position}")
            : Name($"{slot.Layer}_{slot.Feature}_{slot.Position}");
    }

    /// <summary>A graph as an object.</summary>
    /// <param name="pruned">The graph.</param>
    /// <param name="text">What it says in words.</param>
    public static JsonObject Of(PrunedGraph pruned, GraphText text)
    {
        AttributionGraph graph = pruned.Graph;
        HashSet<int> linked = [.. pruned.Edges.SelectMany(e => (int[])[e.Source, e.Target])];
        int[] nodes = [.. pruned.Nodes.Where(n => linked.Contains(n) || n >= graph.Sources.Slots.Length)];
        return new JsonObject
        {
            ["metadata"] = new JsonObject
            {
                ["slug"] = text.Slug,
                ["scan"] = text.Scan,
                ["transcoder_list"] = new JsonArray(),
                ["prompt_tokens"] = new JsonArray([.. graph.Tokens.Select(t => (JsonNode)text.Token(t))]),
                ["prompt"] = text.Prompt,
                ["node_threshold"] = pruned.NodeThreshold,
                ["schema_version"] = 1,
            },
            ["qParams"] = new JsonObject
            {
                ["pinnedIds"] = new JsonArray(),
                ["supernodes"] = new JsonArray(),
                ["linkType"] = "both",
                ["clickedId"] = "",
                ["sg_pos"] = "",
            },
            ["nodes"] = new JsonArray([.. nodes.Select(n => Node(pruned, n, text))]),
            ["links"] = new JsonArray([.. pruned.Edges.Select(e => new JsonObject
            {
                ["source"] = Id(graph, e.Source),
                ["target"] = Id(graph, e.Target),
                ["weight"] = e.Weight,
            })]),
            ["gradpath"] = Made(pruned),
        };
    }

    private static JsonObject Made(PrunedGraph pruned)
    {
        JsonObject made = pruned.Graph.Provenance?.ToJson() ?? [];
        made["edge_threshold"] = pruned.EdgeThreshold;
        made["replacement_score"] = pruned.Replacement;
        made["completeness_score"] = pruned.Completeness;
        made["layers"] = new JsonArray([.. pruned.Graph.Fits.Select(f => new JsonObject
        {
            ["layer"] = f.Layer,
            ["features"] = f.Features,
            ["active"] = f.Active,
            ["l0"] = f.L0,
            ["fvu"] = double.IsFinite(f.UnexplainedVariance) ? f.UnexplainedVariance : null,
        })]);
        return made;
    }

    private static JsonObject Node(PrunedGraph pruned, int node, GraphText text)
    {
        AttributionGraph graph = pruned.Graph;
        GraphSources sources = graph.Sources;
        JsonObject json = new() { ["node_id"] = Id(graph, node) };
        if (node >= sources.Count)
        {
            GraphLogit logit = graph.Logits[node - sources.Count];
            string token = text.Token(logit.Token), probability = logit.Probability.ToString("0.000", CultureInfo.InvariantCulture);
            return Finish(json, new(logit.Token, Name($"{sources.Layers + 1}"), sources.Positions - 1, "logit",
                Name($"L_{logit.Token}-{sources.Positions - 1}"))
            {
                Probability = logit.Probability,
                IsTarget = node == sources.Count,
                Label = $"Output \"{token}\" (p={probability})",
            });
        }
        int position = node - sources.Slots.Length;
        if (position >= 0)
        {
            int token = graph.Tokens[position];
            return Finish(json, new(position, "E", position, "embedding", Name($"E_{token}-{position}"))
            {
                Influence = pruned.Influence[node],
                Label = $"Emb: \"{text.Token(token)}\"",
            });
        }
        ActiveFeature slot = sources.Slots[node];
        string layer = Name($"{slot.Layer}");
        return slot.Feature < 0
            ? Finish(json, new(-1, layer, slot.Position, "mlp reconstruction error", Name($"{slot.Layer}_{slot.Position}-0"))
            {
                Influence = pruned.Influence[node],
                Label = Name($"Error: MLP {slot.Layer}"),
            })
            : Finish(json, new(Pair(slot.Layer, slot.Feature), layer, slot.Position, "cross layer transcoder",
                Name($"{slot.Layer}_{slot.Feature}-0"))
            {
                Influence = pruned.Influence[node],
                Activation = slot.Activation,
            });
    }

    private static JsonObject Finish(JsonObject json, Facts f)
    {
        json["feature"] = f.Feature;
        json["layer"] = f.Layer;
        json["ctx_idx"] = f.Position;
        json["feature_type"] = f.Type;
        json["token_prob"] = f.Probability;
        json["is_target_logit"] = f.IsTarget;
        json["run_idx"] = 0;
        json["reverse_ctx_idx"] = 0;
        json["jsNodeId"] = f.ScriptId;
        json["clerp"] = f.Label;
        json["influence"] = f.Influence;
        json["activation"] = f.Activation;
        return json;
    }

    // Cantor's pairing, by which viewers find a feature's page.
    private static long Pair(long x, long y) => ((x + y) * (x + y + 1) / 2) + y;

    private static string Name(FormattableString name) => FormattableString.Invariant(name);

    private sealed record Facts(long Feature, string Layer, int Position, string Type, string ScriptId)
    {
        public double Probability { get; init; }

        public bool IsTarget { get; init; }

        public string Label { get; init; } = "";

        public double? Influence { get; init; }

        public float? Activation { get; init; }
    }
}
