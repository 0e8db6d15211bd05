using System.Globalization;
using System.Text.Json;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Runs;

namespace Gradpath.Host.Tests;

public sealed class AcdcTests(TinyModel model) : IClassFixture<TinyModel>
{
    [Fact]
    public void A_circuit_its_log_and_its_table_agree_and_evaluate_reads_it()
    {
        (string file, string log, string table) = (model.Path("found.json"), model.Path("found.csv"), model.Path("found-table.csv"));
        Run("--tau", "0.002", "--out", file, "--log", log, "--table", table)
            .Succeeds("KL divergence from the full model, order normal, 46 edges", "0.002", "tested", "full model", "time: load", file, log,
                table);
        Circuit circuit = CircuitFile.Read(file);
        string[][] steps = Csv(log);
        Assert.Equal(["tau", "step", "sender", "receiver", "objective_before", "objective_after", "decision", "edges_left"], steps[0]);
        Assert.Equal(46, steps.Length - 1);
        foreach (string[] step in steps[1..])
        {
            Assert.True(circuit.Graph.TryParseEdge($"{step[2]}->{step[3]}", out int row, out int column), $"{step[2]}->{step[3]}");
            double change = step[5].Length == 0 ? 0 : Number(step[5]) - Number(step[4]);
            Assert.Equal(change, circuit.Scores![row, column], 1e-7);
            Assert.Equal(step[6], step[5].Length == 0 ? "dropped" : change < 0.002 ? "removed" : "kept");
            if (step[6] != "kept") Assert.False(circuit.Contains(row, column));
        }
        int kept = steps[1..].Count(s => s[6] == "kept");
        Assert.Equal((kept, $"{kept}"), (circuit.EdgesBeforePrune, steps[^1][7]));
        Assert.InRange(circuit.EdgeCount, 1, kept);

        string[][] rows = Csv(table);
        string Cell(string column) => rows[1][Array.IndexOf(rows[0], column)];
        Assert.Equal(($"{kept}", $"{circuit.EdgeCount}", ""), (Cell("edges"), Cell("edges_after_prune"), Cell("true_positive_rate")));
        Evaluate(file).Succeeds();
        JsonElement evaluation = JsonDocument.Parse(File.ReadAllBytes(model.Path("evaluation.json"))).RootElement;
        Assert.Equal(evaluation.GetProperty("kl").GetDouble(), Number(Cell("kl")), 1e-9);
        Assert.Equal(evaluation.GetProperty("circuit").GetDouble(), Number(Cell("metric")), 1e-9);

        Provenance p = circuit.Provenance!;
        Assert.Equal(("acdc", "kl", "patching", 6), (p.Method, p.Metric, p.Ablation, p.Items));
        Assert.Equal((0.002, "normal", false), (p.Options["tau"]!.GetValue<double>(), p.Options["order"]!.GetValue<string>(),
            p.Options["absolute"]!.GetValue<bool>()));
        Assert.Equal(Cell("tested"), p.Options["edges_tested"]!.ToJsonString());
        Assert.True(p.Options["forward_passes"]!.GetValue<double>() > 1);
        Assert.True(p.Options["seconds"]!.GetValue<double>() > 0);
        Assert.Equal(evaluation.GetProperty("kl").GetDouble(), p.Options["objective_circuit"]!.GetValue<double>(), 1e-5);
        Assert.False(File.Exists(file + ".progress"));
    }

    [Theory]
    [InlineData("--objective metric", "minus logit-diff")]
    [InlineData("--objective metric --metric prob-diff --absolute", "minus prob-diff, absolute change")]
    [InlineData("--metric kl --objective metric", "KL divergence from the full model", "metric kl")]
    [InlineData("--order reverse --ablation zero", "order reverse", "ablation zero")]
    [InlineData("--order score --ablation mean-positional --no-prune", "order score", "ablation mean-positional")]
    [InlineData("--batch-size 4 --candidates 3 --limit 5", "batch of 4", "5 prompt pairs")]
    public void Options_are_read_and_stated(string options, params string[] mentions)
    {
        Run([.. options.Split(' '), "--out", model.Path("options.safetensors")]).Succeeds(mentions);
        Circuit circuit = CircuitFile.Read(model.Path("options.safetensors"));
        if (options.Contains("--no-prune", StringComparison.Ordinal)) Assert.Equal(circuit.EdgesBeforePrune, circuit.EdgeCount);
        Assert.Equal(options.Contains("score", StringComparison.Ordinal) ? "eap" : null,
            circuit.Provenance!.Options["order_scores"]?.GetValue<string>());
    }

    [Fact]
    public void Scores_of_a_file_order_the_senders_as_those_computed_on_the_way()
    {
        string scores = model.Path("eap.json");
        Cli.Run("score", "--model", model.ModelDirectory, "--data", model.Pairs, "--method", "eap", "--threads", "1", "--out", scores)
            .Succeeds();
        Run("--order", "score", "--log", model.Path("computed.csv"), "--out", model.Path("computed.json")).Succeeds();
        Run("--order", "score", "--scores", scores, "--log", model.Path("read.csv"), "--out", model.Path("read.json")).Succeeds();
        Assert.Equal(File.ReadAllText(model.Path("computed.csv")), File.ReadAllText(model.Path("read.csv")));
        Assert.Equal("eap.json", CircuitFile.Read(model.Path("read.json")).Provenance!.Options["order_scores"]!.GetValue<string>());
    }

