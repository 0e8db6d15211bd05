namespace Gradpath.Host.Tests;

/// <summary>Signals to the program in a process of its own: all commands stop, nothing half-written remains, searches can go on.</summary>
public sealed class SignalTests(TinyModel model) : IClassFixture<TinyModel>
{
    private static readonly string Demo = RepositoryFiles.DemoModel;

    // A command line per command that takes long enough to be stopped in its work; a few are done before.
    private Dictionary<string, string[]> Lines => new()
    {
        ["score"] = ["--model", Demo, "--task", "ioi", "--limit", "500", "--method", "exact", "--out", "out.json"],
        ["circuit"] = ["--scores", model.Scores(), "--top-n", "5", "--out", "out.json"],
        ["compare"] = ["--scores", model.Scores(), "--with", model.Circuit("truth.json", 9, "--no-prune"), "--roc", "out.csv"],
        ["convert"] = [model.Scores(), "--out", "out.safetensors"],
        ["evaluate"] = ["--model", Demo, "--task", "ioi", "--limit", "1000", "--circuit", DemoCircuit, "--out", "out.json"],
        ["curve"] = ["--model", Demo, "--task", "ioi", "--limit", "1000", "--scores", DemoCircuit, "--out", "out.csv"],
        ["completeness"] = ["--model", Demo, "--task", "ioi", "--circuit", DemoCircuit, "--out", "out.json"],
        ["minimality"] = ["--model", Demo, "--task", "ioi", "--circuit", DemoCircuit, "--out", "out.json"],
        ["test-circuit"] = ["--model", Demo, "--task", "ioi", "--circuit", DemoCircuit, "--out", "out.json"],
        ["stability"] = ["--per-item", model.PerItem(), "--sizes", "9", "--resamples", "10000", "--out", "out.json"],
        ["transfer"] = ["--model", Demo, "--tasks", "ioi,sva", "--limit", "1000", "--out", "out.json", "--table", "out.csv"],
        ["acdc"] = ["--model", Demo, "--task", "ioi", "--tau", "0.0001", "--out", "out.json"],
        ["path-patch"] = ["--model", Demo, "--task", "ioi", "--iterate", "--threshold", "0.01", "--out", "out.json"],
        ["edge-prune"] = ["--model", Demo, "--task", "ioi", "--out", "out.json", "--log", "out.csv"],
        ["hap"] = ["--model", Demo, "--task", "ioi", "--out", "out.json", "--log", "out.csv"],
        ["search"] = ["--model", Demo, "--task", "ioi", "--method", "acdc", "--threshold", "0.0001", "--out", "out.json"],
        ["benchmark"] = ["--model", Demo, "--task", "ioi", "--out", "out"],
        ["ground-truth"] = ["--device", "cpu", "--limit", "2000"],
        ["sweep"] = ["--plan", Path.Combine(RepositoryFiles.Root, "sweeps/demo.yaml"), "--out", "out", "--device", "cpu"],
        ["sweep-status"] = ["--dir", SweepSamples.Folder(model)],
        ["sweep-retry"] = ["--dir", SweepSamples.Folder(model, failure: true)],
        ["sweep-merge"] = ["--dir", SweepPlans.Swept(model), "--table", "out.csv"],
        ["sweep-submit"] = ["--dir", SweepPlans.Swept(model), "--engine", "slurm", "--dry-run"],
        ["transcode-train"] = ["--model", Demo, "--tasks", "ioi", "--out", "out"],
        ["transcode-graph"] = ["--model", Demo, "--prompt", "Anna and Paul", "--out", "out.json"],
        ["reproduce"] = ["ioi", "--model", Demo, "--limit", "2000", "--out", "out.json"],
        ["demo"] = ["--out", "out"],
        ["info"] = ["--model", Demo],
        ["tasks"] = [],
        ["prompts"] = ["--model", Demo, "--task", "ioi", "--count", "100000", "--out", "out.jsonl"],
        ["make-model"] = ["reverse", "--count", "50000", "--out", "out"],
        ["tokenize"] = ["--model", Demo],
        ["report"] = ["--scores", DemoCircuit, "--out", "out.html"],
        ["draw"] = ["--scores", DemoCircuit, "--out", "out.html"],
        ["selftest"] = ["--against", "cpu", "--device", "cpu"],
        ["kernels"] = ["--run", "Gemm", "--device", "cpu", "--repeats", "1000"],
        ["bench"] = ["--device", "cpu", "--out", "out.json"],
        ["completion"] = ["bash"],
    };

    private string DemoCircuit
    {
        get
        {
            string scores = model.Path("demo-scores.json"), circuit = model.Path("demo-circuit.json");
            if (File.Exists(circuit)) return circuit;
            Cli.Run("score", "--model", Demo, "--task", "ioi", "--limit", "5", "--method", "eap", "--out", scores).Succeeds();
            Cli.Run("circuit", "--scores", scores, "--top-n", "300", "--out", circuit).Succeeds();
            return circuit;
        }
    }

    public static TheoryData<string> Verbs => [.. VerbTable.Names];

