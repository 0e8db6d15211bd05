using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Graph.Exchange;

namespace Gradpath.Gpt2Runtime.Tests.Graph.Exchange;

/// <summary>Folders of MIB's circuit track.</summary>
public sealed class MibFolderTests : IDisposable
{
    private static readonly ComputationGraph Shape = new(4, 4);
    private readonly TempFolder _folder = new();

    [Fact]
    public void Scores_are_one_file()
    {
        EdgeScores scores = Scores();
        MibFolder.Write(_folder["ioi_gpt2"], [scores]);
        Assert.Equal(["importances.json"], Directory.GetFiles(_folder["ioi_gpt2"]).Select(Path.GetFileName));
        Assert.Equal(scores.Values, Assert.Single(MibFolder.Read(_folder["ioi_gpt2"])).Values);
    }

    [Fact]
    public void Nine_circuits_are_nine_files_that_fit_their_places()
    {
        IReadOnlyList<EdgeScores> nine = MibFolder.Cut(Scores());
        MibFolder.Write(_folder["ioi_gpt2"], [.. nine.Reverse()]);
        IReadOnlyList<EdgeScores> read = MibFolder.Read(_folder["ioi_gpt2"]);
        Assert.Equal(nine.Select(GraphContent.EdgeCount), read.Select(GraphContent.EdgeCount));
        foreach ((double percent, EdgeScores circuit) in MibFolder.Percents.Zip(read))
            Assert.InRange(GraphContent.EdgeCount(circuit), 0, percent / 100 * Shape.EdgeCount);
        Assert.True(GraphContent.EdgeCount(read[^1]) > GraphContent.EdgeCount(read[0]));
        Assert.True(File.Exists(Path.Combine(_folder["ioi_gpt2"], "0.1.json")));
    }

    [Fact]
    public void What_MIB_does_not_take_is_refused_and_leaves_nothing()
    {
        IReadOnlyList<EdgeScores> nine = MibFolder.Cut(Scores());
        Refused("8 circuits are given", nine.Take(8));
        Refused("scores without a circuit", nine.Take(8).Append(Scores()));
        Refused("percent of", nine.Skip(1).Append(nine[^1]));
        Refused("one circuit without scores", [CircuitFile.Marked(new Circuit(Shape, nine[5].EdgesInGraph))]);
        Directory.CreateDirectory(_folder["taken_gpt2"]);
        Assert.Contains("there already", Assert.Throws<GradpathException>(() => MibFolder.Write(_folder["taken_gpt2"], nine)).Message,
            StringComparison.Ordinal);
        Assert.Equal(["taken_gpt2"], Directory.GetFileSystemEntries(_folder.Path).Select(Path.GetFileName));
    }

    [Fact]
    public void A_folder_of_something_else_is_explained()
    {
        Directory.CreateDirectory(_folder["ioi_gpt2"]);
        File.WriteAllText(_folder["ioi_gpt2/graph.pt"], "");
        string message = Assert.Throws<GradpathException>(() => MibFolder.Read(_folder["ioi_gpt2"])).Message;
        Assert.Contains("0 .json files; one of scores or the nine of circuits", message, StringComparison.Ordinal);
        Assert.Contains("from eap.graph import Graph; Graph.from_pt(", message, StringComparison.Ordinal);
        Assert.Contains("no directory", Assert.Throws<GradpathException>(() => MibFolder.Read(_folder["none"])).Message,
            StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private static EdgeScores Scores()
    {
        Random random = new(5);
        float[] values = new float[Shape.Writers * Shape.Readers];
        foreach ((int row, int column) in Shape.Edges) values[(row * Shape.Readers) + column] = random.NextSingle() - 0.5f;
        return new EdgeScores(Shape, values);
    }

    private void Refused(string expected, IEnumerable<EdgeScores> graphs)
    {
        Assert.Contains(expected, Assert.Throws<GradpathException>(() => MibFolder.Write(_folder["ioi_gpt2"], [.. graphs])).Message,
            StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder["ioi_gpt2"]));
    }
}
