using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Host.Tests;

/// <summary>The command that runs any search of the table.</summary>
public sealed class SearchTests(TinyModel model) : IClassFixture<TinyModel>
{
    public static TheoryData<string> All => [.. CircuitSearches.All.Select(s => s.Name)];

    [Theory]
    [MemberData(nameof(All))]
    public void Every_search_of_the_table_writes_a_circuit(string name)
    {
        CircuitSearch search = CircuitSearches.Find(name);
        string file = model.Path($"search-{name}.json");
        string[] size = search.Sizing switch
        {
            SearchSizing.Sparsity => ["--sparsity", "0.7"],
            SearchSizing.Threshold => ["--threshold", "0.001"],
            _ => [],
        };
        Run([.. size, "--method", name, "--out", file]).Succeeds(name, file);
        Circuit circuit = CircuitFile.Read(file);
        Assert.Equal(name, circuit.Provenance!.Method);
        if (circuit.Provenance.Selection is { } selection) Assert.True((bool)selection["pruned"]!);
        if (search.Sizing == SearchSizing.Sparsity) Assert.InRange(circuit.EdgeCount, 10, 14);
        Assert.False(File.Exists(file + ".progress"));
    }

    [Fact]
    public void A_run_that_is_stopped_goes_on_with_the_same_result()
    {
        string whole = model.Path("search-whole.json"), parts = model.Path("search-parts.json");
        string[] Options(string file) => ["--method", "acdc", "--threshold", "0.001", "--out", file];
        Run(Options(whole)).Succeeds();
        int reports = 0;
        Cli stopped = Cli.StoppedWhen(
            _ => ++reports == 10, ["search", "--model", model.ModelDirectory, "--data", model.Pairs, .. Options(parts)]);
        stopped.Fails(130, "stopped after", "search-parts.json.progress", "--resume");
        Run([.. Options(parts), "--resume", "--method", "hap"]).Fails(2);
        Run([.. Options(parts), "--resume"]).Succeeds();
        Assert.Equal(CircuitFile.Read(whole).Membership.ToArray(), CircuitFile.Read(parts).Membership.ToArray());
    }

    [Theory]
    [InlineData("--method acdcc", "--method acdcc", "did you mean acdc?", "edge-prune")]
    [InlineData("--method acdc --sparsity 0.5", "--sparsity does not apply to --method acdc")]
    [InlineData("--method hap --threshold 0.5", "--threshold does not apply to --method hap")]
    [InlineData("--method acdc --scorer eap", "--scorer does not apply to --method acdc")]
    [InlineData("--method hap --scorer none", "--scorer none")]
    [InlineData("--method hap --sparsity 1", "--sparsity 1")]
    [InlineData("--method hap --metric kl", "--metric kl: EAP has no scores for it")]
    [InlineData("--method acdc --threshold -1", "--threshold -1")]
    public void Options_that_cannot_be_used_are_usage_errors(string options, params string[] mentions) =>
        Run([.. options.Split(' '), "--out", model.Path("never.json")]).Fails(2, mentions);

    [Fact]
    public void Help_names_every_search() => Cli.Run("search", "--help").Succeeds([.. CircuitSearches.All.Select(s => s.Name)]);

    private Cli Run(params string[] options) => Cli.Run(["search", "--model", model.ModelDirectory, "--data", model.Pairs, .. options]);

    /// <summary>Answers are asked for where something reads them; the metric that judges is KL where there are none.</summary>
    [Theory]
    [InlineData("acdc --tau 1e-6 --out")]
    [InlineData("edge-prune --steps 4 --sparsity 0.5 --out")]
    [InlineData("hap --steps 4 --sparsity 0.8 --scorer random --out")]
    [InlineData("search --method acdc --threshold 1e-6 --out")]
    [InlineData("search --method edge-prune --sparsity 0.9 --out")]
    [InlineData("score --method information-flow-routes --out")]
    [InlineData("score --method magnitude --out")]
    [InlineData("score --method random --out")]
    public void Pairs_without_answers_can_be_searched(string line)
    {
        string data = model.Path("unanswered.jsonl");
        File.WriteAllText(data, """
            {"clean_ids":[1,2,3],"corrupted_ids":[1,4,3]}
            {"clean_ids":[5,2,3],"corrupted_ids":[6,2,3]}
            """);
        string file = model.Path($"{Guid.NewGuid():N}.json");
        Cli.Run([.. line.Split(' '), file, "--model", model.ModelDirectory, "--data", data, "--threads", "1"]).Succeeds();
        Assert.True(File.Exists(file));
        Cli.Run([.. line.Split(' '), file, "--model", model.ModelDirectory, "--data", data, "--metric", "logit-diff"])
            .Fails(line.StartsWith("score", StringComparison.Ordinal) ? 2 : 1);
    }

    [Theory]
    [InlineData("acdc --objective metric --tau 0.01 --out")]
    [InlineData("acdc --order score --tau 0.01 --out")]
    [InlineData("hap --steps 4 --sparsity 0.5 --out")]
    [InlineData("path-patch --out")]
    [InlineData("score --method eap --out")]
    public void Answers_are_asked_for_where_they_are_read(string line)
    {
        string data = model.Path("unanswered.jsonl");
        File.WriteAllText(data, """{"clean_ids":[1,2,3],"corrupted_ids":[1,4,3]}""");
        Cli.Run([.. line.Split(' '), model.Path("none.json"), "--model", model.ModelDirectory, "--data", data])
            .Fails(1, "there is no answer; the metric logit-diff needs at least one right answer");
    }

    /// <summary>A warning of a result comes before the result is written; what was searched stays in the progress file.</summary>
    [Fact]
    public void An_error_in_the_place_of_a_warning_leaves_no_result()
    {
        string[] search = ["acdc", "--model", model.ModelDirectory, "--data", model.Pairs, "--tau", "1000", "--threads", "1", "--out"];
        string file = model.Path("strict.json");
        Cli.Run([.. search, file, "--strict"]).Fails(1, "has no edges", "--strict");
        Assert.False(File.Exists(file));
        Cli.Run([.. search, file, "--resume"]).Warns("has no edges");
        Assert.True(File.Exists(file));
        string circuit = model.Path("strict-circuit.json");
        Cli.Run("circuit", "--scores", model.Scores(), "--threshold", "1e9", "--strict", "--out", circuit).Fails(1, "--strict");
        Assert.False(File.Exists(circuit));
    }
}
