using Gradpath.Host.Sweeps.Store;
using Gradpath.Host.Sweeps.Units;

namespace Gradpath.Host.Tests;

/// <summary>What cannot be done: one line each, nothing lost, nothing half-written.</summary>
public sealed class SweepFaultTests : IDisposable
{
    private const string Methods = """
        methods: [eap, {name: eap-ig, steps: 2}]
        prompts: {train: 3, judge: 3}
        sizes: {edges: 5}
        evaluate: sizes
        """;

    private readonly TinyModel _model = new();

    private string Out => _model.Path("out");

    [Theory]
    [InlineData("methods: eap\nmthods: eap", "plan.yaml:4: mthods: no such key")]
    [InlineData("methods: eap\nmetrics: kl", "plan.yaml:3: methods: eap: metric kl: EAP has no scores")]
    [InlineData(
        "methods: eap\nevaluate: sizes\nsizes: {edges: [5, 5000]}\nprompts: {train: 3, judge: 3}",
        "plan.yaml:5: sizes: edges: 5000 is more than ")]
    [InlineData("methods: eap\nprompts: {train: 3, judge: 4}", "plan.yaml:2: tasks: pairs: ")]
    [InlineData("methods: eap\nprompts: {train: 7, judge: 0}", "there are 6 prompt pairs, but the plan's prompts asks for 7")]
    [InlineData("methods: exact\nprompts: {train: 3, judge: 3, parts: 3}", "only eap, ")]
    [InlineData(
        "methods: [hap, {name: hap, sparsity: 0.95}]\nprompts: {train: 3, judge: 3}\nevaluate: sizes",
        "hap and hap sparsity=0.95 are the same; leave one out")]
    [InlineData(
        "methods: {name: hap, sparsity: 0.9999}\nprompts: {train: 3, judge: 3}\nevaluate: sizes",
        "plan.yaml:3: methods: hap sparsity=0.9999 on")]
    [InlineData("methods: {name: path-patch, senders: [input, a9.h0]}\nprompts: {train: 3, judge: 3}",
        "plan.yaml:3: methods: path-patch senders=input,a9.h0 on pairs: senders a9.h0: no such sender in a model of")]
    [InlineData("methods: {name: path-patch, positions: S2}\nprompts: {train: 3, judge: 3}",
        "plan.yaml:3: methods: path-patch positions=S2 on pairs: positions S2: prompt pair 1")]
    public void A_plan_that_cannot_be_done_makes_no_folder(string plan, string message)
    {
        string file = SweepPlans.Write(_model, $"tasks: {{data: {_model.Pairs}}}\n{plan}");
        SweepPlans.Run(file, Out).Fails(1, message);
        Cli.Run("sweep", file, "--check", "--device", "cpu").Fails(1, message);
        Assert.False(Path.Exists(Out));
    }

    [Fact]
    public void A_known_circuit_that_no_model_of_the_plan_has_is_refused()
    {
        string file = SweepPlans.Write(_model, $$"""
            tasks: {task: ioi, data: {{_model.Pairs}}}
            methods: eap
            prompts: {train: 3, judge: 3}
            sizes: {edges: 5}
            evaluate: known-circuit
            """);
        const string Message = "plan.yaml:6: evaluate: known-circuit: no task and model of the plan have one; those of ioi and "
            + "greater-than are known, in GPT-2 small (models: gpt2)";
        SweepPlans.Run(file, Out).Fails(1, Message);
        Cli.Run("sweep", file, "--check", "--device", "cpu").Fails(1, Message);
        Assert.False(Path.Exists(Out));
    }

    [Fact]
    public void A_model_beside_the_plan_needs_no_path()
    {
        File.WriteAllText(_model.Path("beside.yaml"), $"models: model\ntasks: {{data: pairs.jsonl}}\n{Methods}\n");
        SweepPlans.Run(_model.Path("beside.yaml"), Out).Succeeds();
    }

    [Fact]
    public void One_model_under_two_names_is_refused()
    {
        string copy = _model.Path("copy");
        Directory.CreateDirectory(copy);
        foreach (string file in Directory.GetFiles(_model.ModelDirectory)) File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
        File.WriteAllText(_model.Path("two.yaml"), $"models: [./model, ./copy]\ntasks: {{data: pairs.jsonl}}\n{Methods}\n");
        SweepPlans.Run(_model.Path("two.yaml"), Out).Fails(1, $"two.yaml:1: models: {_model.ModelDirectory} and {copy} are the same model");
        Assert.False(Path.Exists(Out));
    }

