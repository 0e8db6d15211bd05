using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Host.Sweeps.Store;
using Gradpath.Host.Sweeps.Units;

namespace Gradpath.Host.Tests;

/// <summary>What units that score say, against the commands that do the same one by one: to the last bit.</summary>
public sealed class ScoreUnitTests : IDisposable
{
    private readonly UnitSweep _sweep = new();

    [Theory]
    [InlineData("eap", "", "ioi", 0, "patching", "")]
    [InlineData("eap-ig", "steps=3", "ioi", 2, "patching", "")]
    [InlineData("eap-gp", "steps=2", "greater-than", 1, "patching", "")]
    [InlineData("eap-ig-activations", "steps=2", "sva", 0, "patching", "prob-diff")]
    [InlineData("eap", "", "ioi", 1, "zero", "log-prob")]
    [InlineData("relp", "", "gender-bias", 4, "patching", "")]
    [InlineData("random", "", "ioi", 3, "patching", "")]
    public void A_unit_says_what_score_curve_and_evaluate_say(
        string method, string setting, string task, int seed, string ablation, string metric)
    {
        (string Option, string Value)[] options = [.. setting.Split(',', StringSplitOptions.RemoveEmptyEntries)
            .Select(s => (s.Split('=')[0], s.Split('=')[1]))];
        SweepFolder folder = _sweep.Run($$"""
            tasks: {{task}}
            methods: [{name: {{method}}{{string.Concat(options.Select(o => $", {o.Option}: {o.Value}"))}}}]
            seeds: {{seed}}
            ablations: {{ablation}}
            {{(metric.Length > 0 ? $"metrics: {metric}" : "")}}
            sizes: {fractions: [0.01, 0.1, 1], edges: [15, 80]}
            evaluate: [curve, sizes]
            """);
        SweepUnit unit = Assert.Single(folder.Units);
        UnitResult result = folder.Result(unit.Key);
        (string find, string judge) = _sweep.Prompts(task, seed);
        string[] shared = ["--ablation", ablation, "--metric", unit.Metric];

        string scores = _sweep["scores.safetensors"];
        string[] seeded = method == "random" ? ["--seed", $"{seed}"] : [];
        string[] ablated = method == "eap-gp" || ablation == "patching" ? [] : ["--ablation", ablation];
        UnitSweep.Verb(
        [
            "score", "--data", find, "--method", method, "--out", scores, "--top", "0", .. ablated, .. seeded,
            .. method == "random" ? (string[])[] : ["--metric", unit.Metric],
            .. options.SelectMany(o => new[] { $"--{o.Option}", o.Value }),
        ]);
        EdgeScores expected = EdgeScores.Load(scores), found = UnitSweep.Scores(folder, unit);
        Assert.Equal(expected.Values, found.Values);
        Assert.Equal(expected.NodeScores, found.NodeScores);
        Assert.Equal(expected.Provenance!.Options.ToJsonString(), found.Provenance!.Options.ToJsonString());
        Assert.Equal(expected.Provenance.Metric, found.Provenance.Metric);
        Assert.Equal(expected.Provenance.Ablation, found.Provenance.Ablation);
        Assert.Equal((UnitSweep.Train, UnitSweep.Judge), (result.TrainPairs, result.JudgePairs));
        Assert.Equal(found.Graph.EdgeCount, result.GraphEdges);

        JsonObject curve = UnitSweep.Verb(["curve", "--data", judge, "--scores", scores, "--fractions", "0.01,0.1,1", .. shared]);
        JsonNode areas = curve["tables"]!["areas"]![0]!;
        Assert.Equal(Number(areas["cpr"]), result.Cpr!.Value);
        Assert.Equal(Number(areas["cmd"]), result.Cmd!.Value);
        foreach ((string kind, string ranking) in new[] { ("curve", "absolute"), ("curve-signed", "signed") })
        {
            JsonNode[] points = [.. curve["tables"]!["curves"]!.AsArray().Select(p => p!).Where(p => (string?)p["ranking"] == ranking)];
            UnitRow[] rows = [.. result.Rows.Where(r => r.Kind == kind)];
            Assert.Equal(3, points.Length);
            Assert.Equal(points.Select(p => Number(p["fraction"])), rows.Select(r => r.Fraction!.Value));
            Assert.Equal(points.Select(p => (int?)p["edges"]), rows.Select(r => r.EdgesAsked));
            Assert.Equal(points.Select(p => (int)p["edges_after_prune"]!), rows.Select(r => r.Edges));
            Assert.Equal(points.Select(p => Number(p["faithfulness"])), rows.Select(r => r.Faithfulness!.Value));
            if (seed != 0) continue;

            // The command draws intervals with seed 0 where it reads its prompts.
            Assert.Equal(points.Select(p => Number(p["low"])), rows.Select(r => r.FaithfulnessLow!.Value));
            Assert.Equal(points.Select(p => Number(p["high"])), rows.Select(r => r.FaithfulnessHigh!.Value));
        }

        foreach (int size in (int[])[15, 80])
        {
            string file = _sweep[$"{size}.json"];
            Cli.Run("circuit", "--scores", scores, "--top-n", $"{size}", "--fill", "--out", file);
            JsonObject evaluation = UnitSweep.Verb(["evaluate", "--data", judge, "--circuit", file, .. shared]);
            JsonNode facts = evaluation["facts"]!;
            JsonNode[] outcomes = [.. evaluation["tables"]!["outcomes"]!.AsArray().Select(o => o!)];
            UnitRow row = Assert.Single(result.Rows, r => r.Kind == "size" && r.EdgesAsked == size);
            Assert.Equal((int)facts["n_edges"]!, row.Edges);
            Assert.Equal(1 - (row.Edges / (double)result.GraphEdges), row.Sparsity);

            // The command judges one circuit and the sweep all of them in one run, where the order of sums may be another.
            Near(Number(facts["faithfulness"]), row.Faithfulness);
            Near(Number(outcomes[1]["metric"]), row.Metric);
            Near(Number(outcomes[1]["kl"]), row.Kl);
            Assert.Equal(Number(outcomes[1]["accuracy"]), row.Accuracy!.Value);
            Assert.Equal(Number(outcomes[1]["exact_match"]), row.ExactMatch!.Value);
            Near(Number(outcomes[0]["metric"]), result.FullMetric);
            Near(Number(outcomes[2]["metric"]), result.EmptyMetric);
            if (seed == 0) Near(Number(facts["faithfulness_ci"]![0]), row.FaithfulnessLow);
        }
        Assert.Equal(3 + 3 + 2, result.Rows.Count);
    }