    [Fact]
    public void A_sweep_writes_a_circuit_per_threshold_and_the_area_against_a_ground_truth()
    {
        string truth = model.Path("truth.json"), table = model.Path("sweep.csv");
        Run("--tau", "0.003", "--order", "reverse", "--out", truth).Succeeds();
        Cli run = Run("--thresholds", "0.0005,0.005,0.05", "--ground-truth", truth, "--table", table, "--out", model.Path("sweep.json"))
            .Succeeds("TPR", "FPR", "0.0005", "sweep-0.0005.json", "sweep-0.005.json", "sweep-0.05.json", "judged by");
        Assert.False(File.Exists(model.Path("sweep.json")));
        string[][] rows = Csv(table);
        List<RocPoint> points = [];
        foreach (string[] row in rows[1..])
        {
            string one = model.Path("one.json");
            Run("--tau", row[0], "--out", one).Succeeds();
            Circuit circuit = CircuitFile.Read(model.Path($"sweep-{row[0]}.json"));
            Assert.Equal(CircuitFile.Read(one).Membership.ToArray(), circuit.Membership.ToArray());
            RocPoint point = RocPoint.Of(circuit, CircuitFile.Read(truth));
            Assert.Equal((point.TruePositiveRate, point.FalsePositiveRate), (Number(row[^2]), Number(row[^1])));
            points.Add(point);
        }
        Assert.Equal(3, points.Count);
        Assert.Contains($"staircase through these points, (0, 0) and (1, 1): "
            + $"{RocCurve.StaircaseArea(points).ToString("0.000", CultureInfo.InvariantCulture)}", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void A_stopped_run_says_how_to_go_on_and_goes_on()
    {
        string file = model.Path("stopped.json"), log = model.Path("stopped.csv");
        string[] options = ["acdc", "--model", model.ModelDirectory, "--data", model.Pairs, "--threads", "1", "--thresholds", "0.001,0.01",
            "--out", file, "--log", log];
        Cli.Run(options).Succeeds();
        string whole = File.ReadAllText(log);
        File.Delete(log);

        int reports = 0;
        Cli stopped = Cli.StoppedWhen(_ => ++reports == 20, options);
        stopped.Fails(130, "stopped after", "stopped.json.progress", "--resume");

        // The log is written with the work, and has as much.
        string part = File.ReadAllText(log);
        Assert.True(part.Length < whole.Length && whole.StartsWith(part[..part.TrimEnd().LastIndexOf('\n')], StringComparison.Ordinal));

        Cli.Run(options).Fails(1, "stopped.json.progress", "--resume");
        Cli.Run([.. options, "--resume", "--order", "reverse"]).Fails(1, "--order was \"normal\" there and is \"reverse\" now");
        Cli.Run([.. options, "--resume", "--limit", "5"]).Fails(1, "the number of prompt pairs (--limit) was 6 there and is 5 now");
        string other = model.Path("other.jsonl");
        File.WriteAllText(other, TinyModel.PairLines(6, 4));
        Cli.Run([.. options.Select(x => x == model.Pairs ? other : x), "--resume"]).Fails(1, "--data was ", "other.jsonl");
        Assert.True(File.Exists(file + ".progress"));

        Cli.Run([.. options, "--resume"]).Succeeds("stopped-0.001.json");
        Assert.Equal(whole, File.ReadAllText(log));
        Assert.False(File.Exists(file + ".progress"));
        Cli.Run([.. options, "--resume"]).Fails(1, "nothing to go on from");
    }

    [Theory]
    [InlineData("--tau -0.1", "--tau -0.1", "from 0")]
    [InlineData("--tau nan", "--tau")]
    [InlineData("--tau x", "tau")]
    [InlineData("--thresholds 0.1,-1", "--thresholds 0.1,-1")]
    [InlineData("--thresholds 0.1,0.1", "twice")]
    [InlineData("--thresholds 0.1,0.2 --tau 0.1", "--tau and --thresholds")]
    [InlineData("--objective loss", "--objective loss", "kl or metric")]
    [InlineData("--order random", "--order random", "normal, reverse or score")]
    [InlineData("--scores s.json", "--scores does not apply to --order normal")]
    [InlineData("--candidates 0", "--candidates 0")]
    [InlineData("--ablation none", "--ablation none")]
    [InlineData("--log steps.txt", "--log steps.txt", ".csv")]
    [InlineData("--table nowhere/t.csv", "--table", "does not exist")]
    [InlineData("--ground-truth chess", "--ground-truth chess", "ioi")]
    public void A_wrong_option_is_named(string options, params string[] mentions) =>
        Cli.Run(["acdc", "--model", model.ModelDirectory, "--data", model.Pairs, "--out", model.Path("wrong.json"), .. options.Split(' ')])
            .Fails(2, mentions);

    [Fact]
    public void What_cannot_be_searched_is_explained()
    {
        Cli.Run("acdc", "--model", "demo", "--task", "ioi").Fails(2, "out");
        Run("--out", model.Path("c.txt")).Fails(2, "c.txt", ".safetensors");
        Run("--out", model.Path("c.json"), "--ground-truth", "ioi").Fails(1, "12 layers x 12 heads", "2 layers x 2 heads");
        Run("--out", model.Path("c.json"), "--order", "score", "--metric", "kl").Fails(2, "--order score", "gradient is 0");
        Run("--out", model.Path("c.json"), "--order", "score", "--scores", model.Path("none.json")).Fails(1, "none.json", "no such file");
    }

    private Cli Run(params string[] options) =>
        Cli.Run(["acdc", "--model", model.ModelDirectory, "--data", model.Pairs, "--threads", "1", .. options]);

    private Cli Evaluate(string circuit) => Cli.Run(
        "evaluate", "--circuit", circuit, "--model", model.ModelDirectory, "--data", model.Pairs, "--threads", "1", "--out",
        model.Path("evaluation.json"));

    private static string[][] Csv(string path) => [.. File.ReadAllLines(path).Select(line => line.Split(','))];

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