    [Fact]
    public void A_model_that_is_not_there_is_named()
    {
        File.WriteAllText(_model.Path("none.yaml"), $"models: [./model, ./none]\ntasks: {{data: pairs.jsonl}}\n{Methods}\n");
        SweepPlans.Run(_model.Path("none.yaml"), Out).Fails(
            1, $"none.yaml:1: models: {_model.Path("none")}: no such model; looked for {_model.Path("none")}. GPT-2 models are fetched");
        File.WriteAllText(_model.Path("none.yaml"), $"models:\n- nobody-has-this\ntasks: {{data: pairs.jsonl}}\n{Methods}\n");
        SweepPlans.Run(_model.Path("none.yaml"), Out).Fails(
            1, $"none.yaml:2: models: nobody-has-this: no such model; looked for {_model.Path("nobody-has-this")}, ");
        File.WriteAllText(_model.Path("none.yaml"), $"models: ./model\ntasks: {{data: none.jsonl}}\n{Methods}\n");
        SweepPlans.Run(_model.Path("none.yaml"), Out).Fails(1, "none.yaml:2: tasks: data: none.jsonl: there is no file");
        SweepPlans.Run(_model.Path("nowhere.yaml"), Out).Fails(1, "nowhere.yaml");
        Assert.False(Path.Exists(Out));
    }

    [Fact]
    public void The_folder_of_another_plan_is_left_as_it_is()
    {
        SweepPlans.Run(Plan(), Out).Succeeds("2 of 2 units done");
        SortedDictionary<string, string> before = SweepPlans.Contents(Out);
        string other = SweepPlans.Write(_model, $"tasks: {{data: {_model.Pairs}}}\n{Methods}\nseeds: 1", "other.yaml");
        SweepPlans.Run(other, Out).Fails(1, $"{Out}: holds the sweep 'plan' of another plan (name differs); name another folder, or ");
        SweepPlans.Run(Plan("\nseeds: 1"), Out).Fails(1, "of another plan (seeds differ)");
        Assert.Equal(before, SweepPlans.Contents(Out));
        File.WriteAllText(_model.Path("file"), "");
        SweepPlans.Run(Plan(), _model.Path("file")).Fails(1, "it is a file; name a folder");
    }

    [Theory]
    [InlineData(2, "--out is needed", "--plan", "{plan}")]
    [InlineData(2, "--workers is for the CPU", "--plan", "{plan}", "--out", "{out}", "--workers", "2", "--devices", "0")]
    [InlineData(2, "--shard 3/2", "--plan", "{plan}", "--out", "{out}", "--shard", "3/2")]
    [InlineData(2, "--workers", "--plan", "{plan}", "--out", "{out}", "--workers", "0")]
    [InlineData(2, "--device", "--plan", "{plan}", "--out", "{out}", "--device", "gpu")]
    [InlineData(2, "--plan", "--out", "{out}")]
    [InlineData(1, "it holds no sweep", "--plan", "{folder}")]
    public void A_command_line_that_cannot_be_done_makes_no_folder(int code, string message, params string[] words)
    {
        string plan = Plan();
        words = [.. words.Select(w => w.Replace("{plan}", plan, StringComparison.Ordinal)
            .Replace("{out}", Out, StringComparison.Ordinal).Replace("{folder}", _model.ModelDirectory, StringComparison.Ordinal))];
        Cli.Run(["sweep", .. words]).Fails(code, message);
        Assert.False(Path.Exists(Out));
    }

