using System.Diagnostics;
using System.Globalization;
using Gradpath.Host.Sweeps.Store;
using Gradpath.Host.Sweeps.Units;
using Xunit.Abstractions;

namespace Gradpath.Host.Tests;

/// <summary>Several processes at one sweep: they share its units, stop together, and are killed without loss.</summary>
public sealed class SweepProcessesTests(ITestOutputHelper output) : IDisposable
{
    private const int Seed = 41;
    private const int FewKills = 6;

    private readonly TempFolder _temp = new();

    [Fact]
    public void Workers_share_the_units()
    {
        SweepFolder folder = SweepSamples.LayOut(_temp["s"], SweepSamples.Units(30));
        IReadOnlyList<WorkerEnd> ends = SweepProcesses.Run(
            [SweepChild.Start(folder.Path, 5), SweepChild.Start(folder.Path, 5)], SweepSamples.Terminal(), default);
        Assert.All(ends, e => Assert.True(e.ExitCode == 0, string.Join('\n', e.Errors)));
        Assert.Equal([1, 2], ends.Select(e => e.Number));
        Assert.Equal(30, ends.Sum(e => int.Parse(e.Out.Split(' ')[0], CultureInfo.InvariantCulture)));
        Assert.Equal(30, folder.Done().Count);
    }

