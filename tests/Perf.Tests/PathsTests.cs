using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Perf.Paths;
using Gradpath.Programs;

namespace Gradpath.Perf.Tests;

/// <summary>What <c>perf paths</c> compares, and how it sums up.</summary>
public sealed class PathsTests
{
    private static readonly string NanoSort = RepositoryFiles.Data("models/nano-sort");
    private static readonly string Sorted = RepositoryFiles.Data("goldens/nano-sort/sort_k2/prompts.jsonl");

    [Fact]
    public void Tasks_and_files_are_sets_and_every_run_is_told()
    {
        using TempFolder folder = new();
        JsonNode report = Json(
            "paths", "--tasks", "ioi,sva", "--pairs", "8", "--seeds", "3,4", "--scorers", "eap-ig --steps 2,path=eap-gp --steps 2",
            "--threads", "1", "--out", folder["runs.json"]);
        JsonNode[] ratios = Rows(report, "ratios"), saturation = Rows(report, "saturation"), runs = Rows(report, "runs");
        Assert.Equal(["eap-ig", "eap-ig --steps 2", "path"], ratios.Select(r => (string?)r["scorer"]));
        Assert.Equal([11, 5, 12], ratios.Select(r => (int)r["passes"]!));
        Assert.Equal(["ioi", "sva"], saturation.Select(s => (string?)s["set"]));
        Assert.Equal(["logit-diff", "prob-diff"], saturation.Select(s => (string?)s["metric"]));
        Assert.All(saturation, s => Assert.Equal(8, (int)s["pairs"]!));
        Assert.Equal(2 * 2 * 3, runs.Length);
        Assert.All(runs, r => Assert.InRange((double)r["seconds"]!, 1e-6, 600));
        JsonNode[] kept = [.. JsonNode.Parse(File.ReadAllText(folder["runs.json"]))!.AsArray().Select(r => r!)];
        Assert.Equal(runs.Select(r => (double)r["cmd"]!), kept.Select(r => (double)r["cmd"]!));

        foreach (JsonNode row in ratios)
        {
            double[] ofSets = [.. new[] { "ioi", "sva" }.Select(set => Mean(
                runs.Where(r => Same(r, row, "scorer") && (string?)r["set"] == set)
                    .Select(r => (double)r["cmd"]! / (double)runs.Single(b => (string?)b["scorer"] == "eap-ig" && Same(b, r, "set")
                        && (int)b["seed"]! == (int)r["seed"]!)["cmd"]!)))];
            Assert.Equal(ofSets[0], (double)row["ratio_ioi"]!, 1e-12);
            Assert.Equal(ofSets[1], (double)row["ratio_sva"]!, 1e-12);
            Assert.Equal(Mean(ofSets), (double)row["ratio"]!, 1e-12);
            Assert.InRange((double)row["ratio"]!, (double)row["low"]!, (double)row["high"]!);
        }

        static bool Same(JsonNode a, JsonNode b, string name) => (string?)a[name] == (string?)b[name];

        static double Mean(IEnumerable<double> ratios) => Math.Exp(ratios.Average(Math.Log));
    }

    [Fact]
    public void Cmd_is_what_scoring_one_half_and_judging_the_other_gives()
    {
        JsonNode report = Json("paths", "--data", Sorted, "--models", NanoSort, "--seeds", "5", "--scorers", "eap", "--threads", "1");
        JsonNode row = Rows(report, "ratios")[1];
        Assert.True(row["low"] is null && row["high"] is null, "one seed has no interval");
        Assert.Equal(12, (int)Rows(report, "saturation").Single()["pairs"]!);

        var lines = File.ReadAllLines(Sorted);
        new Gpt2Runtime.SplitMix64(5).Shuffle<string>(lines);
        using TempFolder folder = new();
        string scored = folder.Write("scored.jsonl", string.Join('\n', lines[..12]));
        string judged = folder.Write("judged.jsonl", string.Join('\n', lines[12..]));
        Assert.Equal(Cmd(NanoSort, scored, judged), (double)Rows(report, "runs")[1]["cmd"]!, 1e-9);
    }

