using System.Diagnostics;
using System.Globalization;
using Gradpath.Host.Sweeps.Store;
using Gradpath.Host.Sweeps.Units;
using Xunit.Abstractions;

namespace Gradpath.Host.Tests;

/// <summary>
/// What a unit costs beside its work, with a thousand units in a folder; <c>GRADPATH_SWEEP_UNITS=10000</c> takes more. The test's output
/// has the figures.
/// </summary>
[Collection(nameof(Alone))]
public sealed class SweepScaleTests(ITestOutputHelper output)
{
    // On a busy machine one of them has it to itself.
    private const int Parts = 5;

    [Fact]
    public void Scheduling_costs_little_and_status_reads_many_units_in_seconds()
    {
        int count = int.TryParse(Environment.GetEnvironmentVariable("GRADPATH_SWEEP_UNITS"), CultureInfo.InvariantCulture, out int asked)
            ? asked
            : 1_000;
        using TempFolder temp = new();
        SweepUnit[] units = SweepSamples.Units(count);
        SweepFolder folder = Timed("lay out", () => SweepSamples.LayOut(temp["s"], units), out _);
        double least = double.PositiveInfinity, all = 0;
        TimeSpan processors = Environment.CpuUsage.TotalTime;
        int collections = GC.CollectionCount(0);
        for (int part = 1; part <= Parts; part++)
        {
            IReadOnlyList<SweepUnit> own = new SweepShard(part, Parts).Of(units);
            SweepWorker worker = new(folder, new SweepSamples.Work(), SweepSamples.Terminal());
            SweepOutcome outcome = Timed($"compute {own.Count}", () => worker.Run(own, default), out double seconds);
            Assert.Equal(own.Count, outcome.Computed);
            least = Math.Min(least, seconds / own.Count);
            all += seconds;
        }
        processors = Environment.CpuUsage.TotalTime - processors;
        output.WriteLine($"{all / count * 1e3:0.000} ms per unit, {least * 1e3:0.000} at the fastest, "
            + $"{processors.TotalMilliseconds / count:0.000} of a processor; {GC.CollectionCount(0) - collections} collections");
        SweepWorker idle = new(folder, new SweepSamples.Work(), SweepSamples.Terminal());
        Timed("go on where all is done", () => idle.Run(units, default), out _);
        SweepFolder opened = Timed("open", () => SweepLayout.Open(temp["s"]), out _);
        SweepStatus status = Timed("status", () => SweepStatus.Of(opened), out double look);
        Assert.Equal(count, status.Count(UnitStateKind.Done));
        Timed("read all results", () => units.Count(u => opened.Result(u.Key).Rows.Count == 2), out _);
        Cli.Run("sweep", "status", temp["s"]).Succeeds($"{Sizes.Count(count)} of {Sizes.Of(count, "unit")} done");
        Assert.True(least < 0.005, $"{least * 1e3:0.0} ms per unit");
        Assert.True(look < 5, $"{look:0.0} s for the status");
    }

    private T Timed<T>(string what, Func<T> run, out double seconds)
    {
        long start = Stopwatch.GetTimestamp();
        T value = run();
        seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        output.WriteLine($"{what}: {seconds:0.000} s");
        return value;
    }

    /// <summary>Other tests make and delete thousands of files, and a disk takes its time for each.</summary>
    [CollectionDefinition(nameof(Alone), DisableParallelization = true)]
    public sealed class Alone;
}
