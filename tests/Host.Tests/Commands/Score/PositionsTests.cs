using System.Text.RegularExpressions;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Positions;
using Gradpath.Host.Sweeps.Store;
using Gradpath.Host.Sweeps.Units;

namespace Gradpath.Host.Tests;

/// <summary>Edges between spans from the command line: docs/positions.md, files of prompts, errors, sweeps.</summary>
public sealed class PositionsTests : IDisposable
{
    private static readonly string s_demo = Path.Combine(RepositoryFiles.Root, "models/demo");
    private static readonly string s_page = File.ReadAllText(Path.Combine(RepositoryFiles.Root, "docs/positions.md"));

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_commands_of_the_page_work()
    {
        string[] commands = [.. Regex.Matches(s_page, "```sh\n(.*?)```", RegexOptions.Singleline)
            .SelectMany(m => m.Groups[1].Value.Split('\n', StringSplitOptions.RemoveEmptyEntries))];
        Assert.Equal(4, commands.Length);
        foreach (string command in commands)
        {
            string[] words = command.Split(' ')[1..];
            for (int i = 1; i < words.Length; i++)
            {
                if (words[i - 1] is "--out" or "--scores" or "--circuit") words[i] = _folder[words[i]];
            }
            Cli.Run(words).Succeeds();
        }
        Assert.Contains("<svg class=\"spans\"", File.ReadAllText(_folder["report.html"]), StringComparison.Ordinal);
    }

