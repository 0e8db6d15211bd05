using System.Text.Json.Nodes;

namespace Gradpath.Host.Tests;

/// <summary><c>gradpath sweep submit</c> without Slurm, and with an sbatch of the test's own.</summary>
public sealed class SweepSubmitTests(TinyModel model) : IClassFixture<TinyModel>
{
    private static readonly Dictionary<string, string?> s_none = [];

    [Fact]
    public void A_dry_run_prints_the_script_and_submits_nothing()
    {
        using TempFolder folder = new();
        string path = folder["sample"];
        SweepSamples.LayOut(path, SweepSamples.Units(2));
        Cli run = Cli.Run("sweep", "submit", path, "--engine", "slurm", "--array", "3", "--time", "1-12", "--dry-run")
            .Succeeds("#!/bin/bash\n", "#SBATCH --array=1-3\n", "#SBATCH --time=1-12\n", "#SBATCH --job-name=gradpath-sample\n",
                $"#SBATCH --output={path}/logs/%A_%a.log\n", $" sweep --plan {path} &\n");
        Assert.DoesNotContain("--threads", run.Out, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(path, "logs")) || File.Exists(Path.Combine(path, "submit.sh")), "it wrote something");
        JsonNode json = JsonNode.Parse(Cli.Run("sweep", "submit", path, "--engine", "slurm", "--dry-run", "--json").Succeeds().Out)!;
        Assert.Contains("#SBATCH --array=1-1\n", json["facts"]!["script"]!.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Processors_become_threads_and_gpus_become_processes()
    {
        string path = SweepSamples.Folder(model);
        Cli.Run("sweep", "submit", path, "--engine", "slurm", "--cpus-per-task", "4", "--dry-run")
            .Succeeds("#SBATCH --cpus-per-task=4\n", $" sweep --plan {path} --threads 4 &\n");
        Cli.Run("sweep", "submit", path, "--engine", "slurm", "--cpus-per-task", "4", "--gpus-per-node", "2", "--dry-run")
            .Succeeds("#SBATCH --gpus-per-node=2\n", $" sweep --plan {path} --devices all &\n");
    }

    [Fact]
    public void A_plan_is_laid_out_once_and_another_is_refused()
    {
        using TempFolder folder = new();
        string plan = folder.Write("plan.yaml", Plan()), other = folder.Write("other.yaml", Plan("eap-ig")), path = folder["out"];
        Cli.Run("sweep", "submit", path, "--engine", "slurm", "--dry-run").Fails(1, $"{path}: there is no such folder");
        Cli.Run("sweep", "submit", folder.Path, "--engine", "slurm", "--dry-run").Fails(1, "it holds no sweep");
        Cli run = Cli.Run("sweep", "submit", path, "--plan", plan, "--engine", "slurm", "--dry-run")
            .Succeeds("--job-name=gradpath-plan\n");
        Assert.Contains($"create the folder {path}/logs and lay the plan out", run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("create the folder", run.Out, StringComparison.Ordinal);
        Assert.False(Directory.Exists(path));
        LayOut(plan, path);
        Cli.Run("sweep", "submit", path, "--plan", plan, "--engine", "slurm", "--dry-run").Succeeds();
        Cli.Run("sweep", "submit", path, "--plan", other, "--engine", "slurm", "--dry-run").Fails(1, path, "of another plan");
        Cli.Run("sweep", "submit", path, "--plan", folder["none.yaml"], "--engine", "slurm", "--dry-run").Fails(1, "none.yaml");
        Cli.Run("sweep", "submit", path, "--plan", path, "--engine", "slurm", "--dry-run").Fails(2, "it is a folder");
        Cli.Run("sweep", "status", path).Succeeds("0 of 1 unit done");
    }

    [SkippableFact]
    public void A_folder_is_extended_by_a_plan_and_a_dry_run_changes_nothing()
    {
        ShellRun.Require("bash");
        using TempFolder folder = new();
        string plan = folder.Write("plan.yaml", Plan()), path = folder["out"];
        string other = folder.Write("other.yaml", Plan("[eap, eap-ig]") + "device: {device: cuda, precision: tf32, gemm: cublas}\n");
        LayOut(plan, path);
        Cli.Run("sweep", "submit", path, "--extend", "--engine", "slurm", "--dry-run").Fails(2, "--extend is for --plan PLAN");
        Cli.Run("sweep", "submit", path, "--plan", other, "--extend", "--engine", "slurm", "--dry-run")
            .Succeeds("--job-name=gradpath-other\n");
        Cli.Run("sweep", "status", path).Succeeds("0 of 1 unit done");

        // It is laid out without a GPU.
        Sbatch(folder, "echo 7");
        ShellRun run = Submit(folder, path, "--plan", other, "--extend");
        Assert.True(run.ExitCode == 0, run.Error);
        Cli.Run("sweep", "status", path).Succeeds("0 of 2 units done");
        Assert.Contains("tf32", File.ReadAllText(Path.Combine(path, "plan.json")), StringComparison.Ordinal);
    }

    [Fact]
    public void Standard_output_is_no_folder() =>
        Cli.Run("sweep", "submit", "--dir", "-", "--engine", "slurm", "--dry-run").Fails(2, "--dir -: name a folder.");

    [Theory]
    [InlineData("UNLIMITED")]
    [InlineData("infinite")]
    public void A_time_may_have_no_limit(string time) =>
        Cli.Run("sweep", "submit", SweepSamples.Folder(model), "--engine", "slurm", "--time", time, "--dry-run")
            .Succeeds($"--time={time}\n");

    [Fact]
    public void All_memory_of_a_node_has_no_unit() =>
        Cli.Run("sweep", "submit", SweepSamples.Folder(model), "--engine", "slurm", "--mem", "0", "--dry-run").Succeeds("--mem=0\n");

    [Fact]
    public void A_plan_for_gpus_is_laid_out_without_one()
    {
        using TempFolder folder = new();
        string plan = folder.Write("plan.yaml", Plan() + "device: {device: cuda, precision: tf32, gemm: cublas}\n");
        Cli.Run("sweep", "submit", folder["out"], "--plan", plan, "--engine", "slurm", "--gpus-per-node", "1", "--dry-run")
            .Succeeds("--devices all &\n");
    }

    [Theory]
    [InlineData("--engine torque: no such value", "--engine", "torque")]
    [InlineData("--engine is needed")]
    [InlineData("--time 2h: give minutes", "--engine", "slurm", "--time", "2h")]
    [InlineData("--time 1: too short for --time-to-save 60", "--engine", "slurm", "--time", "1")]
    [InlineData("--time 1:20: too short for --time-to-save 60", "--engine", "slurm", "--time", "1:20")]
    [InlineData("--time 10: too short for --time-to-save 600", "--engine", "slurm", "--time", "10", "--time-to-save", "600")]
    [InlineData("--time 1:2:3: give minutes", "--engine", "slurm", "--time", "1:2:3")]
    [InlineData("--time 5\n", "--engine", "slurm", "--time", "5\n#SBATCH --wrap=x")]
    [InlineData("--time 99:99:99: give minutes, minutes:seconds, hours", "--engine", "slurm", "--time", "99:99:99")]
    [InlineData("--mem 16: Slurm takes that for 16 MB; say the unit: 16G, or 16M.", "--engine", "slurm", "--mem", "16")]
    [InlineData("--mem 16GB: give a number with K", "--engine", "slurm", "--mem", "16GB")]
    [InlineData("--mem -1: give a number with K", "--engine", "slurm", "--mem=-1")]
    [InlineData("--mem lots: give a number with K, M, G or T", "--engine", "slurm", "--mem", "lots")]
    [InlineData("--partition a b: a name has letters", "--engine", "slurm", "--partition", "a b")]
    [InlineData("--account a;b: a name has letters", "--engine", "slurm", "--account", "a;b")]
    [InlineData("--array", "--engine", "slurm", "--array", "0")]
    [InlineData("--array", "--engine", "slurm", "--array", "x")]
    [InlineData("--gpus-per-node", "--engine", "slurm", "--gpus-per-node", "0")]
    [InlineData("--cpus-per-task", "--engine", "slurm", "--cpus-per-task", "0")]
    [InlineData("--time-to-save", "--engine", "slurm", "--time-to-save", "0")]
    public void What_cannot_be_used_is_refused_before_anything_is_written(string message, params string[] options)
    {
        using TempFolder folder = new();
        string plan = folder.Write("plan.yaml", Plan());
        Cli.Run(["sweep", "submit", folder["out"], "--plan", plan, "--dry-run", .. options]).Fails(2, message);
        Assert.False(Directory.Exists(folder["out"]));
    }

    [Theory]
    [InlineData("a\\b")]
    [InlineData("a\nb")]
    public void A_folder_that_slurm_keeps_no_logs_in_is_refused(string name) =>
        Cli.Run("sweep", "submit", name, "--engine", "slurm").Fails(2, "--dir \"a\\", "in its name");

    [SkippableFact]
    public void What_sbatch_says_is_the_job()
    {
        ShellRun.Require("bash");
        using TempFolder folder = new();
        Sbatch(folder, "echo \"$@\" >\"$0.args\"; cat \"$2\" >\"$0.script\"; echo '71;cluster'");
        string path = SweepSamples.Folder(model);
        ShellRun run = Submit(folder, path);
        Assert.True(run.ExitCode == 0, run.Error);
        Assert.Contains($"submitted: job 71, 2 tasks; logs in {path}/logs\n", run.Out, StringComparison.Ordinal);
        Assert.Contains("'scancel 71' ends it", run.Out, StringComparison.Ordinal);
        Assert.Equal($"--parsable {path}/submit.sh\n", File.ReadAllText(folder["sbatch.args"]));
        Assert.Equal(File.ReadAllText(Path.Combine(path, "submit.sh")), File.ReadAllText(folder["sbatch.script"]));
        Assert.True(Directory.Exists(Path.Combine(path, "logs")));
    }

    [SkippableTheory]
    [InlineData("echo 'sbatch: error: invalid partition' >&2; echo 'sbatch: error: no' >&2; exit 1",
        "sbatch refused", "submit.sh: sbatch: error: invalid partition; sbatch: error: no\n")]
    [InlineData("exit 3", "sbatch refused", "it said nothing, and ended with 3\n")]
    [InlineData("echo", "sbatch", "names no job")]
    [InlineData("for i in {1..20000}; do echo 'a long complaint of sbatch' >&2; done; exit 1", "sbatch refused", "a long complaint")]
    public void What_sbatch_refuses_is_passed_on(string sbatch, params string[] mentions)
    {
        ShellRun.Require("bash");
        using TempFolder folder = new();
        Sbatch(folder, sbatch);
        ShellRun run = Submit(folder, SweepSamples.Folder(model));
        Assert.True(run.ExitCode == 1, $"exit code {run.ExitCode}\n{run.Error}");
        foreach (string mention in mentions) Assert.Contains(mention, run.Error, StringComparison.Ordinal);
        Assert.Single(run.Error.TrimEnd('\n').Split('\n'));
        Assert.InRange(run.Error.Length, 1, 4000);
    }

    [SkippableFact]
    public void Without_sbatch_the_script_is_there()
    {
        ShellRun.Require("bash");
        using TempFolder folder = new();
        string path = SweepSamples.Folder(model);
        ShellRun run = Submit(folder, path);
        Assert.Equal(1, run.ExitCode);
        Assert.Contains($"sbatch: it cannot be started: ", run.Error, StringComparison.Ordinal);
        Assert.Contains($"submit {path}/submit.sh where Slurm is", run.Error, StringComparison.Ordinal);
        Assert.Single(run.Error.TrimEnd('\n').Split('\n'));
        Assert.True(File.Exists(Path.Combine(path, "submit.sh")));
    }

    // A shard without units computes nothing.
    private static void LayOut(string plan, string path) =>
        Cli.Run(["sweep", plan, "--out", path, "--shard", "9/9", .. SweepPlans.Cpu]).Succeeds();

    private static void Sbatch(TempFolder folder, string text)
    {
        folder.Write("sbatch", $"#!/bin/bash\n{text}\n");
        ShellRun.Of(folder.Path, s_none, "chmod", "+x", "sbatch");
    }

    // In a process of its own, whose PATH has the test's folder and the system's tools but no sbatch.
    private static ShellRun Submit(TempFolder folder, string path, params string[] more)
    {
        string tools = folder["tools"];
        Directory.CreateDirectory(tools);
        foreach (string tool in (string[])["bash", "cat"]) File.CreateSymbolicLink(Path.Combine(tools, tool), ShellRun.Find(tool)!);
        string program = typeof(GradpathApp).Assembly.Location;
        return ShellRun.Of(
            folder.Path, new Dictionary<string, string?> { ["PATH"] = $"{folder.Path}:{tools}" }, Environment.ProcessPath!,
            ["exec", program, "sweep", "submit", path, "--engine", "slurm", "--array", "2", .. more]);
    }

    private string Plan(string method = "eap") =>
        $"""
        models: {model.ModelDirectory}
        tasks: {"{"}name: pairs, data: {model.Pairs}{"}"}
        methods: {method}
        prompts: {"{"}train: 4, judge: 2{"}"}

        """;
}
