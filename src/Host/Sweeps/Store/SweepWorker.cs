using System.Diagnostics;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Host.Sessions;
using Gradpath.Host.Sweeps.Units;

namespace Gradpath.Host.Sweeps.Store;

/// <summary>
/// One process of a sweep: claims units of its own, computes them and writes what they gave, until all are done or have failed. Any number
/// of processes do so side by side in one folder.
/// </summary>
/// <param name="folder">The sweep.</param>
/// <param name="work">Computes units.</param>
/// <param name="terminal">Where progress is shown.</param>
internal sealed class SweepWorker(SweepFolder folder, IUnitWork work, Terminal terminal)
{
    private static readonly TimeSpan s_shortestWait = TimeSpan.FromSeconds(0.1);
    private static readonly TimeSpan s_longestWait = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan s_lookAgain = TimeSpan.FromSeconds(5);

    // Results of earlier runs that are read for their times: of each kind of unit some.
    private const int MostRead = 100;

    private readonly HashSet<string> _done = new(StringComparer.Ordinal);
    private readonly HashSet<string> _failed = new(StringComparer.Ordinal);
    private readonly SweepPace _pace = new();
    private long _looked;
    private int _computed;

    private enum Try
    {
        /// <summary>It is done or has failed.</summary>
        Settled,

        /// <summary>Another process computes it.</summary>
        Busy,

        /// <summary>It needs units that are neither done nor failed.</summary>
        NotReady,

        /// <summary>This process has computed it, or has found why it cannot be.</summary>
        Computed,
    }

    /// <summary>How long claims hold; null for <see cref="ClaimTiming.Default"/>.</summary>
    public ClaimTiming? Timing { get; init; }

    /// <summary>Which of several processes this is, from 0, and how many there are, so that they begin apart; null to draw a place to begin
    /// at.</summary>
    public (int Number, int Of)? Place { get; init; }

    /// <summary>
    /// Computes units until all are done or have failed. Units that need others are also taken on for other shards once those are done, and
    /// not waited for where others must come first that are not this process's: whichever shard ends last computes them.
    /// </summary>
    /// <param name="own">This process's units: all of the sweep, or a shard of them.</param>
    /// <param name="cancellation">Stops the unit under way, which saves its state if it can.</param>
    /// <exception cref="StoppedException">The work was stopped.</exception>
    /// <exception cref="GradpathException">A result or a claim cannot be written, as on a full disk. What was done stays.</exception>
    public SweepOutcome Run(IReadOnlyList<SweepUnit> own, CancellationToken cancellation)
    {
        using UnitClaims claims = folder.Claims(Timing);
        Look();
        _pace.Begin(own, IsSettled);
        LearnTimes(own);
        SweepUnit[] others = [.. folder.Units.Where(u => u.Needs.Count > 0 && !_pace.Counts(u.Key))];
        SweepOrder order = new(own, Place);
        try
        {
            TimeSpan wait = s_shortestWait;
            while (true)
            {
                bool busy = false, computed = false;
                foreach (SweepUnit unit in order.Walk(claims, IsSettled))
                {
                    Try result = TryUnit(claims, unit, cancellation);
                    busy |= result == Try.Busy;
                    computed |= result == Try.Computed;
                }
                foreach (SweepUnit unit in others) computed |= TryUnit(claims, unit, cancellation) == Try.Computed;
                if (computed) wait = s_shortestWait;
                else if (!busy) break;
                else
                {
                    cancellation.WaitHandle.WaitOne(wait);
                    if (wait < s_longestWait) wait *= 2;
                }
            }
        }
        catch (OperationCanceledException e) when (cancellation.IsCancellationRequested)
        {
            Look();
            throw new StoppedException(
                $" after {_pace.Settled} of {Sizes.Of(own.Count, "unit")}, kept in {folder.Path}; the same command goes on from there.",
                e);
        }
        finally
        {
            terminal.HasWorkToSave = false;
            terminal.Progress.Part = "";
        }
        return new SweepOutcome(own.Count, own.Count(u => _done.Contains(u.Key)), _computed,
            [.. own.Where(u => _failed.Contains(u.Key)).Select(u => folder.Failure(u.Key)).OfType<UnitFailure>()]);
    }

    private bool IsSettled(SweepUnit unit) => IsSettled(unit.Key);

    private bool IsSettled(string key) => _done.Contains(key) || _failed.Contains(key);

    // All at once, which costs less than one by one where there are many.
    private void Look()
    {
        foreach (string key in folder.Done()) Settle(_done, key);
        foreach (string key in folder.Failed())
        {
            if (!_done.Contains(key)) Settle(_failed, key);
        }
        _looked = Stopwatch.GetTimestamp();
    }

