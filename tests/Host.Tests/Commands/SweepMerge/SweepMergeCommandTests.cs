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

    [Fact]
    public void A_sweep_that_is_not_done_says_how_many_wait()
    {
        string folder = model.Path("begun");
        SweepPlans.Run(SweepPlans.Tiny(model), folder, "--shard", "2/2").Succeeds();
        int left = 3 - Host.Sweeps.Store.SweepLayout.Open(folder).Done().Count;
        Cli.Run("sweep", "merge", folder)
            .Succeeds($"{Sizes.Of(left, "unit")} {(left == 1 ? "is" : "are")} not done yet: merge again later.");
        JsonNode facts = JsonNode.Parse(Cli.Run("sweep", "merge", folder, "--json").Succeeds().Out)!["facts"]!;
        Assert.Equal(left, (int)facts["waiting"]!);
    }

    [SkippableFact]
    public void A_reader_that_has_seen_enough_ends_nothing_with_an_error()
    {
        ShellRun.Require("bash");
        string folder = SweepPlans.Swept(model), program = typeof(GradpathApp).Assembly.Location;
        ShellRun run = ShellRun.Of(model.Folder, new Dictionary<string, string?>(), "bash", "-c",
            $"set -o pipefail; (sleep 2; '{Environment.ProcessPath}' exec '{program}' sweep merge '{folder}' --table -) | true");
        Assert.True(run.ExitCode == 0, run.Error);
        Assert.DoesNotContain("gradpath: ", run.Error, StringComparison.Ordinal);
    }
}
