using System.Globalization;
using System.Text.Json;
using System.Xml.Linq;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Host.Tests;

public sealed class BenchmarkTests : IClassFixture<TinyModel>
{
    private const string All =
        "eap,eap-ig,eap-gp,eap-ig-activations,clean-corrupted,exact,information-flow-routes,magnitude,random,acdc,edge-prune,hap";

    private readonly TinyModel _model;
    private readonly string _find;
    private readonly string _judge;

    public BenchmarkTests(TinyModel model)
    {
        _model = model;
        string[] lines = File.ReadAllLines(model.Pairs);
        (_find, _judge) = (model.Path("find.jsonl"), model.Path("judge.jsonl"));
        File.WriteAllLines(_find, lines[..4]);
        File.WriteAllLines(_judge, lines[4..]);
    }

    [Fact]
    public void Every_method_gives_a_row_and_a_circuit_per_sparsity()
    {
        string folder = _model.Path("all"), truth = _model.Path("truth.json");
        Cli.Run("acdc", "--model", _model.ModelDirectory, "--data", _model.Pairs, "--tau", "0.001", "--out", truth).Succeeds();
        Benchmark(folder, "--methods", All, "--sparsity", "0.5,0.7", "--ground-truth", truth)
            .Succeeds("found on: 4 prompt pairs", "pairs 1 to 4", "judged on: 2 other prompt pairs", "pairs 5 to 6", "faithful",
                "precision", "AUC", "heads at 50 %: acdc keeps and eap drops", "table.csv", "report.html");
        List<Dictionary<string, string>> rows = Table(folder);
        string[] methods = All.Split(',');
        Assert.Equal(methods.SelectMany(m => new[] { (m, "0.5"), (m, "0.7") }), rows.Select(r => (r["method"], r["sparsity_asked"])));
        Circuit wanted = CircuitFile.Read(truth);
        foreach (Dictionary<string, string> row in rows)
        {
            Assert.InRange(Number(row["sparsity_reached"]), 0, 1);
            Assert.True(Number(row["kl"]) >= 0 && Number(row["seconds"]) > 0, row["method"]);
            if (row["edges"] == "0") continue;
            Circuit circuit = CircuitFile.Read(Path.Combine(folder, "circuits", $"{row["method"]}-{row["sparsity_asked"]}.json"));
            Assert.Equal((row["edges"], row["edges_selected"]), (Text(circuit.EdgeCount), Text(circuit.EdgesBeforePrune)));
            Assert.Contains("pairs 1 to 4", circuit.Provenance!.Data, StringComparison.Ordinal);
            Assert.Contains("pairs 5 to 6", (string)circuit.Provenance.Options["judged-on"]!, StringComparison.Ordinal);
            SetOverlap overlap = GroundTruthOverlap.Compare(circuit, wanted).Edges;
            Assert.Equal((overlap.Precision, overlap.Recall), (Number(row["precision"]), Number(row["recall"])));
        }
        Assert.All(rows.Where(r => r["method"] is "edge-prune" or "hap"), r =>
            Assert.Equal(r["sparsity_asked"] == "0.5" ? "23" : "14", r["edges"]));
        Assert.All(rows, r => Assert.Equal(r["method"] is "acdc" or "edge-prune" or "hap", r["auc_of_scores"].Length == 0));
        Dictionary<string, string> searched = rows.First(r => r["method"] == "acdc");
        Assert.Equal(
            RocCurve.StaircaseArea(rows.Where(r => r["method"] == "acdc").Select(r =>
                new RocPoint(Number(r["false_positive_rate"]), Number(r["recall"]), double.NaN))),
            Number(searched["auc_of_circuits"]), 1e-12);
        Assert.True(Number(searched["seconds_with_search"]) >= Number(searched["seconds"]));
        Page(folder, rows.Count, judged: true);
    }

