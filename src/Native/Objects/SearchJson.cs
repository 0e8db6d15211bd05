using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Native.Objects;

/// <summary>What a search found and did on the way.</summary>
internal static class SearchJson
{
    /// <summary>All of it.</summary>
    /// <param name="search">The search.</param>
    /// <param name="result">What it gave.</param>
    public static JsonObject Of(CircuitSearch search, SearchResult result)
    {
        JsonObject json = new()
        {
            ["search"] = search.Name,
            ["n_edges"] = result.Circuit.EdgeCount,
            ["n_edges_before_prune"] = result.Circuit.EdgesBeforePrune,
            ["n_nodes"] = result.Circuit.NodeCount,
            ["batch_size"] = result.BatchSize,
            ["passes"] = JsonNumber.Of(result.Passes),
            ["peak_bytes"] = result.PeakDeviceBytes,
            ["gradpath"] = result.Circuit.Provenance?.ToJson(),
        };
        switch (result)
        {
            case AcdcResult acdc:
                json["objective_full"] = JsonNumber.Of(acdc.Full);
                json["objective"] = JsonNumber.Of(acdc.Objective);
                json["n_tested"] = acdc.Effort.Tested;
                break;
            case EdgePruningResult pruning:
                json["draw_kl"] = JsonNumber.Array(pruning.DrawKl);
                json["steps"] = new JsonArray([.. pruning.Log.Select(Step)]);
                break;
            case PathTracingResult paths:
                json["clean_metric"] = JsonNumber.Of(paths.CleanMetric);
                json["rounds"] = new JsonArray([.. paths.Rounds.Select(r => Round(r, result.Circuit.Graph))]);
                break;
        }
        if (result is HybridPruningResult hybrid) json["n_candidates"] = hybrid.Candidates.EdgeCount;
        return json;
    }

    private static JsonObject Step(EdgePruningStep s) => new()
    {
        ["step"] = s.Step,
        ["kl"] = JsonNumber.Of(s.Kl),
        ["edge_target"] = JsonNumber.Of(s.EdgeTarget),
        ["edge_sparsity"] = JsonNumber.Of(s.EdgeSparsity),
    };

    private static JsonObject Round(PathRound round, ComputationGraph graph) => new()
    {
        ["maps"] = new JsonArray([.. round.Maps.Select(m => new JsonObject
        {
            ["kind"] = m.Kind,
            ["receivers"] = Texts.Array(m.Receivers.Select(r => graph.ReaderName(r.Column))),
            ["effects"] = Effects(m, graph),
        })]),
        ["edges"] = new JsonArray([.. round.Edges.Select(e => new JsonObject
        {
            ["sender"] = graph.WriterName(e.Row),
            ["receiver"] = graph.ReaderName(e.Receiver.Column),
            ["positions"] = e.Receiver.Positions.Text,
            ["effect"] = JsonNumber.Of(e.Effect),
        })]),
    };

    private static JsonObject Effects(PathMap map, ComputationGraph graph)
    {
        JsonObject effects = [];
        for (int row = 0; row < map.Effects.Length; row++)
        {
            if (!double.IsNaN(map.Effects[row])) effects[graph.WriterName(row)] = map.Effects[row];
        }
        return effects;
    }
}