    // A method agrees with itself; scores without signs are compared with effects without signs.
    [Fact]
    public void Scores_are_compared_with_exact_patching()
    {
        JsonNode report = Json(
            "paths", "--data", Sorted, "--models", NanoSort, "--seeds", "5", "--baseline", "patched=exact", "--scorers", "eap,atp-star",
            "--exact", "--threads", "1");
        JsonNode[] runs = Rows(report, "runs");
        Assert.Equal(["patched", "eap", "atp-star"], runs.Select(r => (string?)r["scorer"]));
        Assert.Equal(1, (double)runs[0]["ratio"]!);
        Assert.Equal(1, (double)runs[0]["pearson"]!, 1e-9);
        Assert.Equal(1, (double)runs[0]["spearman"]!, 1e-9);
        Assert.All(runs[1..], r => Assert.InRange((double)r["pearson"]!, 0.3, 0.999));
    }

    [Fact]
    public void Files_of_one_name_are_told_apart()
    {
        using TempFolder folder = new();
        string[] few = File.ReadAllLines(Sorted)[..4];
        string[] files = [folder.Write("a/prompts.jsonl", string.Join('\n', few)), folder.Write("b/prompts.jsonl", string.Join('\n', few))];
        JsonNode report = Json(
            "paths", "--data", string.Join(',', files), "--models", NanoSort, "--seeds", "0", "--scorers", "eap", "--threads", "1");
        Assert.Equal(files, Rows(report, "saturation").Select(s => (string?)s["set"]));
    }

    [Fact]
    public void A_saturated_metric_is_seen()
    {
        JsonNode report = Json(
            "paths", "--tasks", "hypernymy", "--metric", "prob-diff", "--pairs", "8", "--seeds", "0", "--scorers", "eap", "--threads", "1");
        JsonNode saturation = Rows(report, "saturation").Single();
        Assert.Equal("prob-diff", (string?)saturation["metric"]);
        Assert.InRange((double)saturation["median"]!, 100, double.MaxValue);
        Assert.InRange((double)saturation["saturated"]!, 0.75, 1);
    }

    [Fact]
    public void A_scorer_is_a_method_with_options_and_perhaps_a_name()
    {
        PathsScorer scorer = PathsScorer.Parse("line, k = 3=eap-gp --steps=3 --path-direction line");
        Assert.Equal("line, k = 3", scorer.Name);
        Assert.Equal(AttributionMethods.EapGp, scorer.Options.Method);
        Assert.Equal(3, scorer.Options.Steps);
        Assert.Equal(EmbeddingPathDirection.Line, scorer.Options.EmbeddingPath!.Direction);
        Assert.Equal("eap-gp --steps 3", PathsScorer.Parse("eap-gp --steps 3").Name);
        Assert.Equal(["eap-ig", "eap"], PathsScorer.All("eap-ig", ["eap-ig", "eap"]).Select(s => s.Name));
        Assert.True(PathsScorer.All("eap-ig", []).Length > PathsScorer.Defaults.Count, "the baseline runs beside the defaults");
    }

    [Theory]
    [InlineData("both=ensemble --of eap-ig+relp --by min --steps 3")]
    [InlineData("both=ensemble --of=eap-ig+relp --by=min --steps=3")]
    public void The_members_of_an_ensemble_go_with_plus_signs(string text)
    {
        PathsScorer scorer = PathsScorer.Parse(text);
        Assert.Equal("both", scorer.Name);
        Assert.Equal([AttributionMethods.EapIg, AttributionMethods.Relp], scorer.Options.Method.Members);
        Assert.Equal(EnsembleRule.Min, scorer.Options.Method.Rule);
        Assert.Equal(3, scorer.Options.Steps);
    }

    // Every run of the command is a line, as the clock is far ahead each time it is asked.
    [Fact]
    public void Progress_counts_the_parts_of_the_command()
    {
        using StringWriter output = new(), error = new();
        Terminal terminal = new(TextReader.Null, output, error) { Time = new FastTime() };
        int code = PerfApp.Run(
            ["paths", "--data", Sorted, "--models", NanoSort, "--seeds", "0,1", "--scorers", "both=ensemble --of eap+eap-ig", "--threads",
                "1"], terminal, CancellationToken.None);
        Assert.True(code == 0, error.ToString());
        Assert.Contains("both", output.ToString(), StringComparison.Ordinal);
        string[] lines = error.ToString().Split(Environment.NewLine);
        foreach (string run in (string[])["prompts: eap-ig", "prompts: both", "prompts: circuits"])
        {
            Assert.Contains(lines, l => l.StartsWith($"part 1 of 2, {run}", StringComparison.Ordinal));
            Assert.Contains(lines, l => l.StartsWith($"part 2 of 2, {run}", StringComparison.Ordinal) && l.EndsWith(" left of this",
                StringComparison.Ordinal));
        }
    }

