using System.Text.Json.Nodes;

namespace Gradpath.Host.Tests;

public sealed class SweepMergeCommandTests(TinyModel model) : IClassFixture<TinyModel>
{
    private static readonly string[] s_all = ["index.html", "table.csv", "table.md", "table.parquet", "table.tex"];

    [Fact]
    public void Whoever_names_files_gets_those_alone()
    {
        string folder = SweepPlans.Swept(model), csv = model.Path("named.csv"), page = model.Path("named.html");
        Cli run = Cli.Run("sweep", "merge", folder, "--table", csv, "--page", page).Succeeds($"table: {csv}", $"page: {page}");
        Assert.DoesNotContain("parquet", run.Out, StringComparison.Ordinal);
        Assert.True(File.Exists(csv) && File.Exists(page));
        Assert.DoesNotContain(s_all, name => File.Exists(Path.Combine(folder, name)));
        Assert.Contains("href=\"tiny-sweep/units/", File.ReadAllText(page), StringComparison.Ordinal);
    }

    [Fact]
    public void Without_names_all_go_to_the_folder()
    {
        string folder = model.Path("all");
        SweepPlans.Run(SweepPlans.Tiny(model), folder).Succeeds();
        JsonObject json = JsonNode.Parse(Cli.Run("sweep", "merge", folder, "--json").Succeeds().Out)!.AsObject();
        Assert.All(s_all, name => Assert.True(File.Exists(Path.Combine(folder, name)), name));
        Assert.Equal(5, json["files"]!.AsArray().Count);
        Assert.StartsWith("0.", json["gradpath"]!["version"]!.GetValue<string>(), StringComparison.Ordinal);
    }
}