    [Fact]
    public void Exit_codes_and_lines_of_errors_are_collected()
    {
        StringWriter error = new();
        WorkerStart good = new(["tasks"], new Dictionary<string, string>());
        WorkerStart bad = new(["draw", "--circuit", "none.json", "--out", "a.png"], new Dictionary<string, string>());
        IReadOnlyList<WorkerEnd> ends = SweepProcesses.Run([good, bad], SweepSamples.Terminal(error), default);
        Assert.Equal([0, 2], ends.Select(e => e.ExitCode));
        Assert.Contains("ioi", ends[0].Out, StringComparison.Ordinal);
        Assert.Empty(ends[0].Errors);
        Assert.StartsWith("gradpath: --out", Assert.Single(ends[1].Errors), StringComparison.Ordinal);
        Assert.StartsWith("worker 2: gradpath: --out", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Workers_are_stopped_with_the_process_that_started_them_and_save_their_work()
    {
        SweepFolder folder = SweepSamples.LayOut(_temp["s"], SweepSamples.Units(6));
        using CancellationTokenSource stop = new();
        Terminal terminal = SweepSamples.Terminal();
        terminal.StoppedBy = StopCause.All[1];
        Task<IReadOnlyList<WorkerEnd>> run = Task.Run(() => SweepProcesses.Run(
            [SweepChild.Start(folder.Path, 100_000), SweepChild.Start(folder.Path, 100_000)], terminal, stop.Token));
        WaitFor(() => Directory.GetFiles(_temp["s/units"], "*.progress", SearchOption.AllDirectories).Length == 2);
        await stop.CancelAsync();
        foreach (WorkerEnd end in await run)
        {
            Assert.Equal(143, end.ExitCode);
            Assert.Contains($"child: stopped by SIGTERM after 0 of 6 units, kept in {folder.Path}; the same command goes on from there.",
                end.Errors);
        }
        Assert.Empty(Directory.GetFiles(folder.ClaimsFolder));
    }

    [SkippableTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void Workers_stop_where_the_process_that_started_them_is_killed(bool signalled)
    {
        Skip.If(OperatingSystem.IsWindows(), "there are no such signals on Windows");
        SweepFolder folder = SweepSamples.LayOut(_temp["s"], SweepSamples.Units(2));
        (string file, IReadOnlyList<string> first) = SweepProcesses.Self();
        WorkerStart start = SweepChild.Start(folder.Path, 100_000);
        ProcessStartInfo info = new(file, [.. first, .. start.Arguments]) { RedirectStandardInput = true, RedirectStandardError = true };
        foreach ((string name, string value) in start.Variables) info.Environment[name] = value;
        info.Environment[SweepProcesses.PlaceVariable] = "1/1";
        using Process child = Process.Start(info)!;
        WaitFor(() => Directory.GetFiles(folder.ClaimsFolder).Length == 1);

        // The end of a pipe is what the child sees of its parent's end. A signal to all processes of a job may come on top.
        child.StandardInput.Close();
        if (signalled) KillPoint.Send(child.Id, Child.Terminate);
        string error = child.StandardError.ReadToEnd();
        Assert.True(child.WaitForExit(TimeSpan.FromMinutes(1)));
        Assert.True(child.ExitCode is 130 or 143, $"exit code {child.ExitCode}: {error}");
        Assert.Contains(" after 0 of 2 units, kept in ", error, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(folder.ClaimsFolder));
    }

    [Theory]
    [InlineData("2/4", 1, 4)]
    [InlineData("0/4", -1, 0)]
    [InlineData("5/4", -1, 0)]
    [InlineData("x", -1, 0)]
    public void A_worker_knows_which_it_is(string text, int number, int of) =>
        Assert.Equal(number < 0 ? null : (number, of), SweepProcesses.Place(_ => text));

    /// <summary>
    /// Three processes at one sweep, one of which is killed now and then and started again: in the end all results are those of one process
    /// that nobody disturbed. <c>GRADPATH_KILLS=100</c> kills so often.
    /// </summary>
    [SkippableFact]
    public void Kills_lose_nothing()
    {
        Skip.If(OperatingSystem.IsWindows(), "there are no such signals on Windows");
        int kills = int.TryParse(Environment.GetEnvironmentVariable("GRADPATH_KILLS"), CultureInfo.InvariantCulture, out int asked)
            ? asked
            : FewKills;
        const int Steps = 12;
        SweepUnit[] units = SweepSamples.Units(15 * kills);
        SweepFolder folder = SweepSamples.LayOut(_temp["killed"], units), whole = SweepSamples.LayOut(_temp["whole"], units);
        new SweepWorker(whole, new SweepSamples.Work(), SweepSamples.Terminal()).Run(units, default);
        Random random = new(Seed);
        Process[] processes = [.. Enumerable.Range(0, 3).Select(_ => SweepChild.Process(folder.Path, Steps))];
        int killed = 0, ended = 0;
        try
        {
            while (killed < kills && folder.Done().Count < units.Length)
            {
                int which = random.Next(3), after = folder.Done().Count + random.Next(1, 12);
                WaitFor(() => folder.Done().Count >= Math.Min(after, units.Length));
                Thread.Sleep(random.Next(120));
                if (processes[which].HasExited) ended++;
                else
                {
                    processes[which].Kill();
                    killed++;
                }
                processes[which].WaitForExit();
                processes[which].Dispose();
                processes[which] = SweepChild.Process(folder.Path, Steps);
            }
            foreach (Process process in processes)
            {
                Assert.True(process.WaitForExit(TimeSpan.FromMinutes(3)), "a process hangs");
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
        Assert.Equal(units.Length, folder.Done().Count);
        foreach (string key in units.Select(u => u.Key))
            Assert.Equal(File.ReadAllText(whole.ResultFile(key)), File.ReadAllText(folder.ResultFile(key)));
        Assert.Empty(folder.Failed());
        Assert.Empty(Directory.GetFiles(_temp["killed/units"], "*.progress", SearchOption.AllDirectories));
        output.WriteLine($"{killed} kills, seed {Seed}, {units.Length} units; {ended} processes had ended before; "
            + $"{Directory.GetFiles(folder.ClaimsFolder).Length} claims left");
    }

    public void Dispose() => _temp.Dispose();

    private static void WaitFor(Func<bool> until)
    {
        long start = Stopwatch.GetTimestamp();
        while (!until())
        {
            Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromMinutes(3), "it takes too long");
            Thread.Sleep(5);
        }
    }
}
