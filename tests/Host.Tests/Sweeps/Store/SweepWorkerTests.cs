using System.Collections.Concurrent;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Host.Sweeps.Store;
using Gradpath.Host.Sweeps.Units;
using Gradpath.Kernels;

namespace Gradpath.Host.Tests;

/// <summary>One process of a sweep: every unit is computed once, failures stop nobody, what is stopped goes on.</summary>
public sealed class SweepWorkerTests : IDisposable
{
    private readonly TempFolder _temp = new();

    [Fact]
    public void All_units_are_computed_once_and_not_again()
    {
        SweepFolder folder = SweepSamples.LayOut(_temp["s"], SweepSamples.Units(10));
        List<int> computed = [];
        SweepOutcome first = Run(folder, Recording(computed));
        Assert.Equal((10, 10, 10, 0), (first.Units, first.Done, first.Computed, first.Waiting));
        Assert.Equal(Enumerable.Range(0, 10), computed.Order());
        SweepOutcome second = Run(folder, Recording(computed));
        Assert.Equal((10, 0), (second.Done, second.Computed));
        Assert.Equal(10, computed.Count);
        Assert.Empty(Directory.GetFiles(folder.ClaimsFolder));
    }

    [Fact]
    public void Units_of_one_model_task_and_seed_follow_each_other_and_processes_begin_apart()
    {
        SweepUnit[] units = SweepSamples.Units(12);
        for (int place = 0; place < 4; place++)
        {
            SweepFolder folder = SweepSamples.LayOut(_temp[$"s{place}"], units);
            List<int> computed = [];
            new SweepWorker(folder, Recording(computed), SweepSamples.Terminal()) { Place = (place, 4) }.Run(units, default);
            int[] seeds = [.. computed.Select(i => units[i].Seed)];
            int[] starts = [.. seeds.Where((s, i) => i == 0 || seeds[i - 1] != s)];
            Assert.Equal(Enumerable.Range(0, 4).Select(s => (s + place) % 4), starts);
        }
    }

    [Fact]
    public void The_group_that_others_work_at_comes_last()
    {
        SweepUnit[] units = SweepSamples.Units(8);
        SweepFolder folder = SweepSamples.LayOut(_temp["s"], units);
        using UnitClaims others = folder.Claims();
        Assert.True(others.TryTake(units[0].Key));
        Assert.Equal([1, 5, 2, 6, 3, 7, 0, 4], new SweepOrder(units, (0, 1)).Walk(others, _ => false).Select(u => u.Index));
    }

    [Fact]
    public void A_failure_is_recorded_with_its_reason_and_stops_nobody()
    {
        SweepUnit[] units = SweepSamples.Units(8);
        SweepFolder folder = SweepSamples.LayOut(_temp["s"], units);
        StringWriter error = new();
        Exception[] thrown =
        [
            new GradpathException("pairs.jsonl: row 3 is too long"), new UsageException("--metric: it needs answers."),
            new OptionException($"{Terms.Steps} must be at least 1"), new DeviceException("no memory") { IsOutOfMemory = true },
            new InsufficientMemoryException(), new InvalidOperationException("odd\nindeed"), new OperationCanceledException(),
        ];
        SweepOutcome outcome = Run(folder, new SweepSamples.Work((unit, _, _) =>
            unit.Index < thrown.Length ? throw thrown[unit.Index] : new UnitOutcome(SweepSamples.Result(unit.Key))), error);
        Assert.Equal((8, 1, 1), (outcome.Units, outcome.Done, outcome.Computed));
        Assert.Equal(
        [
            "pairs.jsonl: row 3 is too long", "--metric: it needs answers.", "--steps must be at least 1.",
            "no memory; a smaller batch size needs less", "out of memory; a smaller batch size needs less",
            "unexpected error: InvalidOperationException: odd indeed (this is a defect)",
            "unexpected error: OperationCanceledException: The operation was canceled. (this is a defect)",
        ], outcome.Failures.Select(f => f.Error));
        Assert.Equal([1, 2, 2, 1, 1, 1, 1], outcome.Failures.Select(f => f.Exit));
        Assert.Contains($"failed: {units[0].Title}\n", error.ToString().ReplaceLineEndings("\n"),
            StringComparison.Ordinal);

        // Known failures are not tried again until they are forgotten.
        Assert.Equal(0, Run(folder, new SweepSamples.Work()).Computed);
        folder.Forget(units[2].Key);
        outcome = Run(folder, new SweepSamples.Work());
        Assert.Equal((1, 6), (outcome.Computed, outcome.Failures.Count));
    }