    [Fact]
    public void The_page_says_which_methods_tell_spans_apart()
    {
        foreach (bool takes in (bool[])[true, false])
        {
            string names = string.Join(", ", AttributionMethods.All.Where(m => m.ScoresPositions == takes).Select(m => $"`{m.Name}`"));
            Assert.Contains($"| {names} | {(takes ? "yes" : "no")} |", s_page, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Prompts_that_are_written_name_the_same_spans()
    {
        Cli.Run("prompts", "--task", "ioi", "--model", "demo", "--count", "6", "--out", _folder["pairs.jsonl"]).Succeeds();
        Cli.Run(["score", "--model", "demo", "--task", "ioi", "--limit", "6", .. Spans("a.json")]).Succeeds("edges between them");
        Cli.Run(["score", "--model", "demo", "--data", _folder["pairs.jsonl"], .. Spans("b.json")]).Succeeds("edges between them");
        Assert.Equal(PositionalScores.Load(_folder["a.json"]).Values.ToArray(), PositionalScores.Load(_folder["b.json"]).Values.ToArray());
    }

    [Theory]
    [InlineData("greater-than", "year")]
    [InlineData("sva", "subject")]
    [InlineData("gender-bias", "profession")]
    [InlineData("country-capital", "capital")]
    [InlineData("hypernymy", "member")]
    public void Tasks_name_what_differs(string task, string name)
    {
        Cli.Run(["score", "--model", "demo", "--task", task, "--limit", "5", .. Spans("a.json")]).Succeeds("edges between them");
        Assert.Equal(["end", "rest", "start", name], PositionalScores.Load(_folder["a.json"]).Graph.Spans.Order(StringComparer.Ordinal)
            .OrderBy(s => s == name));
    }

    [Theory]
    [InlineData("{\"x\": [1, 99]}", "pairs.jsonl, line 2: the span \"x\" is [1, 99)")]
    [InlineData("{\"x\": [1, 3], \"y\": [2, 4]}", "line 2: the spans \"x\" and \"y\" share the token 2")]
    [InlineData("{\"x\": 3}", "line 2: spans must be an object of names")]
    [InlineData("{\"y\": [1, 3]}", "has the spans y; ")]
    [InlineData("{}", "names no spans")]
    public void Unfit_spans_are_refused(string spans, string expected)
    {
        string Row(string own) => "{\"clean\": \"Yesterday Anna and Paul sat down in the shop, and Paul gave a book to\", "
            + "\"corrupted\": \"Yesterday Anna and Paul sat down in the shop, and Mark gave a book to\", "
            + $"\"answers\": [\" Anna\"], \"wrong_answers\": [\" Paul\"], \"spans\": {own}}}\n";
        _folder.Write("pairs.jsonl", Row("{\"x\": [1, 3]}") + Row(spans));
        Cli.Run(["score", "--model", "demo", "--data", _folder["pairs.jsonl"], .. Spans("a.json")]).Fails(1, expected, "pairs.jsonl");
    }

    [Fact]
    public void What_cannot_be_asked_for_is_refused()
    {
        string[] run = ["score", "--model", "demo", "--task", "ioi", "--limit", "2", "--positions"];
        Cli.Run([.. run, "spans", "--method", "exact"]).Fails(2, "--positions spans does not apply to exact; eap, eap-ig");
        Cli.Run([.. run, "words"]).Fails(2, "--positions words");
        Cli.Run([.. run, "spans", "--per-item", _folder["i.safetensors"]]).Fails(2, "does not go with --per-item");
        Cli.Run([.. run, "spans", "--out", _folder["s.json"]]).Succeeds();
        Cli.Run("circuit", "--scores", _folder["s.json"], "--nodes", "3").Fails(2, "--nodes", "--sum-spans");
        Cli.Run("circuit", "--scores", _folder["s.json"], "--greedy", "30", "--out", _folder["c.json"]).Succeeds("edges between spans");
        Cli.Run("circuit", "--scores", _folder["s.json"], "--greedy", "30", "--sum-spans", "--out", _folder["p.json"])
            .Succeeds("greedy 30");
        Cli.Run("evaluate", "--circuit", _folder["c.json"], "--model", "demo", "--task", "sva", "--limit", "4")
            .Fails(1, "the circuit's spans are");
        Assert.True(PositionalFile.HasPositions(_folder["c.json"]));
        Assert.False(PositionalFile.HasPositions(_folder["p.json"]));
    }

    [Fact]
    public void Prompts_in_PEAPs_form_are_read()
    {
        const string Header = ",prompt,prompt_id,prefix,IO,S1,action,S2,to,length,wrong_token,correct_token,split\n";
        string Row(string name) =>
            $"0,\"Yesterday Anna and Paul sat down in the shop, and {name} gave a book to\",3,1,3,5,6,13,17,18, Paul, Anna,x\n";
        _folder.Write("ioi_clean.csv", Header + Row("Paul"));
        string[] run = ["score", "--model", "demo", "--data", _folder["ioi_clean.csv"], .. Spans("a.json")];
        Cli.Run(run).Fails(1, "ioi_clean.csv: the corrupted prompts of PEAP's form", "there is no ioi_counter_*.csv beside it");
        _folder.Write("ioi_counter_abc.csv", Header + Row("Mark"));
        Cli.Run(run).Succeeds("edges between them");
        PositionalGraph graph = PositionalScores.Load(_folder["a.json"]).Graph;
        Assert.Equal(["prefix", "IO", "S1", "action", "S2", "to", "rest"], graph.Spans);
        _folder.Write("ioi_clean.csv", Header + Row("Paul").Replace(",18,", ",19,", StringComparison.Ordinal));
        Cli.Run(run).Fails(1, "ioi_clean.csv, line 2", "length is 19");
    }

    [Fact]
    public void A_sweeps_method_may_tell_spans_apart()
    {
        using UnitSweep sweep = new();
        SweepFolder folder = sweep.Run("""
            tasks: ioi
            methods: [{name: eap, positions: spans}]
            seeds: 0
            sizes: {edges: [20, 100]}
            evaluate: [sizes]
            """);
        SweepUnit unit = Assert.Single(folder.Units);
        UnitResult result = folder.Result(unit.Key);
        (string find, string judge) = sweep.Prompts("ioi", 0);
        UnitSweep.Verb(
            ["score", "--data", find, "--method", "eap", "--positions", "spans", "--out", sweep["s.json"], "--metric", unit.Metric]);
        PositionalScores scores = PositionalScores.Load(sweep["s.json"]);
        Assert.Equal(scores.Graph.EdgeCount, result.GraphEdges);
        Assert.Equal(2, result.Rows.Count);
        Assert.All(result.Rows, row => Assert.InRange(row.Edges, row.EdgesAsked!.Value - 5, row.EdgesAsked!.Value));
        Cli.Run("circuit", "--scores", sweep["s.json"], "--top-n", "100", "--fill", "--out", sweep["c.json"]).Succeeds();
        string said = Cli.Run(
            "evaluate", "--circuit", sweep["c.json"], "--model", s_demo, "--data", judge, "--metric", unit.Metric, "--json").Out;
        double faithfulness = (double)System.Text.Json.Nodes.JsonNode.Parse(said)!["facts"]!["faithfulness"]!;
        Assert.Equal(faithfulness, result.Rows[1].Faithfulness!.Value, 1e-6);
    }

    private string[] Spans(string name) => ["--positions", "spans", "--out", _folder[name]];
}
