using System.Text;
using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Graph.Exchange;
using Gradpath.Gpt2Runtime.Positions;

namespace Gradpath.Fuzz.Tests;

/// <summary>Files of scores and circuits, and of classes of nodes.</summary>
internal static class GraphReaders
{
    private static readonly ComputationGraph s_graph = new(2, 2);

    /// <summary>The readers.</summary>
    public static IReadOnlyList<FuzzReader> All { get; } =
    [
        Scores("scores-json", "scores.json"),
        Scores("scores-safetensors", "scores.safetensors"),
        new("item-scores", "items.safetensors", folder =>
        {
            EdgeScores scores = Sample();
            byte[] Written(Circuit? edges)
            {
                string path = Path.Combine(folder, "items.safetensors");
                ItemScoresFile.Write(path, false, 3, s_graph, 4, scores.Provenance!, ["template=1;noun=a", null, "b"], edges, take =>
                {
                    for (int i = 0; i < 3; i++) take(scores.Values);
                });
                return File.ReadAllBytes(path);
            }
            return new FuzzTarget([Written(null), Written(Chosen())], path =>
            {
                using var file = ItemScoresFile.Open(path);
                float[] values = new float[file.Edges.Count];
                for (int i = 0; i < file.Items; i++) file.Read(i, values);
            })
            { HasHeader = true };
        }),
        Circuits("circuit-json", "circuit.json"),
        Circuits("circuit-safetensors", "circuit.safetensors"),
        Positions("positions-json", "circuit.json"),
        Positions("positions-safetensors", "circuit.safetensors"),
        Lists("edges-csv", "csv"),
        Lists("edges-acdc", "acdc"),
        Lists("edges-auto-circuit", "auto-circuit"),
        Lists("graph-circuit-tracer", "circuit-tracer"),
        new("node-classes", "classes.json", _ =>
        {
            Circuit circuit = Chosen();
            return new FuzzTarget(
                ["""{"name movers": ["a1.h0", "a1.h1"], "others": ["m0", "input"], "none": []}"""u8.ToArray()],
                path => NodeSets.ReadClasses(path, circuit));
        }),
    ];

    /// <summary>Scores with everything that a file may hold.</summary>
    public static EdgeScores Sample()
    {
        SplitMix64 random = new(3);
        float[] values = new float[s_graph.Writers * s_graph.Readers];
        foreach ((int row, int column) in s_graph.Edges) values[(row * s_graph.Readers) + column] = (random.Below(1000) / 1000f) - 0.5f;
        return new EdgeScores(s_graph, values)
        {
            NodeScores = [.. Enumerable.Range(0, s_graph.Writers).Select(i => i * 0.25f)],
            ModelWidth = 4,
            Provenance = new Provenance
            {
                Version = "1",
                Model = "m",
                ModelHash = "sha256:0",
                Method = "eap-ig",
                Options = new JsonObject { ["steps"] = 5, ["list"] = new JsonArray(1, "a") },
                BatchSize = 4,
                Seed = 3,
                Items = 10,
                Created = new DateTime(2025, 1, 2, 3, 4, 5, DateTimeKind.Utc),
            },
        };
    }

    private static Circuit Chosen() => CircuitSelection.Greedy(Sample(), 12);

    private static FuzzReader Scores(string name, string file) => new(name, file, folder =>
    {
        string path = Path.Combine(folder, file);
        Sample().Save(path);
        List<byte[]> samples = [File.ReadAllBytes(path)];
        if (file.EndsWith(".json", StringComparison.Ordinal)) samples.Add(Library());
        return new FuzzTarget(samples, path =>
        {
            EdgeScores scores = EdgeScores.Load(path);
            scores.Rank(scores.Graph.EdgeCount);
            EdgeScoresJson.Write(Stream.Null, scores);
        })
        { HasHeader = file.EndsWith(".safetensors", StringComparison.Ordinal) };
    });

    private static FuzzReader Circuits(string name, string file) => new(name, file, folder =>
    {
        string path = Path.Combine(folder, file);
        Chosen().Save(path);
        return new FuzzTarget([File.ReadAllBytes(path)], path =>
        {
            Circuit circuit = CircuitPruning.Prune(Circuit.Load(path));
            if (circuit.Scores is { } scores) EdgeScoresJson.Write(Stream.Null, scores);
        })
        { HasHeader = file.EndsWith(".safetensors", StringComparison.Ordinal) };
    });

    private static FuzzReader Positions(string name, string file) => new(name, file, folder =>
    {
        var graph = new PositionalGraph(s_graph, ["a", "b", "end"], [(0, 1), (0, 2), (1, 2)]);
        SplitMix64 random = new(4);
        float[] values = new float[graph.Cells];
        foreach (PositionalEdge edge in graph.Edges) values[graph.IndexOf(edge)] = (random.Below(1000) / 1000f) - 0.5f;
        var scores = new PositionalScores(graph, values) { ModelWidth = 4, Provenance = Sample().Provenance };
        string path = Path.Combine(folder, file);
        PositionalSelection.Greedy(scores, 30).Save(path);
        return new FuzzTarget([File.ReadAllBytes(path)], path => PositionalSelection.Prune(PositionalCircuit.Load(path)))
        { HasHeader = file.EndsWith(".safetensors", StringComparison.Ordinal) };
    });

    private static FuzzReader Lists(string name, string kind) => new(name, $"graph{GraphKinds.Find(kind)!.Ending}", folder =>
    {
        GraphKind row = GraphKinds.Find(kind)!;
        GraphShape shape = new(s_graph.Layers, s_graph.Heads);
        byte[] Written(EdgeScores scores)
        {
            string path = Path.Combine(folder, $"sample{row.Ending}");
            row.Write(path, [scores]);
            return File.ReadAllBytes(path);
        }
        EdgeScores circuit = CircuitFile.Marked(Chosen());
        EdgeScores alone = CircuitFile.Marked(new Circuit(s_graph, circuit.EdgesInGraph));
        return new FuzzTarget([Written(circuit), Written(alone)], path =>
        {
            foreach (EdgeScores scores in row.Read(path, shape)) EdgeScoresJson.Write(Stream.Null, scores);
        });
    });

    // As the EAP-IG library writes it, with what was not scored.
    private static byte[] Library()
    {
        StringBuilder json = new("""{"cfg": {"n_layers": 2, "n_heads": 2, "parallel_attn_mlp": false, "d_model": 4}, "nodes": {""");
        json.AppendJoin(", ", Enumerable.Range(0, s_graph.Writers + 1).Select(
            row => $$"""{{'"'}}{{s_graph.WriterName(row)}}": {"in_graph": true, "score": NaN, "neurons_scores": [NaN, -Infinity, 0.5]}"""));
        json.Append("}, \"edges\": {").AppendJoin(", ", s_graph.Edges.Select(
            e => $$"""{{'"'}}{{s_graph.EdgeName(e.Row, e.Column)}}": {"score": -1.5e-07, "in_graph": false}"""));
        return Encoding.UTF8.GetBytes(json.Append("}}").ToString());
    }
}