    [Fact]
    public void A_unit_waits_for_those_that_it_needs_and_fails_with_them()
    {
        SweepUnit[] units =
        [
            SweepSamples.Unit(0, needs: [SweepSamples.Key(1), SweepSamples.Key(2)]), SweepSamples.Unit(1), SweepSamples.Unit(2),
            SweepSamples.Unit(3, needs: [SweepSamples.Key(4)]), SweepSamples.Unit(4), SweepSamples.Unit(5, needs: [SweepSamples.Key(3)]),
        ];
        SweepFolder folder = SweepSamples.LayOut(_temp["s"], units);
        List<int> computed = [];
        SweepSamples.Work work = Recording(computed, unit => unit.Index == 4 ? throw new GradpathException("no prompts") : true);
        SweepOutcome outcome = Run(folder, work);
        Assert.Equal([1, 2, 4, 0], computed);
        Assert.Equal(
        [
            $"it needs {units[4].Title}, which failed: no prompts", "no prompts",
            $"it needs {units[3].Title}, which failed: it needs {units[4].Title}, which failed: no prompts",
        ], outcome.Failures.Select(f => f.Error));
    }

    // Parts of one prompt set lie in several shards, and the unit that puts them together in one of them.
    [Fact]
    public void The_shard_that_ends_last_computes_what_needs_the_others()
    {
        SweepUnit[] units =
        [
            SweepSamples.Unit(0), SweepSamples.Unit(1), SweepSamples.Unit(2, needs: [SweepSamples.Key(0), SweepSamples.Key(1)]),
        ];
        foreach (int first in (int[])[0, 1])
        {
            SweepFolder folder = SweepSamples.LayOut(_temp[$"s{first}"], units);
            SweepUnit[][] shards = [[units[0], units[2]], [units[1]]];
            SweepWorker one = new(folder, new SweepSamples.Work(), SweepSamples.Terminal());
            SweepWorker other = new(folder, new SweepSamples.Work(), SweepSamples.Terminal());
            SweepOutcome before = one.Run(shards[first], default), after = other.Run(shards[1 - first], default);
            Assert.Equal((1, first == 0 ? 1 : 0), (before.Computed, before.Waiting));
            Assert.Equal((2, 0), (after.Computed, after.Waiting));
            Assert.Equal(3, folder.Done().Count);
        }
    }

    [Fact]
    public void Several_at_once_share_the_work_and_all_see_its_end()
    {
        SweepUnit[] units = SweepSamples.Units(120);
        SweepFolder folder = SweepSamples.LayOut(_temp["s"], units);
        ConcurrentBag<int> computed = [];
        int[] done = new int[4];
        UnitClaimsTests.Race(4, place =>
        {
            SweepWorker worker = new(
                folder, new SweepSamples.Work((unit, _, _) =>
                {
                    computed.Add(unit.Index);
                    Thread.Sleep(2);
                    return new UnitOutcome(SweepSamples.Result(unit.Key));
                }), SweepSamples.Terminal())
            { Place = (place, 4) };
            done[place] = worker.Run(units, default).Done;
        });
        Assert.Equal(Enumerable.Range(0, 120), computed.Order());
        Assert.Equal([120, 120, 120, 120], done);
    }

    [Fact]
    public void A_unit_of_a_process_that_has_died_is_waited_for_and_taken_over()
    {
        SweepUnit[] units = SweepSamples.Units(2);
        SweepFolder folder = SweepSamples.LayOut(_temp["s"], units);
        File.WriteAllText(Path.Combine(folder.ClaimsFolder, units[1].Key), "");
        ClaimTiming soon = new(TimeSpan.FromSeconds(0.2), TimeSpan.FromSeconds(1.5));
        SweepWorker worker = new(folder, new SweepSamples.Work(), SweepSamples.Terminal()) { Timing = soon };
        SweepOutcome outcome = worker.Run(units, default);
        Assert.Equal((2, 2), (outcome.Done, outcome.Computed));
        Assert.Empty(Directory.GetFiles(folder.ClaimsFolder));
    }