    [Fact]
    public void The_interval_is_students()
    {
        // t(0.975, 2) = 4.302653 and the standard deviation of 1, 2, 3 is 1.
        Assert.Equal(4.302653 / Math.Sqrt(3), PathsSummary.HalfWidth([1, 2, 3]), 1e-6);
        Assert.True(double.IsNaN(PathsSummary.HalfWidth([1])), "one value has an interval");
    }

    [Theory]
    [InlineData("eap-gp --step 3", "--step is no option that decides scores")]
    [InlineData("eap --out x.json", "--out is no option that decides scores")]
    [InlineData("eap --task ioi", "--task is no option that decides scores")]
    [InlineData("eap-gp --steps 0", "--steps 0: must be from 1")]
    [InlineData("eap-gp --steps", "--steps needs a value")]
    [InlineData("eap-gp --steps 3 --steps 4", "twice")]
    [InlineData("both=ensemble --of eap-ig", "--scorers both=ensemble --of eap-ig: --of eap-ig: an ensemble has at least two members; in a "
        + "list of scorers members go with plus signs, as in --of eap-ig+eap-gp.")]
    [InlineData("ensemble --of eap-ig+eap-gq", "did you mean eap-gp")]
    [InlineData("eap --steps 3", "--scorers eap --steps 3: --steps does not apply to eap;")]
    [InlineData("eap --of eap-ig+eap-gp", "--of does not apply to --method eap; ensemble takes it.")]
    [InlineData("eap-gp words", "'words' belongs to no option")]
    [InlineData("eap-gq", "did you mean eap-gp")]
    [InlineData("name=", "METHOD --option value")]
    [InlineData("=eap", "METHOD --option value")]
    public void A_scorer_that_makes_no_sense_is_refused(string text, string mention) =>
        Assert.Contains(mention, Assert.Throws<UsageException>(() => PathsScorer.Parse(text)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("--tasks nothing", "--tasks nothing")]
    [InlineData("--models nothing", "no model 'nothing'")]
    [InlineData("--data /nowhere.jsonl", "/nowhere.jsonl")]
    [InlineData("--tasks gender-bias --pairs 5000", "--pairs 5000: with this vocabulary gender-bias has hardly more than")]
    [InlineData("--pairs 3", "--pairs 3: must be from 4")]
    [InlineData("--metric nothing", "--metric nothing")]
    [InlineData("--scorers a=eap,a=eap-gp", "two would be called 'a'")]
    [InlineData("--metric kl --tasks ioi --scorers eap", "--metric kl: EAP has no scores for it")]
    public void What_cannot_be_compared_is_refused(string command, string mention)
    {
        (int code, _, string error) = PerfCli.Run(["paths", .. command.Split(' '), "--threads", "1"]);
        Assert.InRange(code, 1, 2);
        Assert.Contains(mention, error, StringComparison.Ordinal);
        Assert.DoesNotContain("unexpected error", error, StringComparison.Ordinal);
    }

    private sealed class FastTime : TimeProvider
    {
        private long _seconds;

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => _seconds += 100;
    }

    private static JsonNode Json(params string[] args)
    {
        (int code, string output, string error) = PerfCli.Run([.. args, "--json"]);
        Assert.True(code == 0, $"exit code {code}: {error}{output}");
        return JsonNode.Parse(output)!;
    }

    private static JsonNode[] Rows(JsonNode report, string table) =>
        [.. report["tables"]![table]!.AsArray().Select(r => r!)];

    private static double Cmd(string model, string scored, string judged)
    {
        using var device = new Kernels.Cpu.CpuDevice(1);
        using var checkpoint = Gpt2Runtime.Checkpoints.Gpt2Checkpoint.Open(model);
        using var weights = checkpoint.LoadWeights(device);
        var scores = EdgeAttribution.Score(weights, Load(scored), new AttributionOptions { Method = AttributionMethods.Eap });
        return Gpt2Runtime.Evaluation.SparsityCurves.Measure(weights, Load(judged), [scores], new()).Curves[0].Cmd;

        static Gpt2Runtime.Tasks.PromptSet Load(string file) => Gpt2Runtime.Tasks.PromptLoader.Load(null, file, null, new());
    }
}