    [Theory]
    [InlineData("model/model.safetensors", "the model is not the one that the sweep began with")]
    [InlineData("pairs.jsonl", "pairs: the prompts are not those that the sweep began with")]
    public void What_changed_since_the_sweep_began_fails_units_until_it_is_as_it_was(string changed, string message)
    {
        string whole = _model.Path("whole");
        SweepPlans.Run(Plan(), whole).Succeeds();
        SweepPlans.Run(Plan(), Out, "--shard", "1/2").Succeeds("1 of 1 unit done");
        byte[] bytes = File.ReadAllBytes(_model.Path(changed)), other = [.. bytes];
        if (changed == "pairs.jsonl") other = [.. bytes, (byte)'\n'];
        else other[^1] ^= 1;
        File.WriteAllBytes(_model.Path(changed), other);

        // With the plan all of it is compared before the start, with the folder what is used.
        SweepPlans.Run(Plan(), Out).Fails(1, Out, changed == "pairs.jsonl" ? "prompts" : "model");
        Cli run = Cli.Run(["sweep", Out, .. SweepPlans.Cpu]);
        Assert.Equal(1, run.ExitCode);
        Assert.Contains(message, Assert.Single(SweepLayout.Open(Out).Failures()).Error, StringComparison.Ordinal);
        Assert.Contains("1 of 2 units done, 0 of them now, 1 failed", run.Out, StringComparison.Ordinal);
        Assert.Contains(message, Cli.Run("sweep", "status", Out, "--json").Out, StringComparison.Ordinal);
        File.WriteAllBytes(_model.Path(changed), bytes);
        Assert.Equal(1, SweepPlans.Run(Plan(), Out).ExitCode);
        Cli.Run("sweep", "retry", Out).Succeeds("1 failure");
        SweepPlans.Run(Plan(), Out).Succeeds("2 of 2 units done, 1 of them now, 0 failed");
        Assert.Equal(SweepPlans.Contents(whole), SweepPlans.Contents(Out));
    }

    [Fact]
    public void Prompts_that_are_refused_fail_their_units_and_not_those_of_other_tasks()
    {
        File.WriteAllText(_model.Path("bad.jsonl"), TinyModel.PairLines(6, 5).Replace("[3]", "[99]", StringComparison.Ordinal));
        string plan = SweepPlans.Write(
            _model, $"tasks: [{{data: {_model.Pairs}}}, {{name: bad, data: {_model.Path("bad.jsonl")}}}]\n{Methods}");
        Cli check = Cli.Run("sweep", plan, "--check", "--device", "cpu").Succeeds("4 units");
        Assert.Contains("The prompts of bad cannot be used, so that its units will fail: ", check.Out, StringComparison.Ordinal);
        Cli run = SweepPlans.Run(plan, Out);
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("2 of 4 units done, 2 of them now, 2 failed", run.Out, StringComparison.Ordinal);
        SweepFolder folder = SweepLayout.Open(Out);
        Assert.All(folder.Failures(), f => Assert.Contains("bad.jsonl", f.Error, StringComparison.Ordinal));
        Assert.All(folder.Failures(), f => Assert.Contains("99", f.Error, StringComparison.Ordinal));
        Cli.Run("sweep", "merge", Out).Succeeds("2 of 4 units merged, 2 failed");
        Cli.Run("sweep", "retry", Out, "--unit", folder.Failures()[0].Key).Succeeds("1 failure");
        Assert.Equal(1, SweepPlans.Run(plan, Out).ExitCode);
        Assert.Equal(2, folder.Failures().Count);

        // Other prompts are another sweep's.
        File.WriteAllText(_model.Path("bad.jsonl"), TinyModel.PairLines(6, 5));
        Cli.Run("sweep", "retry", Out).Succeeds("2 failures");
        Assert.Equal(1, SweepPlans.Run(plan, Out).ExitCode);
        Assert.All(folder.Failures(), f => Assert.StartsWith(
            "bad: the prompts are not those that the sweep began with", f.Error, StringComparison.Ordinal));
    }

    [Fact]
    public void Where_no_prompts_can_be_used_there_is_no_sweep()
    {
        File.WriteAllText(_model.Pairs, TinyModel.PairLines(6, 5).Replace("[3]", "[99]", StringComparison.Ordinal));
        SweepPlans.Run(Plan(), Out).Fails(1, "pairs.jsonl", "99");
        Assert.False(Path.Exists(Out));
    }

