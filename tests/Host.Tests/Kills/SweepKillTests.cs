using System.Diagnostics;
using System.Globalization;
using Gradpath.Host.Sweeps.Store;
using Xunit.Abstractions;

namespace Gradpath.Host.Tests;

/// <summary>
/// Three processes of <c>gradpath sweep</c> in one folder, of which one after the other is killed with SIGKILL at any moment and started
/// again: the merged table is that of one process that nobody disturbed, bit for bit but for times. A few kills;
/// <c>GRADPATH_KILLS=N</c> makes N.
/// </summary>
/// <param name="model">The model.</param>
/// <param name="output">Told how many kills there were, with which seed.</param>
public sealed class SweepKillTests(TinyModel model, ITestOutputHelper output) : IClassFixture<TinyModel>
{
    private const int Seed = 31;
    private const int FewKills = 5;
    private const int Processes = 3;

    [SkippableFact]
    public void Killed_processes_give_the_table_of_one_that_was_left_alone()
    {
        Skip.If(OperatingSystem.IsWindows(), "there are no such signals on Windows");
        int kills = int.TryParse(Environment.GetEnvironmentVariable("GRADPATH_KILLS"), CultureInfo.InvariantCulture, out int asked)
            ? Math.Max(1, asked)
            : FewKills;
        string plan = SweepPlans.Write(model, $$"""
            tasks: {data: {{model.Pairs}}}
            methods:
              - eap
              - {name: eap-ig, steps: 3}
              - exact
              - {name: acdc, tau: 0.01, order: score}
              - {name: hap, sparsity: [0.75, 0.8], steps: 300}
              - {name: edge-prune, sparsity: 0.7, steps: 300}
            seeds: 0..{{kills}}
            prompts: {train: 3, judge: 3}
            sizes: {edges: [5, 10]}
            evaluate: [curve, sizes, overlap, stability]
            stability: {resamples: 10}
            """, "kills.yaml");
        string whole = model.Path("whole"), folder = model.Path("killed");
        SweepPlans.Run(plan, whole).Succeeds();
        Random random = new(Seed);
        Process[] processes = [.. Enumerable.Range(0, Processes).Select(_ => Start(plan, folder))];
        int killed = 0, early = 0, claimed = 0;
        HashSet<string> states = [];
        try
        {
            while (killed < kills)
            {
                // Some are killed before they have begun, most in their work.
                Thread.Sleep(random.Next(100, 1500));
                int which = random.Next(Processes);
                bool laidOut = File.Exists(Path.Combine(folder, "plan.json"));
                if (processes[which].HasExited)
                {
                    if (laidOut && SweepLayout.Open(folder) is var there && there.Done().Count == there.Units.Count) break;
                    Assert.Fail($"a process ended with {processes[which].ExitCode}: {processes[which].StandardError.ReadToEnd()}");
                }
                if (!laidOut) early++;
                string claim = $"\"pid\":{processes[which].Id},";
                processes[which].Kill();
                processes[which].WaitForExit();
                processes[which].Dispose();
                killed++;
                string claims = Path.Combine(folder, "claims");
                if (laidOut && Directory.GetFiles(claims).Any(f => Read(f).Contains(claim, StringComparison.Ordinal))) claimed++;
                if (Directory.Exists(Path.Combine(folder, "units")))
                    states.UnionWith(Directory.GetFiles(folder, "*.progress", SearchOption.AllDirectories));
                processes[which] = Start(plan, folder);
            }
            foreach (Process process in processes)
            {
                Assert.True(process.WaitForExit(TimeSpan.FromMinutes(5)), "a process hangs");
                Assert.True(process.ExitCode == 0, process.StandardError.ReadToEnd());
            }
        }
        finally
        {
            foreach (Process process in processes)
            {
                if (!process.HasExited) process.Kill();
                process.Dispose();
            }
        }
        SweepFolder done = SweepLayout.Open(folder);
        Assert.Empty(done.Failed());
        Assert.Equal(done.Units.Count, done.Done().Count);
        SortedDictionary<string, string> expected = SweepPlans.Contents(whole), found = SweepPlans.Contents(folder);
        Assert.Equal(expected.Keys, found.Keys);
        foreach ((string name, string content) in expected)
            Assert.True(content == found[name], $"{name} differs:\n{content}\n\n{found[name]}");
        Assert.Equal(SweepPlans.Table(whole), SweepPlans.Table(folder));
        output.WriteLine($"{killed} kills, seed {Seed}, {done.Units.Count} units; {early} before the folder was laid out, {claimed} in a "
            + $"unit; {states.Count} units had a saved state at a kill");
    }

    private static string Read(string claim)
    {
        try
        {
            return File.ReadAllText(claim);
        }
        catch (IOException)
        {
            return "";
        }
    }

    private static Process Start(string plan, string folder)
    {
        ProcessStartInfo start = new(
            Environment.ProcessPath!,
            [Path.Combine(AppContext.BaseDirectory, "gradpath.dll"), "sweep", plan, "--out", folder, .. SweepPlans.Cpu])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["DOTNET_STARTUP_HOOKS"] = typeof(SweepKillTests).Assembly.Location;
        start.Environment[SweepChild.ExpiryVariable] = "3";

        // States are saved at every step, so that a kill leaves some.
        start.Environment[KillPoint.Variable] = new KillPoint(0, 0).ToString();
        return Process.Start(start)!;
    }
}