    [Fact]
    public void What_is_stopped_gives_its_unit_back_and_goes_on_from_its_state()
    {
        SweepUnit[] units = SweepSamples.Units(3);
        SweepFolder folder = SweepSamples.LayOut(_temp["s"], units);
        using CancellationTokenSource stop = new();
        Terminal terminal = SweepSamples.Terminal();
        SweepSamples.Work stopped = new((unit, file, cancellation) =>
        {
            if (folder.Done().Count == 0) return new UnitOutcome(SweepSamples.Result(unit.Key));
            File.WriteAllText(ProgressFile.Beside(file), "half");
            Assert.True(terminal.HasWorkToSave);
            stop.Cancel();
            cancellation.ThrowIfCancellationRequested();
            throw new InvalidOperationException();
        });
        StoppedException e = Assert.Throws<StoppedException>(() => new SweepWorker(folder, stopped, terminal).Run(units, stop.Token));
        Assert.Equal($" after 1 of 3 units, kept in {folder.Path}; the same command goes on from there.", e.Saved);
        Assert.Empty(Directory.GetFiles(folder.ClaimsFolder));
        Assert.Empty(folder.Failed());
        Assert.False(terminal.HasWorkToSave);
        List<string> found = [];
        Run(folder, new SweepSamples.Work((unit, file, _) =>
        {
            if (File.Exists(ProgressFile.Beside(file))) found.Add(File.ReadAllText(ProgressFile.Beside(file)));
            return new UnitOutcome(SweepSamples.Result(unit.Key));
        }));
        Assert.Equal(["half"], found);
        Assert.Empty(Directory.GetFiles(_temp["s/units"], "*.progress", SearchOption.AllDirectories));
    }

    [Fact]
    public void Waiting_for_others_can_be_stopped()
    {
        SweepUnit[] units = SweepSamples.Units(1);
        SweepFolder folder = SweepSamples.LayOut(_temp["s"], units);
        using UnitClaims other = folder.Claims();
        other.TryTake(units[0].Key);
        using CancellationTokenSource stop = new(TimeSpan.FromSeconds(0.3));
        Assert.Throws<StoppedException>(
            () => new SweepWorker(folder, new SweepSamples.Work(), SweepSamples.Terminal()).Run(units, stop.Token));
        Assert.True(other.Holds(units[0].Key));
    }

    // A folder in the place of the result: it cannot be written, as on a full disk.
    [Fact]
    public void A_result_that_cannot_be_written_ends_the_process_and_is_no_failure_of_the_unit()
    {
        SweepUnit[] units = SweepSamples.Units(3);
        SweepFolder folder = SweepSamples.LayOut(_temp["s"], units);
        SweepSamples.Work work = new((unit, _, _) =>
        {
            if (unit.Index == 1) Directory.CreateDirectory(folder.ResultFile(unit.Key));
            return new UnitOutcome(SweepSamples.Result(unit.Key));
        });
        GradpathException e = Assert.Throws<GradpathException>(
            () => new SweepWorker(folder, work, SweepSamples.Terminal()) { Place = (0, 1) }.Run(units, default));
        Assert.StartsWith($"cannot write {folder.ResultFile(units[1].Key)}: ", e.Message, StringComparison.Ordinal);
        Assert.Equal([units[0].Key], folder.Done());
        Assert.Empty(folder.Failed());
        Assert.Empty(Directory.GetFiles(folder.ClaimsFolder));
        Directory.Delete(folder.ResultFile(units[1].Key));
        Assert.Equal(2, Run(folder, new SweepSamples.Work()).Computed);
    }

    [SkippableFact]
    public void A_full_disk_in_the_middle_of_a_unit_is_no_failure_of_the_unit()
    {
        Skip.IfNot(File.Exists("/dev/full"), "there is no full disk here");
        SweepFolder folder = SweepSamples.LayOut(_temp["s"], SweepSamples.Units(2));
        SweepSamples.Work work = new((_, _, _) =>
        {
            try
            {
                using FileStream full = new("/dev/full", FileMode.Open, FileAccess.Write);
                full.WriteByte(1);
            }
            catch (IOException e)
            {
                throw new GradpathException("cannot write x", e);
            }
            throw new InvalidOperationException();
        });
        Assert.Throws<GradpathException>(() => Run(folder, work));
        Assert.Empty(folder.Failed());
        Assert.Empty(Directory.GetFiles(folder.ClaimsFolder));
    }