    [Fact]
    public void Without_pairs_of_their_own_circuits_are_judged_where_they_were_found()
    {
        SweepFolder folder = _sweep.Run("""
            tasks: ioi
            methods: eap
            sizes: {fractions: [0.02, 0.2]}
            """, "{train: 6, judge: 0}");
        UnitResult result = folder.Result(folder.Units[0].Key);
        Assert.Equal((6, 6), (result.TrainPairs, result.JudgePairs));
        string scores = _sweep["s.json"];
        UnitSweep.Verb("score", "--task", "ioi", "--limit", "6", "--method", "eap", "--out", scores);
        JsonObject curve = UnitSweep.Verb("curve", "--task", "ioi", "--limit", "6", "--scores", scores, "--fractions", "0.02,0.2");
        Assert.Equal(Number(curve["tables"]!["areas"]![0]!["cmd"]), result.Cmd!.Value);
    }

    [Fact]
    public void Of_a_file_the_seed_draws_which_pairs_are_which()
    {
        (string find, string _) = _sweep.Prompts("ioi", 0);
        SweepFolder folder = _sweep.Run($$"""
            tasks: {task: ioi, data: {{find}}}
            methods: eap
            seeds: [0, 1]
            evaluate: none
            """, "{train: 3, judge: 3}");
        Assert.Equal(2, folder.Units.Count);
        Assert.NotEqual(
            UnitSweep.Scores(folder, folder.Units[0]).Values.ToArray(), UnitSweep.Scores(folder, folder.Units[1]).Values.ToArray());
        Assert.Empty(folder.Result(folder.Units[0].Key).Rows);
    }

    public void Dispose() => _sweep.Dispose();

    private static double Number(JsonNode? node) => node?.GetValue<double>() ?? double.NaN;

    private static void Near(double expected, double? value) =>
        Assert.True(Math.Abs(expected - value!.Value) <= 1e-6 * Math.Max(1, Math.Abs(expected)), $"{expected} and {value}");
}
