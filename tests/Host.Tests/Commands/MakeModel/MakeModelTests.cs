using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Compilation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Gpt2Runtime.Tokenization;

namespace Gradpath.Host.Tests;

public sealed class MakeModelTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public static TheoryData<string> Names => [.. CompiledPrograms.All.Select(p => p.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void The_folder_holds_the_program(string name)
    {
        string folder = Make(name, "--count", "20", "--seed", "3");
        CompiledProgram program = CompiledPrograms.Find(name);
        CompiledModel model = program.Compile(new DistractorOptions(3));
        PromptSet read = PromptLoader.Load(null, Path.Combine(folder, "prompts.jsonl"), BpeTokenizer.Load(folder), new PromptOptions());
        Assert.Empty(read.Warnings);
        foreach ((PromptPair expected, PromptPair found) in program.Pairs(20, 3).Zip(read.Pairs))
        {
            Assert.Equal(expected.Clean, found.Clean);
            Assert.Equal(expected.Corrupted, found.Corrupted);
            Assert.Equal(expected.Answers, found.Answers);
            Assert.Equal(expected.WrongAnswers, found.WrongAnswers);
        }
        Assert.Equal(model.Circuit.Membership, Circuit.Load(Path.Combine(folder, "known-circuit.json")).Membership);
        string undecided = Path.Combine(folder, "undecided-edges.json");
        Assert.Equal(model.Undecided.EdgeCount > 0, File.Exists(undecided));

        // The checkpoint computes what the compiled weights do, and the prompts are judged without a warning.
        JsonObject json = JsonOutputTests.Fits(Cli.Run(
            "evaluate", "--model", folder, "--data", Path.Combine(folder, "prompts.jsonl"), "--circuit",
            Path.Combine(folder, "known-circuit.json"), "--device", "cpu", "--threads", "1", "--strict", "--json").Succeeds().Out);
        JsonNode full = json["tables"]!["outcomes"]!.AsArray()
            .First(r => r!["of"]!.GetValue<string>().StartsWith("full", StringComparison.Ordinal))!;
        Assert.Equal(1, full["accuracy"]!.GetValue<double>());
    }

    [Fact]
    public void The_circuit_beside_a_model_judges_benchmarks_and_sweeps_and_reports()
    {
        string folder = Make("sort"), data = Path.Combine(folder, "prompts.jsonl");
        string[] prompted = ["--model", folder, "--data", data, "--device", "cpu", "--threads", "1"];
        Cli.Run(["benchmark", .. prompted, "--methods", "exact", "--sparsity", "0.9", "--out", _folder["bench"]])
            .Succeeds("edges judged by: sort/known-circuit.json", "1.000");
        string scores = _folder["scores.json"];
        Cli.Run(["score", .. prompted, "--method", "exact", "--out", scores]).Succeeds();
        Cli.Run("report", "--scores", scores, "--ground-truth", folder, "--out", _folder["page.html"]).Succeeds("1.000", "exact");
        Assert.Contains("known circuit, exact", File.ReadAllText(_folder["page.html"]), StringComparison.Ordinal);
        Cli.Run("compare", "--scores", scores, "--with", folder).Succeeds();
        Cli.Run("compare", "--scores", scores, "--with", _folder.Path).Fails(2, "no model with a known circuit");

        string plan = _folder.Write("plan.yaml", $$"""
            models: {{folder}}
            tasks: {name: sort, data: {{data}}}
            methods: [exact]
            prompts: {train: 50, judge: 50}
            evaluate: known-circuit
            sizes: {edges: [10]}
            """);
        Cli.Run("sweep", plan, "--out", _folder["swept"], "--device", "cpu", "--threads", "1").Succeeds();
        Cli.Run("sweep", "merge", _folder["swept"], "--table", _folder["swept.csv"]).Succeeds();
        string[] lines = File.ReadAllLines(_folder["swept.csv"]);
        int precision = Array.IndexOf(lines[0].Split(','), "precision");
        Assert.Contains(lines.Skip(1), l => l.Split(',')[precision] == "1");
    }

    [Fact]
    public void A_circuit_of_another_checkpoint_is_not_looked_at()
    {
        string sort = Make("sort"), reverse = Make("reverse");
        File.Copy(Path.Combine(sort, "known-circuit.json"), Path.Combine(reverse, "known-circuit.json"), overwrite: true);
        Cli run = Cli.Run(
            "benchmark", "--model", reverse, "--data", Path.Combine(reverse, "prompts.jsonl"), "--device", "cpu", "--threads", "1",
            "--methods", "eap", "--sparsity", "0.9", "--out", _folder["bench"]).Succeeds();
        Assert.DoesNotContain("edges judged by", run.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "name a program")]
    [InlineData("sort", "--out DIR is needed")]
    [InlineData("srot --out x", "--program srot")]
    [InlineData("list --out x", "--out: a list makes no model")]
    [InlineData("sort --list", "give one of them")]
    [InlineData("sort --config c.json --out x", "--config is of the model that --from names")]
    [InlineData("--edges e.json --out x --program sort", "--edges are of the model that --from names")]
    [InlineData("--from w.safetensors --out x", "name the model's configuration with --config")]
    [InlineData("list --seed 3", "--seed is for a program")]
    public void What_does_not_go_together_is_refused(string options, string message)
    {
        Cli.Run(["make-model", .. options.Split(' ', StringSplitOptions.RemoveEmptyEntries)]).Fails(2, message);
        Assert.Empty(Directory.GetFileSystemEntries(_folder.Path));
    }

    [Fact]
    public void A_file_in_the_folders_place_is_refused() =>
        Cli.Run("make-model", "sort", "--out", _folder.Write("file", "")).Fails(2, "it is a file; name a directory");

    [Fact]
    public void Files_that_are_no_model_are_named()
    {
        string config = _folder.Write("cfg.json", """{"attention_dir": "bidirectional"}""");
        string weights = _folder.Write("w.safetensors", "no");
        Cli.Run("make-model", "--from", weights, "--config", config, "--out", _folder["out"])
            .Fails(1, "cfg.json: attention_dir is \"bidirectional\"");
        Cli.Run("make-model", "--from", weights, "--config", _folder["nowhere.json"], "--out", _folder["out"]).Fails(1, "nowhere.json");
        Assert.False(Directory.Exists(_folder["out"]));
    }

    public void Dispose() => _folder.Dispose();

    private string Make(string name, params string[] options)
    {
        string folder = _folder[name];
        Cli.Run(["make-model", name, "--out", folder, .. options]).Succeeds("circuit: ");
        return folder;
    }
}