    [Theory]
    [InlineData(".json", false)]
    [InlineData(".json", true)]
    [InlineData(".scores.safetensors", false)]
    [InlineData(".scores.safetensors", true)]
    public void A_damaged_unit_is_counted_left_out_and_computed_again(string end, bool isEmpty)
    {
        string whole = _model.Path("whole"), plan = Plan();
        File.WriteAllText(plan, File.ReadAllText(plan).Replace("evaluate: sizes", "evaluate: [sizes, overlap]", StringComparison.Ordinal));
        SweepPlans.Run(plan, whole).Succeeds();
        SweepPlans.Run(plan, Out).Succeeds();
        SweepFolder folder = SweepLayout.Open(Out);
        string file = folder.WorkFile(folder.Units[0].Key) + end;
        using (FileStream damaged = File.OpenWrite(file)) damaged.SetLength(isEmpty ? 0 : damaged.Length - 20);
        Cli.Run("sweep", "status", Out).Succeeds("1 of 2 units done, 0 failed, 1 damaged, 0 running, 0 waiting", "damaged unit");
        Assert.Contains("\"state\": \"damaged\"", Cli.Run("sweep", "status", Out, "--json").Out, StringComparison.Ordinal);
        Cli merge = Cli.Run("sweep", "merge", Out);
        Assert.Equal(0, merge.ExitCode);
        Assert.Contains(file, merge.Error, StringComparison.Ordinal);
        Assert.Contains("warning: ", merge.Error, StringComparison.Ordinal);
        Assert.Contains(end == ".json" ? "1 of 2 units merged" : "2 of 2 units merged", merge.Out, StringComparison.Ordinal);
        Cli run = SweepPlans.Run(plan, Out).Succeeds("2 of 2 units done, 1 of them now, 0 failed");
        Assert.Contains($"note: {file}: ", run.Error, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(Out, "damaged", Path.GetFileName(file))), run.Error);
        Assert.Equal(SweepPlans.Contents(whole), SweepPlans.Contents(Out));
        Cli.Run("sweep", "merge", Out).Succeeds("2 of 2 units merged");
        Assert.Equal("", SweepPlans.Run(plan, Out).Succeeds("0 of them now").Error);
    }

    [Fact]
    public void A_damaged_record_of_a_failure_is_a_failure()
    {
        SweepPlans.Run(Plan(), Out).Succeeds();
        SweepFolder folder = SweepLayout.Open(Out);
        File.Delete(folder.ResultFile(folder.Units[0].Key));
        File.WriteAllText(Path.Combine(Out, "failed", $"{folder.Units[0].Key}.json"), "{");
        Cli.Run("sweep", "status", Out).Succeeds("1 of 2 units done, 1 failed", "damaged");
        Cli.Run("sweep", "merge", Out).Succeeds("1 of 2 units merged, 1 failed");
        Assert.Equal(1, SweepPlans.Run(Plan(), Out).ExitCode);
        Cli.Run("sweep", "retry", Out).Succeeds("1 failure");
        SweepPlans.Run(Plan(), Out).Succeeds("2 of 2 units done, 1 of them now");
    }

    // A disk of a few files' size, which only an administrator can make.
    [SkippableFact]
    public void A_disk_that_fills_up_ends_in_one_line_and_the_sweep_goes_on_later()
    {
        string disk = _model.Path("disk");
        Directory.CreateDirectory(disk);
        Skip.IfNot(OperatingSystem.IsLinux() && Shell($"mount -t tmpfs -o size=120k none '{disk}'") == 0, "no disk can be made here");
        try
        {
            string plan = Plan("\nseeds: 0..11"), folder = Path.Combine(disk, "s");
            SweepPlans.Run(plan, folder).Fails(1, "No space left on device");
            SweepFolder opened = SweepLayout.Open(folder);
            int done = opened.Done().Count;
            Assert.InRange(done, 1, 23);
            Assert.Empty(opened.Failures());
            Assert.Empty(Directory.GetFiles(folder, "*.part", SearchOption.AllDirectories));
            Assert.Equal(0, Shell($"mount -o remount,size=8m '{disk}'"));
            SweepPlans.Run(plan, folder).Succeeds($"24 of 24 units done, {24 - done} of them now");
            SweepPlans.Run(plan, Out).Succeeds();
            Assert.Equal(SweepPlans.Contents(Out), SweepPlans.Contents(folder));
        }
        finally
        {
            _ = Shell($"umount '{disk}'");
        }
    }

    public void Dispose() => _model.Dispose();

    private string Plan(string more = "") => SweepPlans.Write(_model, $"tasks: {{data: {_model.Pairs}}}\n{Methods}{more}");

    private int Shell(string command) => ShellRun.Of(_model.Folder, new Dictionary<string, string?>(), "sh", "-c", command).ExitCode;
}
