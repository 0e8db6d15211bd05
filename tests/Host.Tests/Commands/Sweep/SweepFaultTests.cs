using System.Text.Json.Nodes;
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
    [InlineData("methods: eap\nprompts: {train: 7, judge: 0}", "there are 6 prompt pairs, but the plan asks for 7 (prompts)")]
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
    [InlineData(2, "--plan foo: there is no such file or folder, and no such word of 'sweep'; choose status,", "foo")]
    [InlineData(2, "did you mean status?", "stauts")]
    [InlineData(1, "gradpath: foo.yaml: there is no such file or folder", "foo.yaml")]
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
    [InlineData(".json", "empty")]
    [InlineData(".json", "cut off")]
    [InlineData(".json", "no rows")]
    [InlineData(".scores.safetensors", "empty")]
    [InlineData(".scores.safetensors", "cut off")]
    [InlineData(".scores.safetensors", "zeroed")]
    [InlineData(".scores.safetensors", "deleted")]
    public void A_damaged_unit_is_counted_left_out_and_computed_again(string end, string damage)
    {
        string whole = _model.Path("whole"), plan = Plan();
        File.WriteAllText(plan, File.ReadAllText(plan).Replace("evaluate: sizes", "evaluate: [sizes, overlap]", StringComparison.Ordinal));
        SweepPlans.Run(plan, whole).Succeeds();
        SweepPlans.Run(plan, Out).Succeeds();
        SweepFolder folder = SweepLayout.Open(Out);
        string file = folder.WorkFile(folder.Units[0].Key) + end;
        Damage(file, damage);
        Cli.Run("sweep", "status", Out).Succeeds("1 of 2 units done, 0 failed, 1 damaged, 0 running, 0 waiting", "damaged unit");
        JsonNode status = JsonNode.Parse(Cli.Run("sweep", "status", Out, "--json").Out)!["tables"]!;
        Assert.Equal("damaged", (string)status["units"]![0]!["state"]!);
        Assert.Equal((1, 0), ((int)status["methods"]![0]!["damaged"]!, (int)status["methods"]![0]!["waiting"]!));
        Cli.Run(["sweep", plan, "--out", Out, "--check", .. SweepPlans.Cpu])
            .Succeeds("1 of 2 units done, 0 failed, 1 left, 1 of them damaged", " for 1 unit in 1 process, from the times of units that");
        Cli.Run("sweep", "merge", Out).Warns(file, "1 of 2 units merged");
        Cli run = SweepPlans.Run(plan, Out).Warns($"{file}: ", "2 of 2 units done, 1 of them now, 0 failed");
        if (damage != "deleted") Assert.True(File.Exists(Path.Combine(Out, "damaged", Path.GetFileName(file))), run.Error);
        Assert.Equal(SweepPlans.Contents(whole), SweepPlans.Contents(Out));
        Cli.Run("sweep", "merge", Out).Succeeds("2 of 2 units merged");
        Assert.Equal("", SweepPlans.Run(plan, Out).Succeeds("0 of them now").Error);
        Damage(file, damage);
        SweepPlans.Run(plan, Out, "--strict").Fails(1, file, "an error because of --strict");
    }

    [Fact]
    public void A_damaged_plan_is_deleted_and_what_is_done_is_kept()
    {
        SweepPlans.Run(Plan(), Out).Succeeds();
        string own = Path.Combine(Out, "plan.json");
        File.WriteAllBytes(own, File.ReadAllBytes(own)[..^200]);
        SweepPlans.Run(Plan(), Out).Fails(1, $"{own}: damaged: ", "delete this file alone and run the plan into the folder again");
        File.Delete(own);
        SweepPlans.Run(Plan(), Out).Succeeds("2 of 2 units done, 0 of them now");
    }

    [Fact]
    public void A_plan_under_the_name_of_the_sweeps_own_file_is_left_alone()
    {
        string plan = _model.Path("plan.json"), text = File.ReadAllText(Plan());
        File.Copy(Plan(), plan);
        SweepPlans.Run(plan, _model.Folder).Fails(2, $"--plan {plan}: a sweep's folder has a plan.json of its own");
        Cli.Run("sweep", "submit", _model.Folder, "--plan", plan, "--engine", "slurm", "--dry-run").Fails(2, "has a plan.json of its own");
        SweepPlans.Run(Plan(), _model.Folder).Fails(1, "it holds no sweep: a sweep's folder has a plan.json of its own");
        Assert.Equal(text, File.ReadAllText(plan));
        SweepPlans.Run(Plan(), Out).Succeeds();
        SweepPlans.Run(Path.Combine(Out, "plan.json"), Out).Fails(2, $"it is the file of a sweep; name its folder, {Out}");
    }

    [Fact]
    public void A_file_of_prompts_that_has_gone_is_named_as_the_plan_names_it()
    {
        SweepPlans.Run(Plan(), Out, "--shard", "1/2").Succeeds("1 of 1 unit done");
        File.Move(_model.Pairs, _model.Path("elsewhere.jsonl"));
        Cli run = Cli.Run(["sweep", Out, .. SweepPlans.Cpu]);
        string error = Assert.Single(SweepLayout.Open(Out).Failures()).Error;
        Assert.StartsWith($"data: {_model.Pairs}: there is no such file or folder; put it back", error, StringComparison.Ordinal);
        Assert.Contains("'gradpath sweep retry'", error, StringComparison.Ordinal);
        Assert.Contains("--extend", error, StringComparison.Ordinal);
        Assert.DoesNotContain("put it back", run.Error, StringComparison.Ordinal);
        Assert.Contains("put it back", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void A_search_that_finds_nothing_is_named()
    {
        string plan = _model.Path("paths.yaml");
        File.WriteAllText(plan, """
            models: demo
            tasks: sva
            methods: {name: path-patch, top-n: 3, rounds: 2}
            prompts: {train: 20, judge: 20}
            """);
        const string Empty = "the circuit of 'path-patch top-n=3 rounds=2, sva, demo, seed 0' has no edges: "
            + "it is the model with everything";
        Cli run = SweepPlans.Run(plan, Out).Warns(Empty, "1 of 1 unit done");
        Assert.Contains("; none of the 11 edges that the search found lies on a path from the input to the logits", run.Error,
            StringComparison.Ordinal);
        Cli.Run("sweep", "status", Out).Succeeds(Empty[1..]);
        Assert.Contains("\"empty\": true", Cli.Run("sweep", "status", Out, "--json").Out, StringComparison.Ordinal);
        Cli.Run("sweep", "merge", Out).Warns(Empty);
    }

    [Fact]
    public void Units_are_named_by_what_the_plan_calls_the_model()
    {
        File.WriteAllText(_model.Path("beside.yaml"), $"models: ./model\ntasks: {{data: pairs.jsonl}}\n{Methods}\n");
        SweepPlans.Run(_model.Path("beside.yaml"), Out).Succeeds();
        Assert.Equal("eap, pairs, ./model, seed 0", SweepLayout.Open(Out).Units[0].Title);
        Assert.Contains("\"unit\": \"eap, pairs, ./model, seed 0\"", Cli.Run(["sweep", Out, "--check", "--json", .. SweepPlans.Cpu]).Out,
            StringComparison.Ordinal);
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

    private static void Damage(string file, string damage)
    {
        byte[] bytes = File.ReadAllBytes(file);
        switch (damage)
        {
            case "deleted":
                File.Delete(file);
                return;
            case "no rows":
                string text = System.Text.Encoding.UTF8.GetString(bytes);
                int at = text.IndexOf("\"rows\":[", StringComparison.Ordinal) + 8;
                File.WriteAllText(file, text[..at] + text[text.IndexOf("],\"provenance\"", StringComparison.Ordinal)..]);
                return;
            case "zeroed":
                bytes.AsSpan(bytes.Length * 2 / 3).Clear();
                break;
            default:
                bytes = damage == "empty" ? [] : bytes[..^20];
                break;
        }
        File.WriteAllBytes(file, bytes);
    }

    public void Dispose() => _model.Dispose();

    private string Plan(string more = "") => SweepPlans.Write(_model, $"tasks: {{data: {_model.Pairs}}}\n{Methods}{more}");

    private int Shell(string command) => ShellRun.Of(_model.Folder, new Dictionary<string, string?>(), "sh", "-c", command).ExitCode;
}
