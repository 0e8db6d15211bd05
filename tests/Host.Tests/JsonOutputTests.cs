using System.Text.Json;
using System.Text.Json.Nodes;
using Json.Schema;

namespace Gradpath.Host.Tests;

/// <summary>What <c>--json</c> writes, against the schema that the documentation has.</summary>
public sealed class JsonOutputTests : IDisposable
{
    private static readonly string s_file = Path.Combine(RepositoryFiles.Root, "docs/json-output.schema.json");
    private static readonly JsonSchema s_schema = JsonSchema.FromFile(s_file);

    private readonly TinyModel _model = new();

    public static TheoryData<string> Verbs => [.. VerbTable.Names];

    [Theory]
    [MemberData(nameof(Verbs))]
    public void A_run_writes_one_object_that_fits_the_schema(string verb)
    {
        foreach (string[] command in VerbSamples.Of(verb, _model))
        {
            Cli run = Cli.RunWith(VerbSamples.Input, CancellationToken.None, [.. command, "--json"]);
            Assert.True(run.ExitCode == 0, run.Error + run.Out);
            Assert.Equal("", run.Error);
            JsonObject json = Fits(run.Out);
            Assert.Equal(verb, json["verb"]!.GetValue<string>());
            Assert.Equal(0, json["exit_code"]!.GetValue<int>());
            foreach (JsonNode? file in json["files"]!.AsArray())
            {
                string path = file!["path"]!.GetValue<string>();
                Assert.True(Path.Exists(path), path);
            }
        }
    }

    /// <summary>Every file that a line of text names is in the object, and every cell of a table is one of its values.</summary>
    [Theory]
    [InlineData("evaluate", "faithfulness", "metric_ratio", "n_edges", "peak_bytes", "plan", "seconds")]
    [InlineData("compare", "with")]
    [InlineData("info", "layers", "heads", "n_edges", "parameters")]
    public void Facts_are_typed(string verb, params string[] facts)
    {
        string[] command = VerbSamples.Of(verb, _model)[0];
        JsonObject json = Fits(Cli.Run([.. command, "--json"]).Out);
        foreach (string fact in facts) Assert.True(json["facts"]!.AsObject().ContainsKey(fact), fact);
    }

    [Fact]
    public void A_table_has_the_numbers_that_its_text_rounds()
    {
        string circuit = _model.Circuit("a.json", 10);
        string[] command = ["evaluate", "--model", _model.ModelDirectory, "--data", _model.Pairs, "--threads", "1", "--circuit", circuit];
        string text = Cli.Run(command).Succeeds().Out;
        JsonArray rows = Fits(Cli.Run([.. command, "--json"]).Out)["tables"]!["outcomes"]!.AsArray();
        Assert.Equal(3, rows.Count);
        foreach (JsonNode? row in rows)
        {
            string line = text.Split('\n').First(l => l.TrimStart().StartsWith($"{row!["of"]} ", StringComparison.Ordinal));
            foreach (string column in new[] { "metric", "kl" })
                Assert.Contains(Sizes.Number(row![column]!.GetValue<double>()), line, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void What_is_no_number_is_null()
    {
        File.WriteAllText(_model.Path("unanswered.jsonl"), """{"clean_ids":[1,2,3],"corrupted_ids":[1,4,3]}""" + "\n");
        JsonArray rows = Fits(Cli.Run(
            "evaluate", "--model", _model.ModelDirectory, "--data", _model.Path("unanswered.jsonl"), "--metric", "kl", "--threads", "1",
            "--circuit", _model.Circuit("a.json", 10), "--json").Out)["tables"]!["outcomes"]!.AsArray();
        Assert.All(rows, row => Assert.True(row!.AsObject().ContainsKey("accuracy") && row["accuracy"] is null));
    }

    [Theory]
    [InlineData(2, "--top", "score", "--model", "demo", "--task", "ioi", "--top", "-1")]
    [InlineData(2, "--out", "draw", "--circuit", "c.json", "--out", "c.png")]
    [InlineData(2, "--modle", "score", "--modle", "demo")]
    [InlineData(2, null, "scor")]
    [InlineData(1, null, "draw", "--circuit", "/nowhere/c.json", "--out", "c.svg")]
    public void A_failure_is_an_object_and_a_line(int code, string? option, params string[] command)
    {
        Cli run = Cli.Run([.. command, "--json"]);
        run.Fails(code);
        JsonObject error = Fits(run.Out)["error"]!.AsObject();
        Assert.Equal(code, error["exit_code"]!.GetValue<int>());
        Assert.Equal(option, error["option"]?.GetValue<string>());
        Assert.StartsWith($"gradpath: {error["message"]!.GetValue<string>().Split('\n')[0]}", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_failure_without_json_leaves_standard_output_empty() => Assert.Equal("", Cli.Run("draw", "--out", "c.png").Fails(2).Out);

    [Fact]
    public void A_run_that_is_stopped_says_so()
    {
        using CancellationTokenSource stopped = new();
        stopped.Cancel();
        Cli run = Cli.RunWith("", stopped.Token,
            "evaluate", "--model", _model.ModelDirectory, "--data", _model.Pairs, "--circuit", _model.Circuit("a.json", 10), "--json");
        Assert.Equal(130, run.ExitCode);
        Assert.Equal(130, Fits(run.Out)["exit_code"]!.GetValue<int>());
    }

    [Fact]
    public void The_schema_has_a_definition_of_every_verb_and_no_other()
    {
        JsonNode schema = JsonNode.Parse(File.ReadAllText(s_file))!;
        IEnumerable<string> verbs = schema["oneOf"]!.AsArray().Skip(1).Select(v =>
            v!["allOf"]![1]!["properties"]!["verb"]!["const"]!.GetValue<string>());
        Assert.Equal(VerbTable.Names.Order(), verbs.Order());
        Assert.Equal(VerbTable.Names.Order(), VerbSamples.Verbs.Order());
    }

    public void Dispose() => _model.Dispose();

    internal static JsonObject Fits(string output)
    {
        JsonNode json = JsonNode.Parse(output)!;
        EvaluationResults results = s_schema.Evaluate(json, new EvaluationOptions { OutputFormat = OutputFormat.List });
        if (results.IsValid) return json.AsObject();
        // Of the alternatives only the verb's own is of interest.
        string verb = json["verb"]?.GetValue<string>() ?? "error";
        IEnumerable<string> faults = results.Details.Where(d => d.HasErrors)
            .SelectMany(d => d.Errors!.Select(e => $"{d.SchemaLocation.Fragment} {d.InstanceLocation}: {e.Value}"))
            .Where(f => f.Contains($"/{verb}", StringComparison.Ordinal) || f.Contains("/result", StringComparison.Ordinal));
        Assert.Fail($"{verb} does not fit:\n{string.Join('\n', faults)}\n{json.ToJsonString()[..Math.Min(800, output.Length / 2)]}");
        return [];
    }
}
