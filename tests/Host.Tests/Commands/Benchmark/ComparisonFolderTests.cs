using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Host.Comparison;

namespace Gradpath.Host.Tests;

public sealed class ComparisonFolderTests
{
    [Fact]
    public void A_row_that_cannot_be_written_is_written_with_the_next_one()
    {
        using TempFolder temp = new();
        using ComparisonFolder folder = ComparisonFolder.Open(temp["out"], resume: false);
        folder.Begin([], resume: false);
        Directory.CreateDirectory(folder.Table);
        Assert.Contains("table.csv", Add(folder, 0.5), StringComparison.Ordinal);
        Assert.Equal((1, 0), (folder.Rows.Count, folder.Written));
        Directory.Delete(folder.Table);
        Assert.Null(Add(folder, 0.9));
        Assert.Equal((2, 2), (folder.Rows.Count, folder.Written));
        folder.Dispose();
        using ComparisonFolder again = ComparisonFolder.Open(temp["out"], resume: true);
        again.Begin([], resume: true);
        Assert.All([0.5, 0.9], sparsity => Assert.True(again.Has("eap", sparsity, [])));
    }

    [Fact]
    public void The_last_row_is_written_at_the_end()
    {
        using TempFolder temp = new();
        using ComparisonFolder folder = ComparisonFolder.Open(temp["out"], resume: false);
        folder.Begin([], resume: false);
        Directory.CreateDirectory(folder.Table);
        Assert.NotNull(Add(folder, 0.5));
        Assert.Throws<GradpathException>(() => folder.Sort([("eap", 0.5)]));
        Directory.Delete(folder.Table);
        folder.Sort([("eap", 0.5)]);
        Assert.Equal(1, folder.Written);
        Assert.True(File.Exists(folder.Table));
    }

    [Fact]
    public void A_folder_in_use_is_not_called_an_earlier_run()
    {
        using TempFolder temp = new();
        using ComparisonFolder folder = ComparisonFolder.Open(temp["out"], resume: false);
        folder.Begin([], resume: false);
        Assert.Null(Add(folder, 0.5));
        string Refusal() => Assert.Throws<GradpathException>(() => ComparisonFolder.Open(temp["out"], resume: false)).Message;
        Assert.Contains("is being written by another run", Refusal(), StringComparison.Ordinal);
        folder.Dispose();
        Assert.Contains("holds the work of an earlier run", Refusal(), StringComparison.Ordinal);
        File.WriteAllText(temp["file"], "");
        Assert.Contains(
            "it is a file", Assert.Throws<UsageException>(() => ComparisonFolder.Open(temp["file"], resume: false)).Message,
            StringComparison.Ordinal);
    }

    private static string? Add(ComparisonFolder folder, double sparsity)
    {
        Dictionary<string, double> values = ComparisonRow.Columns.ToDictionary(c => c, _ => 0.5);
        Circuit circuit = Circuit.Of(new ComputationGraph(1, 1), [(0, 4)]);
        return folder.Add(new ComparisonRow("eap", sparsity, new JsonObject(), values), circuit, null);
    }
}
