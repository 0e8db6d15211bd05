using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Host.Sessions;
using Gradpath.Host.Sweeps.Store;
using Gradpath.Host.Sweeps.Units;

namespace Gradpath.Host.Tests;

/// <summary>What units that search find, against the commands that search: the same circuits.</summary>
public sealed class SearchUnitTests : IDisposable
{
    private readonly UnitSweep _sweep = new();

    [Theory]
    [InlineData("edge-prune", "edge-prune", "sparsity=0.8,steps=12", "patching", 0)]
    [InlineData("edge-prune", "edge-prune", "sparsity=0.7,steps=10,draws=2,node-masks=true", "zero", 2)]
    [InlineData("hap", "hap", "sparsity=0.9,steps=10", "patching", 1)]
    [InlineData("hap", "hap", "sparsity=0.9,steps=8,keep=0.4,scorer=eap-ig", "patching", 0)]
    [InlineData("acdc", "acdc", "tau=0.02", "patching", 0)]
    [InlineData("acdc", "acdc", "tau=0.02,order=score", "patching", 0)]
    [InlineData("acdc", "acdc", "tau=0.02,objective=metric", "patching", 0)]
    [InlineData("acdc", "acdc", "tau=0.02,order=score,objective=metric,absolute=true", "zero", 1)]
    [InlineData("path-patch", "search", "", "patching", 0)]
    [InlineData("path-patch", "path-patch", "senders=[heads;input],freeze-mlps=true,top-n=20,rounds=5", "patching", 0)]
    [InlineData("path-patch", "path-patch", "threshold=1,sender-positions=all,positions=all", "zero", 1)]
    public void A_unit_finds_what_the_command_finds(string method, string verb, string setting, string ablation, int seed)
    {
        (string Option, string Value)[] options = [.. setting.Split(',', StringSplitOptions.RemoveEmptyEntries)
            .Select(s => (s.Split('=')[0], s.Split('=')[1].Replace(';', ',')))];
        SweepFolder folder = _sweep.Run($$"""
            tasks: ioi
            methods: [{name: {{method}}{{string.Concat(options.Select(o => $", {o.Option}: {o.Value}"))}}}]
            seeds: {{seed}}
            ablations: {{ablation}}
            evaluate: sizes
            """);
        SweepUnit unit = Assert.Single(folder.Units);
        (string find, string judge) = _sweep.Prompts("ioi", seed);
        string file = _sweep["found.json"];
        string[] seeded = verb is "edge-prune" or "hap" ? ["--seed", $"{seed}"] : [];
        UnitSweep.Verb(
        [
            verb, "--data", find, "--metric", "logit-diff", "--ablation", ablation, "--out", file, .. seeded,
            .. verb == "search" ? (string[])["--method", method] : [],
            .. verb == "path-patch" ? (string[])["--iterate"] : [],
            .. options.SelectMany(o => o.Value == "true" ? (string[])[$"--{o.Option}"] : [$"--{o.Option}", o.Value.Trim('[', ']')]),
        ]);
        if (verb == "path-patch") SelectedCircuit.Prune(Circuit.Load(file)).Save(file);
        Circuit expected = Circuit.Load(file), found = Circuit.Load(folder.CircuitFile(unit.Key));
        Assert.Equal(expected.Membership, found.Membership);
        Assert.InRange(found.EdgeCount, 1, found.Graph.EdgeCount - 1);

        UnitResult result = folder.Result(unit.Key);
        UnitRow row = Assert.Single(result.Rows);
        Assert.Equal(("found", found.EdgeCount, (int?)null), (row.Kind, row.Edges, row.EdgesAsked));
        JsonObject evaluation = UnitSweep.Verb("evaluate", "--data", judge, "--ablation", ablation, "--circuit", file);
        Assert.Equal(evaluation["facts"]!["faithfulness"]!.GetValue<double>(), row.Faithfulness!.Value);
        Assert.Equal(evaluation["tables"]!["outcomes"]![1]!["kl"]!.GetValue<double>(), row.Kl!.Value);
        Assert.Null(result.Cmd);
        Assert.True(result.Passes > 0 || double.IsNaN(result.Passes));
    }

    [Fact]
    public void A_search_on_a_single_setting_says_what_it_was()
    {
        SweepFolder folder = _sweep.Run("""
            tasks: ioi
            methods: [{name: edge-prune, sparsity: [0.8, 0.9], steps: 4}]
            """);
        Assert.Equal(["edge-prune sparsity=0.8 steps=4", "edge-prune sparsity=0.9 steps=4"], folder.Units.Select(u => u.Method.Label));
        foreach (SweepUnit unit in folder.Units)
        {
            double asked = 1 - double.Parse(unit.Method.Options[0].Value, System.Globalization.CultureInfo.InvariantCulture);
            UnitResult result = folder.Result(unit.Key);
            Assert.InRange(result.Rows[0].Edges, 1, (int)Math.Round(asked * result.GraphEdges));
            Assert.Equal(4, (int)result.Provenance["options"]!["steps"]!);
        }
    }

    public void Dispose() => _sweep.Dispose();
}
