using System.Diagnostics;
using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime;
using Gradpath.Host.Commands;
using Gradpath.Host.Sweeps.Store;

namespace Gradpath.Host.Tests;

/// <summary><c>gradpath sweep --workers N</c>: which of its processes ended how.</summary>
public sealed class SweepTeamTests(TinyModel model) : IClassFixture<TinyModel>
{
    [Fact]
    public void A_killed_worker_is_named_though_others_have_done_its_work()
    {
        using StringWriter error = new() { NewLine = "\n" };
        Terminal terminal = SweepSamples.Terminal(error);
        WorkerEnd[] ends = [new(1, 0, "", []), new(2, 137, "", ["reading", "loading"]), new(3, 134, "", [])];
        SweepTeam.Tell(ends, new SweepOutcome(4, 4, 4, []), terminal);
        Assert.Equal(
            "warning: worker 2 ended with exit code 137, as after SIGKILL (which a system also sends where memory runs out); its last "
            + "line: loading; the others have done its work\n"
            + "warning: worker 3 ended with exit code 134, as after SIGABRT; it said nothing; the others have done its work\n",
            error.ToString());
        Assert.Equal(2, terminal.Warnings.Count);
        Assert.Contains("; 1 unit left, and the same command goes on", Assert.Throws<GradpathException>(
            () => SweepTeam.Tell(ends, new SweepOutcome(4, 3, 3, []), terminal)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Failed_units_are_no_fault_of_a_worker()
    {
        UnitFailure failure = UnitFailure.Now(SweepSamples.Unit(0), "no", 1);
        Terminal terminal = SweepSamples.Terminal();
        SweepTeam.Tell([new(1, 1, "", []), new(2, 0, "", [])], new SweepOutcome(2, 1, 1, [failure]), terminal);
        Assert.Empty(terminal.Warnings);
        SweepTeam.Tell([new(1, 1, "", ["no memory"])], new SweepOutcome(2, 2, 1, []), terminal);
        Assert.Contains(
            "worker 1 ended with exit code 1; its last line: no memory", Assert.Single(terminal.Warnings), StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task Workers_that_are_all_killed_leave_units_and_are_named()
    {
        Skip.If(OperatingSystem.IsWindows(), "there are no such signals on Windows");
        string plan = SweepPlans.Write(model, $$"""
            tasks: {data: {{model.Pairs}}}
            methods: {name: hap, sparsity: 0.7, steps: 100000}
            seeds: 0..1
            prompts: {train: 3, judge: 3}
            evaluate: sizes
            """, "long.yaml");
        string folder = model.Path("killed"), claims = Path.Combine(folder, "claims");
        string[] command = ["sweep", plan, "--out", folder, "--device", "cpu", "--threads", "2", "--workers", "2"];
        Task<Cli> run = Task.Run(() => Cli.Run(command));
        long began = Stopwatch.GetTimestamp();
        HashSet<int> killed = [];
        while (killed.Count < 2)
        {
            Assert.False(run.IsCompleted, "it ended by itself");
            Assert.True(Stopwatch.GetElapsedTime(began) < TimeSpan.FromMinutes(2), "no unit is claimed");
            foreach (string claim in Directory.Exists(claims) ? Directory.GetFiles(claims) : [])
            {
                // Some files there tell the time, and others are being written.
                if (Path.GetExtension(claim) == ".clock" || !(File.ReadAllText(claim) is { Length: > 0 } text)) continue;
                int process = JsonNode.Parse(text)!["pid"]!.GetValue<int>();
                if (killed.Add(process)) Process.GetProcessById(process).Kill();
            }
            await Task.Delay(20);
        }
        Cli end = (await run).Fails(
            1, "worker 1 ended with exit code 137, as after SIGKILL", "worker 2 ended with exit code 137", "2 units left");
        Assert.DoesNotContain("units done", end.Out, StringComparison.Ordinal);
    }
}