    [SkippableTheory]
    [MemberData(nameof(Verbs))]
    public void Every_command_stops_and_leaves_nothing_half_written(string verb)
    {
        Skip.If(OperatingSystem.IsWindows(), "there are no such signals on Windows");
        using TempFolder folder = new();
        Child child = Child.Run(new Child.Plan
        {
            Arguments = [verb, .. Lines[verb]],
            Folder = folder.Path,
            Sent = (Child.Terminate, TimeSpan.FromSeconds(0.8)),
        });
        Assert.True(child.AfterSignal < TimeSpan.FromSeconds(40), $"it took {child.AfterSignal} to stop");
        Assert.DoesNotContain("   at ", child.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(folder.Path, "*.part", SearchOption.AllDirectories));
        if (child.ExitCode == 0) return;
        Assert.True(child.ExitCode == 143, $"exit code {child.ExitCode}:\n{child.Error}");
        if (child.Error.Length > 0) Assert.Contains("gradpath: stopped by SIGTERM", child.Error, StringComparison.Ordinal);
    }

    [SkippableTheory]
    [InlineData(Child.Interrupt, "stopped after ", 130)]
    [InlineData(Child.Terminate, "stopped by SIGTERM after ", 143)]
    [InlineData(Child.Hangup, "stopped by SIGHUP after ", 129)]
    public void A_signal_is_named_and_the_work_is_kept(int signal, string message, int code)
    {
        Skip.If(OperatingSystem.IsWindows(), "there are no such signals on Windows");
        using TempFolder folder = new();

        // The tests' shell may have been started with Ctrl-C ignored, and what it starts then ignores it too.
        Child child = Child.Run(new Child.Plan
        {
            Arguments = ["acdc", .. Lines["acdc"]],
            Folder = folder.Path,
            Sent = (signal, TimeSpan.FromSeconds(3)),
        });
        Skip.If(child.ExitCode == 0, "this machine is done before it can be stopped, or ignores the signal");
        Assert.True(child.ExitCode == code, $"exit code {child.ExitCode}:\n{child.Error}");
        if (!File.Exists(folder["out.json.progress"])) return;
        Assert.Contains(message, child.Error, StringComparison.Ordinal);
        Assert.Contains("--resume goes on from there", child.Error, StringComparison.Ordinal);
    }

    [SkippableFact]
    public void A_run_that_ignores_hangups_goes_on()
    {
        Skip.If(OperatingSystem.IsWindows(), "there are no such signals on Windows");
        using TempFolder folder = new();
        Child child = Child.Run(new Child.Plan
        {
            Arguments = ["score", "--model", Demo, "--task", "ioi", "--limit", "200", "--out", "out.json"],
            Folder = folder.Path,
            Shell = "trap '' HUP; exec \"$@\"",
            Sent = (Child.Hangup, TimeSpan.FromSeconds(1)),
        });
        Assert.True(child.ExitCode == 0, $"exit code {child.ExitCode}:\n{child.Error}");
        Assert.True(File.Exists(folder["out.json"]));
    }

    [SkippableTheory]
    [InlineData("write")]
    [InlineData("rename")]
    public void What_is_stopped_while_it_writes_leaves_the_old_file_or_the_new_one(string step)
    {
        Skip.If(OperatingSystem.IsWindows(), "there are no such signals on Windows");
        using TempFolder folder = new();
        File.WriteAllText(folder["out.json"], "old");
        int number = step == "write" ? 2 : 4;
        Child child = Child.Run(new Child.Plan
        {
            Arguments = ["circuit", "--scores", model.Scores(), "--top-n", "5", "--out", "out.json"],
            Folder = folder.Path,
            At = new KillPoint(number, Child.Kill),
        });
        Assert.Equal(137, child.ExitCode);
        Assert.Equal("old", File.ReadAllText(folder["out.json"]));
        Assert.Single(Directory.GetFiles(folder.Path, "*.part"));
        Cli.Run("circuit", "--scores", model.Scores(), "--top-n", "5", "--out", folder["out.json"]).Succeeds();
        Assert.Equal(folder["out.json"], Assert.Single(Directory.GetFiles(folder.Path)));
    }

    [SkippableTheory]
    [InlineData("-", "cat > piped", "piped")]
    [InlineData("/dev/stdout", "cat > piped", "piped")]
    [InlineData("/dev/stdout", "", "out.txt")]
    [InlineData("/dev/fd/3", "", "three")]
    public void A_result_goes_to_an_open_stream(string path, string pipe, string file)
    {
        Skip.If(OperatingSystem.IsWindows(), "there are no such paths on Windows");
        using TempFolder folder = new();
        folder.Write("out.txt", "before\n");
        string tail = pipe.Length > 0 ? $"| {pipe}" : ">> out.txt";
        Child child = Child.Run(new Child.Plan
        {
            Arguments = ["circuit", "--scores", model.Scores(), "--top-n", "5", "--no-prune", "--out", path],
            Folder = folder.Path,
            Shell = $"\"$@\" 3> three {tail}",
        });
        Assert.True(child.ExitCode == 0, $"exit code {child.ExitCode}:\n{child.Error}");
        string text = File.ReadAllText(folder[file]);
        if (file == "out.txt") Assert.StartsWith("before\n", text, StringComparison.Ordinal);
        int begin = text.IndexOf('{', StringComparison.Ordinal), end = text.LastIndexOf('}');
        File.WriteAllText(folder["read.json"], text[begin..(end + 1)]);
        Assert.Equal(5, Gpt2Runtime.Graph.Circuit.Load(folder["read.json"]).EdgeCount);

        // A pipe gets the file alone.
        string before = file == "out.txt" ? "before\n" : "";
        if (file != "three") Assert.Equal((before.Length, text.Length), (begin, end + 1));
        if (file != "three") Assert.Contains($"circuit: {path}", child.Error, StringComparison.Ordinal);
    }
}
