using System.Text.Json;

namespace Gradpath.Gpt2Runtime.Graph;

/// <summary>
/// Reads what <see cref="EdgeScoresJson"/> and the versions of the EAP-IG library write. <c>cfg</c> is read first, wherever it
/// stands in the file: names mean nothing without it. Edge names are parsed in place; nothing is allocated per edge.
/// </summary>
/// <param name="source">The file, for messages.</param>
internal sealed class EdgeScoresJsonReader(string source)
{
    // "input->m0":{} and a comma.
    private const int ShortestEdge = 14;

    // A file that lacks some edges of a small graph is told which.
    private const int Allowance = 1 << 16;

    private ComputationGraph _graph = null!;
    private readonly char[] _name = new char[64];
    private int _width;
    private int _unscored;

    // The length of the text, which bounds the graph that it can hold.
    private int _bytes;

    public EdgeScores Read(ReadOnlySpan<byte> utf8)
    {
        _bytes = utf8.Length;
        Utf8JsonReader json = new(utf8);
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
                if (provenance is not null) throw Twice("gradpath");
                json.Read();
                int start = (int)json.TokenStartIndex;
                json.Skip();
                byte[] value = utf8[start..(int)json.BytesConsumed].ToArray();
                (provenance, hasCircuit) = JsonFile.Parse($"{source}: 'gradpath'", value, root => FileProvenance.Read(root, source));
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
            UnscoredEdges = _unscored,
            Provenance = provenance,
        };
    }

    // Remembers where a value starts and moves past it.
    private void Keep(ref Utf8JsonReader json, ref Utf8JsonReader at, ref bool seen)
    {
        if (seen) throw Twice(json.GetString()!);
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
        if (GraphNumbering.Lack(layers, heads) is { } lack) throw new GradpathException($"{source}: {lack}.");
        long edges = GraphNumbering.Edges(layers, heads);
        if (edges * ShortestEdge > _bytes + Allowance)
            throw new GradpathException($"{source}: {_bytes} bytes cannot hold the {edges} edges of {layers} layers x {heads} heads; "
                + "the file is cut off, or belongs to another model.");
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
                float? score = ReadEntry(ref json, name, isNode: true, out isIn);
                if (score is { } s && !isLogits) (scores ??= UnscoredNodes())[row] = s;
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
        int scored = 0, unscored = -1;
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
            if (ReadEntry(ref json, name, isNode: false, out inGraph[index]) is { } score)
            {
                values[index] = score;
                scored++;
            }
            else if (unscored < 0)
            {
                unscored = index;
            }
        }

        // A file of a circuit alone has no scores; one of scores has them all.
        if (scored > 0 && unscored >= 0)
        {
            string edge = _graph.EdgeName(unscored / _graph.Readers, unscored % _graph.Readers);
            throw new GradpathException($"{source}: the edge {edge} has no score, and {scored} others have one.");
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

    // The library writes null or NaN for an edge that it has not scored, and ranks null as 0.
    private float Unscored()
    {
        _unscored++;
        return 0;
    }

    private float[] UnscoredNodes()
    {
        float[] scores = new float[_graph.Writers];
        Array.Fill(scores, float.NaN);
        return scores;
    }

    // {"score": number or null, "in_graph": bool, ...}
    private float? ReadEntry(ref Utf8JsonReader json, scoped ReadOnlySpan<char> name, bool isNode, out bool inGraph)
    {
        float? score = null;
        bool hasScore = false, hasFlag = false;
        inGraph = false;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals("score"))
            {
                json.Read();
                if (hasScore) throw new GradpathException($"{source}: {name} has two scores.");
                hasScore = true;
                if (json.TokenType == JsonTokenType.Null)
                {
                    if (!isNode) score = Unscored();
                    continue;
                }
                bool isBare = json.TokenType == JsonTokenType.String && BareNumbers.IsOne(json.ValueSpan);
                if (isBare && isNode) continue;
                if (isBare && BareNumbers.IsNaN(json.ValueSpan))
                {
                    score = Unscored();
                    continue;
                }
                if (isBare) throw new GradpathException($"{source}: the score of {name} is infinite: not a finite number.");
                if (json.TokenType != JsonTokenType.Number) throw Wrong($"the score of {name}", "a number");
                score = json.TryGetSingle(out float number) ? number : float.NaN;
                if (!float.IsFinite(score.Value)) throw new GradpathException($"{source}: the score of {name} is beyond float32.");
            }
            else if (json.ValueTextEquals("in_graph"))
            {
                json.Read();
                if (hasFlag) throw new GradpathException($"{source}: {name} has two in_graph.");
                hasFlag = true;
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

    private GradpathException Twice(string key) => new($"{source}: the key {Quoted.Text(key)} appears twice.");

    private GradpathException Unknown(string kind, scoped ReadOnlySpan<char> name) =>
        new($"{source}: there is no {kind} {Quoted.Text(name)} in a GPT-2 model of {_graph}; the file belongs to another model.");

    private ReadOnlySpan<char> Name(scoped ref Utf8JsonReader json)
    {
        int bytes = json.HasValueSequence ? (int)json.ValueSequence.Length : json.ValueSpan.Length;
        return bytes <= _name.Length ? _name.AsSpan(0, json.CopyString(_name)) : json.GetString();
    }
}