    [Theory]
    [InlineData("eap", false)]
    [InlineData("eap-gp", true)]
    public void A_row_of_scores_is_what_score_circuit_and_evaluate_give(string method, bool greedy)
    {
        string folder = _model.Path($"as-{method}"), scores = _model.Path($"{method}-scores.json"),
            circuit = _model.Path($"{method}-circuit.json"), evaluation = _model.Path($"{method}-evaluation.json");
        Benchmark(folder, ["--methods", method, "--sparsity", "0.6", .. greedy ? ["--greedy"] : Array.Empty<string>()]).Succeeds();
        Cli.Run("score", "--model", _model.ModelDirectory, "--data", _find, "--method", method, "--out", scores).Succeeds();
        Cli.Run("circuit", "--scores", scores, greedy ? "--greedy" : "--top-n", "18", "--fill", "--out", circuit).Succeeds();
        SameAsSingle(folder, $"{method}-0.6.json", circuit, evaluation);
    }

    [Fact]
    public void A_model_that_cannot_be_opened_leaves_no_folder()
    {
        string folder = _model.Path("never");
        Cli.Run("benchmark", "--model", _model.Path("no-model"), "--task", "ioi", "--out", folder).Fails(1, "no-model");
        Assert.False(Directory.Exists(folder));
    }