    // A wrong estimate harms nobody.
    private void LearnTimes(IReadOnlyList<SweepUnit> own)
    {
        SweepUnit[] done = [.. own.Where(u => _done.Contains(u.Key))];
        if (done.Length == own.Count) return;
        int read = Math.Min(done.Length, MostRead);
        for (int i = 0; i < read; i++)
        {
            SweepUnit unit = done[(int)((long)i * done.Length / read)];
            try
            {
                _pace.Took(unit, folder.Result(unit.Key));
            }
            catch (GradpathException)
            {
                return;
            }
        }
    }

    private bool LookAt(string key)
    {
        if (IsSettled(key)) return true;
        if (folder.IsDone(key)) Settle(_done, key);
        else if (folder.HasFailed(key)) Settle(_failed, key);
        return IsSettled(key);
    }

    private void Settle(HashSet<string> how, string key)
    {
        if (!IsSettled(key) && how.Add(key)) _pace.Settle(key);
    }

    private Try TryUnit(UnitClaims claims, SweepUnit unit, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        if (LookAt(unit.Key)) return Try.Settled;
        string? broken = unit.Needs.FirstOrDefault(n => LookAt(n) && _failed.Contains(n));
        if (broken is null && !unit.Needs.All(LookAt)) return Try.NotReady;
        if (!claims.TryTake(unit.Key)) return Try.Busy;
        bool settled = false;
        try
        {
            // Another process may have been done with it just before it could be claimed.
            if (folder.IsDoneByNow(unit.Key) || LookAt(unit.Key))
            {
                settled = LookAt(unit.Key);
                return Try.Settled;
            }
            if (broken is not null) Fail(unit, Because(broken));
            else if (Compute(claims, unit, cancellation) is { } outcome)
            {
                folder.Write(outcome);
                _pace.Took(unit, outcome.Result);
                Settle(_done, unit.Key);
                _computed++;
                settled = true;
                if (outcome.Result.IsEmpty) EmptyCircuits.Warn(terminal, unit, outcome.FoundEdges);
            }
            settled = true;
            return Try.Computed;
        }
        finally
        {
            claims.Release(unit.Key, settled);
        }
    }

    // Null where it failed, which is recorded.
    private UnitOutcome? Compute(UnitClaims claims, SweepUnit unit, CancellationToken cancellation)
    {
        if (Stopwatch.GetElapsedTime(_looked) > s_lookAgain)
        {
            Look();
            _pace.Processes = claims.Keys().Count(_pace.Counts);
        }
        string left = _pace.Left is { } time ? $", about {ProgressLines.Text(time)} left in all" : "";
        terminal.Progress.Part = $"unit {Math.Min(_pace.Settled + 1, _pace.Units)} of {_pace.Units}{left}";

        if (File.Exists(ProgressFile.Beside(folder.WorkFile(unit.Key))))
            terminal.Remark($"{unit.Title}: goes on from the saved state of an earlier process");

        // Whoever saves a search on the way says so too, and takes it back.
        terminal.HasWorkToSave = true;
        long start = Stopwatch.GetTimestamp();
        try
        {
            string title = terminal.ShowsProgress ? $"{terminal.Progress.Part}: {unit.Title}" : unit.Title;
            UnitOutcome outcome = ScoringProgress.Run(
                terminal, title, progress => work.Run(
                    unit, folder.WorkFile(unit.Key), new Reports(progress, claims, unit.Key), cancellation));
            outcome.Scores?.RequireFinite();
            outcome.Circuit?.Scores?.RequireFinite();
            if (outcome.Result.Key != unit.Key) throw new InvalidOperationException("the work gave the result of another unit");
            terminal.Detail($"{unit.Title}: {Sizes.Seconds(Stopwatch.GetElapsedTime(start).TotalSeconds)}");
            return outcome;
        }
        catch (Exception e) when (!UnitErrors.IsFullDisk(e) && !(e is OperationCanceledException && cancellation.IsCancellationRequested))
        {
            Fail(unit, UnitErrors.Of(e));
            return null;
        }
    }

    private void Fail(SweepUnit unit, (string Error, int Exit) why)
    {
        folder.Fail(UnitFailure.Now(unit, why.Error, why.Exit));
        Settle(_failed, unit.Key);

        // The reason comes at the end, and 'sweep status' has it.
        terminal.Note($"failed: {unit.Title}");
        terminal.Detail(why.Error);
    }

    private (string Error, int Exit) Because(string need)
    {
        UnitFailure? failure = folder.Failure(need);
        return ($"it needs {folder.Unit(need)?.Title ?? need}, which failed{(failure is null ? "" : $": {failure.Error}")}",
            failure?.Exit ?? ExitCode.Failure);
    }

    // Also tells other processes.
    private sealed class Reports(IProgress<RunProgress>? progress, UnitClaims claims, string key) : IProgress<RunProgress>
    {
        public void Report(RunProgress value)
        {
            progress?.Report(value);
            if (value.Total > 0) claims.Report(key, Math.Clamp(value.Done / (double)value.Total, 0, 1), value.Stage);
        }
    }
}
