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
    [InlineData("--method hap --metric kl", "EAP has no scores for kl")]
    [InlineData("--method acdc --threshold -1", "--threshold -1")]
    public void Options_that_cannot_be_used_are_usage_errors(string options, params string[] mentions) =>
        Run([.. options.Split(' '), "--out", model.Path("never.json")]).Fails(2, mentions);

    [Fact]
    public void Help_names_every_search() => Cli.Run("search", "--help").Succeeds([.. CircuitSearches.All.Select(s => s.Name)]);

    private Cli Run(params string[] options) => Cli.Run(["search", "--model", model.ModelDirectory, "--data", model.Pairs, .. options]);
}
