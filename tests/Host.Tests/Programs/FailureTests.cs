using System.Text.Json.Nodes;
using Gradpath.Kernels;
using Gradpath.Programs;

namespace Gradpath.Host.Tests;

public sealed class FailureTests(TinyModel model) : IClassFixture<TinyModel>
{
    [Fact]
    public void A_missing_model_is_explained()
    {
        Cli.Run("score", "--model", "no-such-model", "--task", "ioi").Fails(1, "no-such-model");
        Cli.Run("info", "--model", model.Path("nothing-here")).Fails(1, "nothing-here");
    }

    [Fact]
    public void A_checkpoint_that_is_cut_off_is_explained()
    {
        string directory = model.Path("cut");
        Directory.CreateDirectory(directory);
        File.Copy(Path.Combine(model.ModelDirectory, "config.json"), Path.Combine(directory, "config.json"), overwrite: true);
        byte[] weights = File.ReadAllBytes(Path.Combine(model.ModelDirectory, "model.safetensors"));
        File.WriteAllBytes(Path.Combine(directory, "model.safetensors"), weights[..^100]);
        Cli.Run("score", "--model", directory, "--data", model.Pairs).Fails(1, "model.safetensors");
        Cli.Run("info", "--model", directory).Fails(1, "model.safetensors");
    }

    [Fact]
    public void Pairs_of_unequal_length_are_explained()
    {
        string data = model.Path("unequal.jsonl");
        File.WriteAllText(data, """
            {"clean_ids":[1,2,3],"corrupted_ids":[1,2,4],"answer_ids":[3],"wrong_answer_ids":[4]}
            {"clean_ids":[1,2,3],"corrupted_ids":[1,2],"answer_ids":[3],"wrong_answer_ids":[4]}
            """);
        Cli.Run("score", "--model", model.ModelDirectory, "--data", data).Fails(1, "unequal.jsonl", "2", "3");
    }

    [Fact]
    public void Missing_prompts_are_explained() =>
        Cli.Run("score", "--model", model.ModelDirectory, "--data", model.Path("none.jsonl")).Fails(1, "none.jsonl");

    /// <summary>A smaller batch helps only a command that has batches.</summary>
    [Theory]
    [InlineData("score", true)]
    [InlineData("kernels", false)]
    public void Memory_that_runs_out_is_explained(string verb, bool batches)
    {
        using StringWriter errors = new();
        Terminal terminal = new(TextReader.Null, TextWriter.Null, errors) { Options = VerbTable.All.Single(v => v.Name == verb).Options };
        int code = Failures.Guard(
            "gradpath", () => throw new DeviceException("no memory") { IsOutOfMemory = true }, terminal, CancellationToken.None);
        Assert.Equal(ExitCode.Failure, code);
        Assert.Equal(batches ? "gradpath: no memory; use a smaller --batch-size" : "gradpath: no memory", errors.ToString().Trim());
    }

    /// <summary>Every message about an option begins with it, which is what <c>error.option</c> has.</summary>
    [Theory]
    [InlineData("score --nosuch 1", "--nosuch", "there is no such option")]
    [InlineData("score --metod eap", "--metod", "did you mean --method?")]
    [InlineData("score --task ioi", "--model", "--model is needed: --model MODEL.")]
    [InlineData("score --model demo --memory=", "--memory", "needs a value: --memory SIZE.")]
    [InlineData("score --model demo --batch-size= --task ioi", "--batch-size", "needs a value: --batch-size N.")]
    [InlineData("kernels lst", "--lst", "did you mean --list?")]
    [InlineData("selftest --write-scores a.json", "--write-scores", "--write-scores a.json: ")]
    [InlineData("score --model demo --task", "--task", "needs a value: --task TASK.")]
    [InlineData("score --model demo --task ioi --task ioi", "--task", "appears twice")]
    [InlineData("score --model demo --task ioi --quiet=", "--quiet", "takes no value")]
    [InlineData("score --model demo --task ioi --device cpu --memory 900TiB", "--memory", "--memory 900TiB: ")]
    [InlineData("benchmark --model demo --task ioi --out -", "--out", "--out -: name a folder.")]
    [InlineData("circuit --scores none.json --threshold 1e99", "--threshold", "must be from -1")]
    [InlineData("circuit --scores none.json --threshold=-0.5", "--threshold", "add --signed")]
    public void The_option_at_fault_is_named(string line, string option, string mentions)
    {
        Cli run = Cli.Run([.. line.Split(' '), "--json"]).Fails(2, mentions);
        Assert.Equal(option, (string?)JsonNode.Parse(run.Out)!["error"]!["option"]);
    }

    [Theory]
    [InlineData("score --model demo --help")]
    [InlineData("score --json --top 3 -h")]
    public void Help_is_given_wherever_it_is_asked_for(string line) => Cli.Run(line.Split(' ')).Succeeds("--method", "--record-path");

    /// <summary>A failure that cannot be told to a full disk is told to the error stream.</summary>
    [SkippableFact]
    public void A_full_standard_output_ends_in_a_line()
    {
        Skip.IfNot(File.Exists("/dev/full"));
        ShellRun run = ShellRun.Of(model.Folder, new Dictionary<string, string?>(), "sh", "-c",
            $"dotnet '{typeof(GradpathApp).Assembly.Location}' info --model '{model.ModelDirectory}' --json >/dev/full");
        Assert.Equal(1, run.ExitCode);
        Assert.Equal("gradpath: No space left on device", Assert.Single(run.Error.TrimEnd().Split('\n')));
    }

    [Fact]
    public void Help_about_an_unknown_command_is_a_usage_error() =>
        Cli.Run("help", "scor").Fails(2, "did you mean score?");

    [Fact]
    public void A_stopped_run_leaves_nothing_behind()
    {
        string file = model.Path("stopped.json");
        using CancellationTokenSource stopped = new();
        stopped.Cancel();
        Cli.RunWith("", stopped.Token, "score", "--model", model.ModelDirectory, "--data", model.Pairs, "--out", file).Fails(
            130, "stopped");
        Assert.Empty(Directory.GetFiles(model.Folder, "stopped*"));
    }

    [Fact]
    public void A_failed_run_leaves_the_old_file()
    {
        string file = model.Path("old.json");
        File.WriteAllText(file, "old");
        string data = model.Path("wide.jsonl");
        File.WriteAllText(data, """{"clean_ids":[1,2,99],"corrupted_ids":[1,2,4],"answer_ids":[3],"wrong_answer_ids":[4]}""");
        Cli.Run("score", "--model", model.ModelDirectory, "--data", data, "--out", file).Fails(1, "99");
        Assert.Equal("old", File.ReadAllText(file));
    }
}