    [Fact]
    public void Pairs_without_answers_have_no_accuracy()
    {
        string data = _model.Path("unanswered.jsonl"), folder = _model.Path("unanswered");
        File.WriteAllText(data, """
            {"clean_ids":[1,2,3],"corrupted_ids":[1,4,3]}
            {"clean_ids":[5,2,3],"corrupted_ids":[6,2,3]}
            """);
        Cli run = Cli.Run(
            "benchmark", "--model", _model.ModelDirectory, "--data", data, "--metric", "kl", "--train-limit", "1", "--methods", "random",
            "--sparsity", "0.5", "--out", folder).Succeeds();
        Assert.DoesNotContain("NaN", run.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("NaN", File.ReadAllText(Path.Combine(folder, "report.html")), StringComparison.Ordinal);
        Assert.Equal("", Table(folder)[0]["accuracy"]);
    }

    [Theory]
    [InlineData("edge-prune")]
    [InlineData("hap")]
    public void A_row_of_training_is_what_its_command_gives(string method)
    {
        string folder = _model.Path($"as-{method}"), circuit = _model.Path($"{method}-circuit.json"), log = _model.Path($"{method}.csv");
        Benchmark(folder, "--methods", method, "--sparsity", "0.6", "--overshoot", "0.25").Succeeds();
        Cli.Run([method, "--model", _model.ModelDirectory, "--data", _find, "--sparsity", "0.6", "--target", "0.85", "--steps", "20",
            "--out", circuit, "--log", log, .. method == "hap" ? ["--keep", "0.8"] : Array.Empty<string>()]).Succeeds();
        SameAsSingle(folder, $"{method}-0.6.json", circuit, _model.Path($"{method}-evaluation.json"));
        string[] Numbers(string file) => [.. File.ReadAllLines(file).Skip(1).Select(l => l[l.IndexOf(',', StringComparison.Ordinal)..])];
        Assert.Equal(Numbers(log), Numbers(Path.Combine(folder, "training.csv")));
        Assert.Equal(Text(File.ReadAllLines(log).Length - 1), Table(folder)[0]["steps"]);
    }

    [Fact]
    public void A_row_of_acdc_is_what_acdc_gives_at_its_threshold()
    {
        string folder = _model.Path("as-acdc"), circuit = _model.Path("acdc-circuit.json");
        Benchmark(folder, "--methods", "acdc", "--sparsity", "0.6", "--acdc-runs", "5").Succeeds();
        Cli.Run("acdc", "--model", _model.ModelDirectory, "--data", _find, "--tau", Table(folder)[0]["threshold"], "--out", circuit)
            .Succeeds();
        SameAsSingle(folder, "acdc-0.6.json", circuit, _model.Path("acdc-evaluation.json"));
    }

    [Fact]
    public void Generated_prompts_to_find_on_are_those_of_the_seed_and_others_judge()
    {
        string demo = RepositoryFiles.DemoModel, folder = _model.Path("demo"), scores = _model.Path("demo-scores.json"),
            pairs = _model.Path("pairs-of-seed.jsonl"), evaluation = _model.Path("demo-evaluation.json");
        Cli.Run("benchmark", "--model", demo, "--task", "ioi", "--seed", "3", "--train-limit", "4", "--limit", "3", "--methods", "eap",
            "--sparsity", "0.8", "--out", folder)
            .Succeeds("seed 3, pairs 1 to 4", "3 other prompt pairs", "pairs 5 to 7");
        Cli.Run("score", "--model", demo, "--task", "ioi", "--seed", "3", "--limit", "4", "--method", "eap", "--out", scores).Succeeds();
        Circuit found = CircuitFile.Read(Path.Combine(folder, "circuits", "eap-0.8.json"));
        Assert.Equal(ScoreFile.Read(scores).Values, found.Scores!.Values);
        Cli.Run("prompts", "--task", "ioi", "--model", demo, "--count", "7", "--seed", "3", "--out", pairs).Succeeds();
        File.WriteAllLines(pairs, File.ReadAllLines(pairs)[4..]);
        Cli.Run("evaluate", "--circuit", Path.Combine(folder, "circuits", "eap-0.8.json"), "--model", demo, "--data", pairs, "--out",
            evaluation).Succeeds();
        SameMeasures(Table(folder)[0], evaluation);
    }

    [Fact]
    public void A_run_that_is_stopped_keeps_its_rows_and_goes_on()
    {
        string folder = _model.Path("stopped"), whole = _model.Path("whole");
        string[] Options(string at) => ["--methods", "eap,acdc,hap,random", "--sparsity", "0.5,0.8", "--out", at];
        Run(Options(whole)).Succeeds();

        // Stopped within the fourth row, the second of acdc.
        Cli stopped = Cli.StoppedWhen(
            _ => File.Exists(Path.Combine(folder, "table.csv")) && Table(folder).Count == 3, Command(Options(folder)));
        Assert.Equal(130, stopped.ExitCode);
        Assert.Contains("3 finished rows are in", stopped.Error, StringComparison.Ordinal);
        Assert.Equal(3, Table(folder).Count);
        Assert.False(File.Exists(Path.Combine(folder, "report.html")));
        Run(Options(folder)).Fails(1, ".progress", "--resume");
        Run([.. Options(folder), "--resume", "--metric", "prob-diff"]).Fails(
            1, "--metric was \"logit-diff\" there and is \"prob-diff\" now");
        string first = Path.Combine(folder, "circuits", "eap-0.5.json");
        DateTime written = File.GetLastWriteTimeUtc(first);
        Run([.. Options(folder), "--resume"]).Succeeds("3 of 8 rows were there already");
        Assert.Equal(written, File.GetLastWriteTimeUtc(first));

        // The table is the one of a run that was not stopped, but for the times.
        Assert.Equal(Table(whole).Select(Timeless), Table(folder).Select(Timeless));
        Run([.. Options(folder), "--resume"]).Succeeds("8 of 8 rows were there already");

        // What other settings give is made anew; what else the folder holds stays.
        Run("--methods", "hap", "--sparsity", "0.5,0.8", "--keep", "0.9", "--resume", "--out", folder).Succeeds(
            "0 of 2 rows were there already");
        Assert.Equal(8, Table(folder).Count);
        Assert.Equal("hap", Table(folder)[0]["method"]);
        File.Delete(first);
        Run([.. Options(folder), "--resume"]).Succeeds("5 of 8 rows were there already");
        Page(folder, 8);
    }

    [Theory]
    [InlineData("--methods eap,saliency", "--methods saliency", "edge-prune", "random")]
    [InlineData("--methods eap,eap", "--methods", "twice")]
    [InlineData("--methods eap,acdc --steps 5", "--steps is for edge-prune or hap")]
    [InlineData("--methods eap --overshoot 0.1", "--overshoot is for edge-prune or hap")]
    [InlineData("--methods eap --train-batch 4", "--train-batch is for edge-prune or hap")]
    [InlineData("--methods edge-prune --keep 0.4", "--keep is for hap")]
    [InlineData("--sparsity 0.9,1", "--sparsity 0.9,1", "below 1")]
    [InlineData("--sparsity 0", "--sparsity 0")]
    [InlineData("--sparsity 0.9,0.9", "--sparsity", "twice")]
    [InlineData("--keep 0.05", "--keep 0.05", "--sparsity 0.9")]
    [InlineData("--acdc-runs 0", "--acdc-runs 0")]
    [InlineData("--train-limit 0", "--train-limit 0")]
    [InlineData("--train-batch 0", "--train-batch 0")]
    [InlineData("--steps 0", "--steps 0")]
    [InlineData("--overshoot -0.1", "--overshoot -0.1", "from 0 to 1")]
    [InlineData("--methods acdc --greedy", "--greedy")]
    [InlineData("--ground-truth wang", "--ground-truth wang", "ioi and greater-than")]
    [InlineData("--metric kl", "--metric kl: EAP has no scores for it")]
    [InlineData("--methods eap,eap-ig --ablation zero", "--ablation zero does not apply to eap-ig")]
    public void Options_that_cannot_be_used_are_usage_errors(string options, params string[] mentions) =>
        Cli.Run(["benchmark", "--model", _model.ModelDirectory, "--data", _model.Pairs, "--out", _model.Path("never"),
            .. options.Split(' ')]).Fails(2, mentions);

    [Fact]
    public void A_method_that_fails_is_named_and_the_rows_before_it_stay()
    {
        string folder = _model.Path("failing");
        Benchmark(folder, "--methods", "random,hap", "--sparsity", "0.5", "--keep", "0.5").Fails(
            1, "hap, sparsity 50 %:", "only 13 may be in it");
        Assert.Equal("random", Assert.Single(Table(folder))["method"]);
        Benchmark(folder, "--methods", "random,hap", "--sparsity", "0.5", "--keep", "0.8", "--resume").Succeeds(
            "1 of 2 rows were there already");
    }

    [Fact]
    public void Pairs_that_find_and_judge_are_said()
    {
        string line = File.ReadAllLines(_model.Pairs)[0], data = _model.Path("twice.jsonl");
        File.WriteAllLines(data, [line, line, line, line]);
        Cli.Run("benchmark", "--model", _model.ModelDirectory, "--data", data, "--methods", "eap", "--sparsity", "0.5", "--out",
            _model.Path("twice")).Warns("2 of the 2 prompt pairs to judge on are also among those that circuits are found on");
    }

    [Fact]
    public void What_cannot_be_compared_is_explained()
    {
        string one = _model.Path("one.jsonl"), file = _model.Path("a-file");
        File.WriteAllText(one, TinyModel.PairLines(1, 4));
        File.WriteAllText(file, "");
        Cli.Run("benchmark", "--model", _model.ModelDirectory, "--data", one, "--out", _model.Path("never")).Fails(1, "one prompt pair");
        Cli.Run("benchmark", "--model", "demo", "--task", "gender-bias", "--train-limit", "4000", "--limit", "1000", "--out",
            _model.Path("never")).Fails(
                1, "gradpath: --train-limit and --limit, together 5000: with this vocabulary gender-bias has hardly more than");
        Cli.Run("benchmark", "--model", _model.ModelDirectory, "--data", _model.Pairs, "--train-limit", "6", "--out", _model.Path("never"))
            .Fails(1, "--train-limit 6", "at most 5");
        Cli.Run("benchmark", "--model", _model.ModelDirectory, "--data", _model.Pairs, "--ground-truth", "ioi", "--out",
            _model.Path("never")).Fails(1, "12 layers x 12 heads");
        Cli.Run("benchmark", "--model", _model.ModelDirectory, "--data", _model.Pairs, "--out", Path.Combine(file, "never")).Fails(
            2, "--out", "directory");
        Cli.Run("benchmark", "--model", _model.ModelDirectory, "--data", _model.Pairs, "--out", _model.Path("nothing"), "--resume").Fails(
            1, "nothing to go on from");
    }

    private Cli Run(params string[] more) => Cli.Run(Command(more));

    // With few steps and a share for the methods that have them.
    private string[] Command(string[] more)
    {
        string methods = more.SkipWhile(m => m != "--methods").Skip(1).FirstOrDefault(All);
        string[] steps = methods.Contains("prune") || methods.Contains("hap") ? ["--steps", "20"] : [];
        string[] keep = methods.Contains("hap") ? ["--keep", "0.8"] : [];
        return
        [
            "benchmark", "--model", _model.ModelDirectory, "--data", _model.Pairs, "--train-limit", "4",
            .. more.Contains("--steps") ? [] : steps, .. more.Contains("--keep") ? [] : keep, .. more,
        ];
    }

    private Cli Benchmark(string folder, params string[] more) => Run([.. more, "--out", folder]);

    private void SameAsSingle(string folder, string name, string circuit, string evaluation)
    {
        Circuit expected = CircuitFile.Read(circuit), actual = CircuitFile.Read(Path.Combine(folder, "circuits", name));
        Assert.Equal(expected.Membership.ToArray(), actual.Membership.ToArray());
        Assert.Equal(expected.Scores!.Values, actual.Scores!.Values);
        Assert.Equal(expected.EdgesBeforePrune, actual.EdgesBeforePrune);
        Assert.Equal((expected.Provenance!.Method, expected.Provenance.Metric, expected.Provenance.Selection?.ToJsonString()),
            (actual.Provenance!.Method, actual.Provenance.Metric, actual.Provenance.Selection?.ToJsonString()));
        Cli.Run("evaluate", "--circuit", circuit, "--model", _model.ModelDirectory, "--data", _judge, "--out", evaluation).Succeeds();
        SameMeasures(Table(folder)[0], evaluation);
    }

    private static void SameMeasures(Dictionary<string, string> row, string evaluation)
    {
        using JsonDocument json = JsonDocument.Parse(File.ReadAllBytes(evaluation));
        foreach ((string column, string key) in new[] { ("kl", "kl"), ("metric", "circuit"), ("metric_full", "full"),
            ("accuracy", "accuracy"), ("exact_match", "exact_match"), ("faithfulness", "faithfulness"), ("edges", "n_edges"),
            ("nodes", "n_nodes") })
            Assert.Equal((column, json.RootElement.GetProperty(key).GetDouble()), (column, Number(row[column])));
        JsonElement interval = json.RootElement.GetProperty("faithfulness_ci");
        Assert.Equal(
            (interval[0].GetDouble(), interval[1].GetDouble()), (Number(row["faithfulness_low"]), Number(row["faithfulness_high"])));
    }

    private static string Timeless(Dictionary<string, string> row) =>
        string.Join(',', row.Where(c => !c.Key.StartsWith("seconds", StringComparison.Ordinal) && c.Key != "forward_passes").Select(c =>
        $"{c.Key}={c.Value}"));

    // The page is well-formed but for what HTML allows and XML does not, needs no network and no script, and has a table row per row.
    private static void Page(string folder, int rows, bool judged = false)
    {
        string html = File.ReadAllText(Path.Combine(folder, "report.html"));
        Assert.Contains("default-src 'none'", html, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", html, StringComparison.Ordinal);
        Assert.DoesNotContain("http:", html.Replace("http://www.w3.org/2000/svg", "", StringComparison.Ordinal), StringComparison.Ordinal);
        XElement body = XDocument.Parse(html[html.IndexOf("<body>", StringComparison.Ordinal)..html.IndexOf("</html>",
            StringComparison.Ordinal)]).Root!;
        string[] sections = [.. body.Elements("h2").Select(h => h.Value)];
        Assert.Equal(["Comparison", .. judged ? ["Edges against the ground truth"] : Array.Empty<string>(),
            "KL from the full model over sparsity", "Faithfulness over sparsity", "Training of the masks",
            "Heads that eap drops and searches keep"], sections);
        XElement[] tables = [.. body.Elements("table")];
        Assert.Equal(rows + 1, tables[0].Elements("tr").Count());
        Assert.True(tables[^1].Elements("tr").Count() > 2);
        XElement[] drawings = [.. body.Elements().Where(e => e.Name.LocalName == "svg")];
        Assert.Equal(3, drawings.Length);
        string[] methods = [.. tables[0].Elements("tr").Skip(1).Select(r => r.Elements("td").First().Value).Distinct()];
        string[] legend = [.. drawings[0].Elements().Where(e => e.Name.LocalName == "text").Select(e => e.Value)];
        Assert.All(methods, m => Assert.Contains(m, legend));
    }

    private static List<Dictionary<string, string>> Table(string folder)
    {
        string[][] lines = [.. File.ReadAllLines(Path.Combine(folder, "table.csv")).Select(l => l.Split(','))];
        return [.. lines.Skip(1).Select(cells => lines[0].Zip(cells).ToDictionary(c => c.First, c => c.Second))];
    }

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