    // A disk of a few files' size, which only an administrator can make.
    [SkippableFact]
    public void A_disk_that_fills_up_ends_the_process_in_one_line_and_loses_nothing()
    {
        string disk = _temp["disk"];
        Directory.CreateDirectory(disk);
        Skip.IfNot(OperatingSystem.IsLinux() && Shell($"mount -t tmpfs -o size=400k none '{disk}'") == 0, "no disk can be made here");
        try
        {
            SweepUnit[] units = SweepSamples.Units(150);
            SweepFolder folder = SweepSamples.LayOut($"{disk}/s", units);
            GradpathException e = Assert.Throws<GradpathException>(() => Run(folder, new SweepSamples.Work()));
            Assert.Contains("No space left on device", e.Message, StringComparison.Ordinal);
            HashSet<string> done = folder.Done();
            Assert.InRange(done.Count, 1, 149);
            Assert.All(done, key => Assert.Equal(2, folder.Result(key).Rows.Count));
            Assert.Empty(folder.Failed());
            Assert.Empty(Directory.GetFiles(folder.ClaimsFolder));
            Assert.Throws<GradpathException>(() => Run(folder, new SweepSamples.Work()));
            Assert.Equal(0, Shell($"mount -o remount,size=8m '{disk}'"));
            SweepOutcome outcome = Run(SweepSamples.LayOut($"{disk}/s", units), new SweepSamples.Work());
            Assert.Equal((150, 150 - done.Count), (outcome.Done, outcome.Computed));
        }
        finally
        {
            _ = Shell($"umount '{disk}'");
        }
    }

    // A cost of 1 is half a second of one method and five of another, whatever their numbers.
    [Fact]
    public void The_time_left_goes_by_what_units_of_the_same_kind_took()
    {
        SweepPace pace = new();
        SweepUnit[] units = [.. Enumerable.Range(0, 6).Select(i => SweepSamples.Unit(i, 10) with
        {
            Method = new(i % 2 == 0 ? "eap" : "hap", "score", [], 1),
        })];
        pace.Begin(units, u => u.Index == 5);
        Assert.Null(pace.Left);
        Done(0, 5);
        Assert.Equal(TimeSpan.FromSeconds(20), pace.Left);
        Done(1, 50);
        Assert.Equal(TimeSpan.FromSeconds(60), pace.Left);
        pace.Settle("of no account");
        pace.Processes = 2;
        Assert.Equal(TimeSpan.FromSeconds(30), pace.Left);
        Done(2, 5);
        Assert.Equal(TimeSpan.FromSeconds(27.5), pace.Left);
        Done(4, double.NaN);
        pace.Settle(units[3].Key);
        Assert.Null(pace.Left);
        Assert.Equal((6, 6), (pace.Units, pace.Settled));

        void Done(int unit, double seconds)
        {
            pace.Took(units[unit], SweepSamples.Result(units[unit].Key, seconds));
            pace.Settle(units[unit].Key);
        }
    }

    [Fact]
    public void A_sweep_that_goes_on_knows_from_the_start_how_long_it_takes()
    {
        SweepUnit[] units = SweepSamples.Units(3);
        SweepFolder folder = SweepSamples.LayOut(_temp["s"], units);
        folder.Write(new UnitOutcome(SweepSamples.Result(units[0].Key, 60)));
        Terminal terminal = SweepSamples.Terminal();
        List<string> parts = [];
        SweepSamples.Work work = new((unit, _, _) =>
        {
            parts.Add(terminal.Progress.Part);
            return new UnitOutcome(SweepSamples.Result(unit.Key, 60));
        });
        new SweepWorker(folder, work, terminal).Run(units, default);
        Assert.Equal(["unit 2 of 3, about 2 min left in all", "unit 3 of 3, about 60 s left in all"], parts);
    }

    [Fact]
    public void Progress_says_which_unit_of_how_many()
    {
        SweepUnit[] units = SweepSamples.Units(3);
        SweepFolder folder = SweepSamples.LayOut(_temp["s"], units);
        Terminal terminal = SweepSamples.Terminal();
        List<string> parts = [];
        SweepSamples.Work work = new((unit, _, _) =>
        {
            parts.Add(terminal.Progress.Part);
            return new UnitOutcome(SweepSamples.Result(unit.Key));
        });
        new SweepWorker(folder, work, terminal).Run(units, default);
        Assert.Equal("unit 1 of 3", parts[0]);
        Assert.Matches("^unit 3 of 3, about [0-9]+ s left in all$", parts[2]);
        Assert.Equal("", terminal.Progress.Part);
    }

    public void Dispose() => _temp.Dispose();

    private int Shell(string command) => ShellRun.Of(_temp.Path, new Dictionary<string, string?>(), "sh", "-c", command).ExitCode;

    private static SweepOutcome Run(SweepFolder folder, IUnitWork work, TextWriter? error = null) =>
        new SweepWorker(folder, work, SweepSamples.Terminal(error)).Run(folder.Units, CancellationToken.None);

    private static SweepSamples.Work Recording(List<int> computed, Func<SweepUnit, bool>? check = null) => new((unit, _, _) =>
    {
        computed.Add(unit.Index);
        _ = check?.Invoke(unit);
        return new UnitOutcome(SweepSamples.Result(unit.Key));
    });
}
