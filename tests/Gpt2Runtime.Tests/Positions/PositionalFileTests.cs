using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Positions;

namespace Gradpath.Gpt2Runtime.Tests.Positions;

/// <summary>Files of edges between spans, and selections from them.</summary>
public sealed class PositionalFileTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly OddModel _model = OddModel.Make("untied, erf");
    private readonly AttributionResult _result;

    public PositionalFileTests() => _result = _model.Score(
        PositionalEvaluationTests.Named(_model.Mixed), new AttributionOptions { Positions = PositionMode.Spans });

    public void Dispose()
    {
        _model.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("scores.json")]
    [InlineData("scores.safetensors")]
    public void Scores_come_back_and_the_file_is_one_of_plain_scores(string name)
    {
        PositionalScores scores = _result.Positional!;
        scores.Save(_folder[name]);
        PositionalScores read = PositionalScores.Load(_folder[name]);
        Assert.Equal(scores.Graph, read.Graph);
        Assert.Equal(scores.Values.ToArray(), read.Values.ToArray());
        Assert.Equal(scores.ModelWidth, read.ModelWidth);
        Assert.Equal("spans", (string?)read.Provenance!.Options["positions"]);
        float[] plain = EdgeScores.Load(_folder[name]).Values.ToArray();
        float size = _result.Edges().Max(Math.Abs);
        for (int i = 0; i < plain.Length; i++) Assert.Equal(_result.Edges()[i], plain[i], 1e-5f * size);
        GradpathException error = Assert.Throws<GradpathException>(() => PositionalCircuit.Load(_folder[name]));
        Assert.Contains("no edge in it is marked in_graph", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("circuit.json")]
    [InlineData("circuit.safetensors")]
    public void Circuits_come_back_and_the_file_is_one_of_the_plain_circuit(string name)
    {
        PositionalCircuit circuit = PositionalSelection.Prune(PositionalSelection.Greedy(_result.Positional!, 60));
        circuit.Save(_folder[name]);
        PositionalCircuit read = PositionalCircuit.Load(_folder[name]);
        Assert.Equal(circuit.Edges, read.Edges);
        Assert.Equal((circuit.EdgeCount, circuit.EdgesBeforePrune), (read.EdgeCount, read.EdgesBeforePrune));
        Assert.All(circuit.Edges, e => Assert.Equal(circuit.Scores![e], read.Scores![e]));
        Circuit plain = Circuit.Load(_folder[name]);
        Assert.Equal(circuit.Flatten().Edges, plain.Edges);
        Assert.True(plain.EdgeCount < circuit.EdgeCount);
    }

    [Fact]
    public void Plain_files_have_no_positions()
    {
        _result.Scores.Save(_folder["plain.json"]);
        Assert.False(PositionalFile.HasPositions(_folder["plain.json"]));
        GradpathException error = Assert.Throws<GradpathException>(() => PositionalScores.Load(_folder["plain.json"]));
        Assert.Contains("plain.json: holds no positions", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"a\",\"b\"", "\"b\",\"b\"", "'spans' in it must be different names")]
    [InlineData("\"a\",\"b\"", "\"a@\",\"b\"", "cannot be the name of a span")]
    [InlineData("\"pairs\":[", "\"pairs\":[[\"a\",\"a\"],", "pairs of two of its spans")]
    [InlineData("->logits@end", "->logits@a", "there is no edge")]
    public void Damaged_files_are_refused(string sound, string damaged, string expected)
    {
        _result.Positional!.Save(_folder["scores.json"]);
        string text = File.ReadAllText(_folder["scores.json"]);
        Assert.Contains(sound, text, StringComparison.Ordinal);
        int at = text.IndexOf(sound, StringComparison.Ordinal);
        File.WriteAllText(_folder["bad.json"], string.Concat(text.AsSpan(0, at), damaged, text.AsSpan(at + sound.Length)));
        GradpathException error = Assert.Throws<GradpathException>(() => PositionalScores.Load(_folder["bad.json"]));
        Assert.Contains("bad.json", error.Message, StringComparison.Ordinal);
        if (!expected.StartsWith("there", StringComparison.Ordinal))
            Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Selections_take_the_strongest()
    {
        PositionalScores scores = _result.Positional!;
        PositionalCircuit top = PositionalSelection.TopEdges(scores, 40);
        float weakest = top.Edges.Min(e => MathF.Abs(scores[e]));
        Assert.Equal(40, top.EdgeCount);
        Assert.All(scores.Graph.Edges.Where(e => !top.Contains(e)), e => Assert.True(MathF.Abs(scores[e]) <= weakest));
        Assert.Equal(top.Edges, PositionalSelection.Threshold(scores, weakest).Edges.Where(top.Contains));
        PositionalCircuit greedy = PositionalSelection.Greedy(scores, 40);
        Assert.All(greedy.Edges, e => Assert.True(
            e.Column == scores.Graph.Graph.LogitsColumn
            || greedy.Edges.Any(o => o.Row == scores.Graph.Graph.NodeOfColumn(e.Column) && o.From == e.To)));
        PositionalCircuit filled = PositionalSelection.Fill(n => PositionalSelection.TopEdges(scores, n), 40, scores.Graph.EdgeCount);
        Assert.InRange(filled.EdgeCount, 30, 40);
    }
}
