using System.Diagnostics;
using Gradpath.Host.Sweeps.Engines;

namespace Gradpath.Host.Tests;

/// <summary>What the script asks Slurm for, and how it behaves under signals; tests/slurm/run tries it on Slurm itself.</summary>
public sealed class SlurmScriptTests
{
    [Fact]
    public void All_that_is_asked_for_stands_in_it()
    {
        string script = SlurmScript.Of(
            new SlurmRequest("gradpath-demo", "/runs/demo/logs", 8)
            {
                Cpus = 4,
                Gpus = 2,
                Memory = "16G",
                Time = "2:00:00",
                Partition = "long",
                Account = "lab",
                SecondsBefore = 90,
            },
            ["gradpath", "sweep", "--plan", "/runs/demo"]);
        Assert.StartsWith("#!/bin/bash\n#SBATCH ", script, StringComparison.Ordinal);
        Assert.Equal(
            [
                "--job-name=gradpath-demo", "--array=1-8", "--ntasks=1", "--cpus-per-task=4", "--gpus-per-node=2", "--mem=16G",
                "--time=2:00:00", "--partition=long", "--account=lab", "--signal=B:USR1@90", "--requeue", "--open-mode=append",
                "--output=/runs/demo/logs/%A_%a.log",
            ],
            Directives(script));
        Assert.Contains("\ngradpath sweep --plan /runs/demo &\n", script, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_not_asked_for_is_left_to_the_cluster()
    {
        string script = SlurmScript.Of(new SlurmRequest("a", "/l", 1), ["gradpath"]);
        Assert.Equal(
            ["--job-name=a", "--array=1-1", "--ntasks=1", "--signal=B:USR1@60", "--requeue", "--open-mode=append", "--output=/l/%A_%a.log"],
            Directives(script));
    }

    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("it's a \"plan\"", "it-s-a-plan")]
    [InlineData("two\n#SBATCH --wrap=rm", "two-SBATCH---wrap-rm")]
    [InlineData("größe 1.5_b ", "gr-e-1.5_b")]
    public void A_plan_may_have_any_name(string name, string expected) =>
        Assert.Contains($"--job-name={expected}", Directives(SlurmScript.Of(new SlurmRequest(name, "/l", 1), ["gradpath"])));

    [Fact]
    public void A_percent_sign_of_the_folder_is_none_of_the_pattern() => Assert.Contains(
        "--output='/runs/100%%a of it'\\''s/%A_%a.log'",
        Directives(SlurmScript.Of(new SlurmRequest("a", "/runs/100%a of it's", 1), ["gradpath"])));

    [SkippableTheory]
    [InlineData("")]
    [InlineData("plain/path-1.2_3:4,5=6+7@8%9")]
    [InlineData("two words")]
    [InlineData("it's")]
    [InlineData("$HOME `ls` \"x\" \\ * ~ ! # & ; | > é")]
    [InlineData("two\nlines")]
    public void A_shell_reads_each_word_as_it_is(string word)
    {
        ShellRun.Require("bash");
        using TempFolder folder = new();
        string script = folder.Write("s.sh", SlurmScript.Of(new SlurmRequest("a", "/l", 1), ["printf", "[%s]", word, "end"]));
        ShellRun run = ShellRun.Of(folder.Path, new Dictionary<string, string?>(), "bash", script);
        Assert.Equal((0, $"[{word}][end]", ""), (run.ExitCode, run.Out, run.Error));
    }

    [SkippableFact]
    public void The_exit_code_is_the_programs()
    {
        ShellRun.Require("bash");
        using TempFolder folder = new();
        string script = folder.Write("s.sh", SlurmScript.Of(new SlurmRequest("a", "/l", 1), ["bash", "-c", "exit 5"]));
        Assert.Equal(5, ShellRun.Of(folder.Path, new Dictionary<string, string?>(), "bash", script).ExitCode);
    }

    // The program saves for a while when it is told to stop, and a second signal would end it before it has.
    [SkippableTheory]
    [InlineData("USR1", 143, "told\nsaved\n", "requeue 7_2\n")]
    [InlineData("USR1 TERM", 143, "told\nsaved\n", "requeue 7_2\n")]
    [InlineData("TERM", 143, "told\nsaved\n", "", true)]
    [InlineData("TERM TERM", 143, "told\nsaved\n", "", true)]
    [InlineData("USR1", 0, "told\nsaved\n", "")]
    [InlineData("USR1", 1, "told\nsaved\n", "")]
    public void Signals_reach_the_program_once(string signals, int code, string told, string requeued, bool toAll = false)
    {
        ShellRun.Require("bash");
        using TempFolder folder = new();
        string program = folder.Write("program.sh", $$"""
            trap 'echo told >>said; [ -z "$stopped" ] || exit 9; stopped=yes' TERM
            echo started >>begun
            while [ -z "$stopped" ]; do sleep 0.05; done
            for i in 1 2 3 4 5 6 7 8 9 10; do sleep 0.05; done
            echo saved >>said
            exit {{code}}
            """);
        folder.Write("scontrol", "#!/bin/bash\necho \"$@\" >>requeued\n");
        folder.Write("requeued", "");
        string script = folder.Write("s.sh", SlurmScript.Of(new SlurmRequest("a", "/l", 1), ["bash", program]));
        ShellRun.Of(folder.Path, new Dictionary<string, string?>(), "chmod", "+x", "scontrol");
        Dictionary<string, string?> environment = new()
        {
            ["PATH"] = $"{folder.Path}:{Environment.GetEnvironmentVariable("PATH")}",
            ["SLURM_JOB_ID"] = "9",
            ["SLURM_ARRAY_JOB_ID"] = "7",
            ["SLURM_ARRAY_TASK_ID"] = "2",
        };
        using Process shell = ShellRun.Start(folder.Path, environment, "bash", script);
        Assert.True(SpinWait.SpinUntil(() => File.Exists(folder["begun"]), TimeSpan.FromSeconds(60)));
        int first = 0;
        foreach (string signal in signals.Split(' '))
        {
            // Slurm's TERM reaches every process of the task, here only the first, and USR1 the shell alone.
            string kill = $"kill -{signal} {shell.Id}" + (toAll && first++ == 0 ? $"; pkill -{signal} -P {shell.Id}" : "");
            ShellRun.Of(folder.Path, environment, "bash", "-c", kill);
            Thread.Sleep(100);
        }
        Assert.True(shell.WaitForExit(TimeSpan.FromSeconds(60)));
        Assert.Equal(
            (code, told, requeued),
            (shell.ExitCode, File.ReadAllText(folder["said"]), File.ReadAllText(folder["requeued"])));
    }

    private static IEnumerable<string> Directives(string script) => script.Split('\n')
        .Where(line => line.StartsWith("#SBATCH ", StringComparison.Ordinal))
        .Select(line => line["#SBATCH ".Length..]);
}
