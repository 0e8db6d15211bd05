using System.Text.Json;

namespace Gradpath.Gpt2Runtime.Graph;

/// <summary>
/// Reads what <see cref="EdgeScoresJson"/> and the versions of the EAP-IG library write. <c>cfg</c> is read first, wherever it
/// stands in the file: names mean nothing without it. Edge names are parsed in place; nothing is allocated per edge.
/// </summary>
internal sealed class EdgeScoresJsonReader(string source)
{
    private ComputationGraph _graph = null!;
    private readonly char[] _name = new char[64];
    private int _width;

    public EdgeScores Read(Utf8JsonReader json)
    {
        Utf8JsonReader config = default, nodes = default, edges = default;
        Provenance? provenance = null;
        bool? hasCircuit = null;
        bool hasConfig = false, hasNodes = false, hasEdges = false;

        json.Read();
        Expect(ref json, JsonTokenType.StartObject, "the file", "an object with \"cfg\", \"nodes\" and \"edges\"");
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals("cfg")) Keep(ref json, ref config, ref hasConfig);
            else if (json.ValueTextEquals("nodes")) Keep(ref json, ref nodes, ref hasNodes);
            else if (json.ValueTextEquals("edges")) Keep(ref json, ref edges, ref hasEdges);
            else if (json.ValueTextEquals("gradpath"))
            {
                using JsonDocument document = JsonDocument.ParseValue(ref json);
                (provenance, hasCircuit) = FileProvenance.Read(document.RootElement, source);
            }
            else json.Skip();
        }
        json.Read();
        string missing = string.Join(", ", new[] { hasConfig ? null : "cfg", hasNodes ? null : "nodes", hasEdges ? null : "edges" }
            .Where(key => key is not null).Select(key => $"\"{key}\""));
        if (missing.Length > 0) throw new GradpathException($"{source}: no {missing}; expected the EAP-IG library's JSON of edge scores.");

        ReadConfig(ref config);
        (bool[] nodesIn, float[]? nodeScores) = ReadNodes(ref nodes);
        (float[] values, bool[] edgesIn) = ReadEdges(ref edges);
        bool circuit = hasCircuit ?? (nodesIn.Contains(true) || edgesIn.Contains(true));
        return new EdgeScores(_graph, values)
        {
            NodeScores = nodeScores,
            NodesInGraph = circuit ? nodesIn : null,
            EdgesInGraph = circuit ? edgesIn : null,
            ModelWidth = _width,
            Provenance = provenance,
        };
    }

    // Remembers where a value starts and moves past it.
    private void Keep(ref Utf8JsonReader json, ref Utf8JsonReader at, ref bool seen)
    {
        if (seen) throw new GradpathException($"{source}: the key \"{json.GetString()}\" appears twice.");
        seen = true;
        string key = json.GetString()!;
        json.Read();
        Expect(ref json, JsonTokenType.StartObject, $"\"{key}\"", "an object");
        at = json;
        json.Skip();
    }

    private void ReadConfig(ref Utf8JsonReader json)
    {
        int layers = 0, heads = 0;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            string key = json.GetString()!;
            json.Read();
            if (key == "n_layers") layers = Whole(ref json, key);
            else if (key == "n_heads") heads = Whole(ref json, key);
            else if (key == "d_model" && json.TokenType != JsonTokenType.Null) _width = Whole(ref json, key);
            else if (key == "parallel_attn_mlp" && json.TokenType == JsonTokenType.True)
                throw new GradpathException($"{source}: the scores belong to a model whose MLPs run beside attention (parallel_attn_mlp); "
                    + "GPT-2 has none of these.");
            else json.Skip();
        }
        if (layers == 0 || heads == 0) throw new GradpathException($"{source}: \"cfg\" must state n_layers and n_heads.");
        // Wider than any GPT-2; keeps a wrong number from asking for all memory.
        if (layers > 1000 || heads > 1000) throw new GradpathException($"{source}: {layers} layers x {heads} heads is not a GPT-2 model.");
        _graph = new ComputationGraph(layers, heads);
    }

    private (bool[] InGraph, float[]? Scores) ReadNodes(ref Utf8JsonReader json)
    {
        bool[] inGraph = new bool[_graph.Writers];
        float[]? scores = null;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            ReadOnlySpan<char> name = Name(ref json);
            bool isLogits = name is "logits";
            int row = 0;
            if (!isLogits && !_graph.TryParseWriter(name, out row)) throw Unknown("node", name);
            json.Read();
            bool isIn = false;
            if (json.TokenType == JsonTokenType.StartObject)
            {
                float? score = ReadEntry(ref json, name, out isIn);
                if (score is { } s && !isLogits) (scores ??= new float[_graph.Writers])[row] = s;
            }
            else isIn = Flag(ref json, name);
            if (!isLogits) inGraph[row] = isIn;
        }
        return (inGraph, scores);
    }

    private (float[] Values, bool[] InGraph) ReadEdges(ref Utf8JsonReader json)
    {
        float[] values = new float[_graph.Writers * _graph.Readers];
        bool[] inGraph = new bool[values.Length];
        bool[] seen = new bool[values.Length];
        int count = 0;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            ReadOnlySpan<char> name = Name(ref json);
            if (!_graph.TryParseEdge(name, out int row, out int column)) throw Unknown("edge", name);
            int index = row * _graph.Readers + column;
            if (seen[index]) throw new GradpathException($"{source}: the edge {name} appears twice.");
            seen[index] = true;
            count++;
            json.Read();
            // Not Expect: it would make a string per edge.
            if (json.TokenType != JsonTokenType.StartObject) throw Wrong($"edge {name}", "an object with \"score\" and \"in_graph\"");
            values[index] = ReadEntry(ref json, name, out inGraph[index]) ?? 0;
        }
        if (count == _graph.EdgeCount) return (values, inGraph);
        foreach ((int row, int column) in _graph.Edges)
        {
            if (!seen[row * _graph.Readers + column])
                throw new GradpathException(
                    $"{source}: {count} edges of {_graph.EdgeCount}; the first one missing is {_graph.EdgeName(row, column)}.");
        }
        return (values, inGraph);
    }

    // {"score": number or null, "in_graph": bool, ...}
    private float? ReadEntry(ref Utf8JsonReader json, scoped ReadOnlySpan<char> name, out bool inGraph)
    {
        float? score = null;
        inGraph = false;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals("score"))
            {
                json.Read();
                if (json.TokenType == JsonTokenType.Null) continue;
                if (json.TokenType != JsonTokenType.Number) throw Wrong($"the score of {name}", "a number");
                score = json.GetSingle();
                if (!float.IsFinite(score.Value)) throw new GradpathException($"{source}: the score of {name} is beyond float32.");
            }
            else if (json.ValueTextEquals("in_graph"))
            {
                json.Read();
                inGraph = Flag(ref json, name);
            }
            else json.Skip();
        }
        return score;
    }

    private int Whole(ref Utf8JsonReader json, string key) =>
        json.TokenType == JsonTokenType.Number && json.TryGetInt32(out int value) && value > 0
            ? value
            : throw new GradpathException($"{source}: \"cfg.{key}\" must be a positive whole number.");

    private bool Flag(ref Utf8JsonReader json, scoped ReadOnlySpan<char> name) => json.TokenType switch
    {
        JsonTokenType.True => true,
        JsonTokenType.False => false,
        _ => throw new GradpathException($"{source}: \"in_graph\" of {name} must be true or false."),
    };

    private void Expect(ref Utf8JsonReader json, JsonTokenType type, string what, string expected)
    {
        if (json.TokenType != type) throw Wrong(what, expected);
    }

    private GradpathException Wrong(string what, string expected) => new($"{source}: {what} must be {expected}.");

    private GradpathException Unknown(string kind, scoped ReadOnlySpan<char> name) =>
        new($"{source}: there is no {kind} '{name}' in a GPT-2 model of {_graph}; the file belongs to another model.");

    private ReadOnlySpan<char> Name(scoped ref Utf8JsonReader json)
    {
        int bytes = json.HasValueSequence ? (int)json.ValueSequence.Length : json.ValueSpan.Length;
        return bytes <= _name.Length ? _name.AsSpan(0, json.CopyString(_name)) : json.GetString();
    }
}
