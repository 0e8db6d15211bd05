using System.Globalization;
using Gradpath.Gpt2Runtime.Runs;

namespace Gradpath.Programs;

/// <summary>
/// How far a long command is, as a line now and then for logs: the first after ten seconds, later ones after twice the time each, at most a
/// minute apart. A command that is done before has none.
/// </summary>
/// <param name="time">The clock.</param>
/// <param name="write">Takes a line.</param>
internal sealed class ProgressLines(TimeProvider time, Action<string> write)
{
    private static readonly TimeSpan s_first = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_longest = TimeSpan.FromMinutes(1);

    private readonly long _start = time.GetTimestamp();
    private TimeSpan _due = s_first;
    private TimeSpan _interval = s_first;

    /// <summary>What the runs that follow are a part of: <c>row 2 of 9</c>; empty where they are all of it.</summary>
    public string Part { get; set; } = "";

    /// <summary>Begins a run, whose reports become lines where one is due.</summary>
    /// <param name="title">What the run is called.</param>
    public IProgress<RunProgress> Begin(string title) => new Run(this, title, time.GetTimestamp());

    /// <summary>A time as people estimate it: <c>40 s</c>, <c>12 min</c>, <c>2.5 h</c>.</summary>
    /// <param name="time">The time.</param>
    public static string Text(TimeSpan time) => time.TotalSeconds < 100
        ? string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0} s")
        : time.TotalHours < 2
            ? string.Create(CultureInfo.InvariantCulture, $"{time.TotalMinutes:0} min")
            : string.Create(CultureInfo.InvariantCulture, $"{time.TotalHours:0.0} h");

    private void Report(string title, long begun, RunProgress progress)
    {
        TimeSpan elapsed = time.GetElapsedTime(_start);
        if (elapsed < _due) return;
        _interval = _interval * 2 < s_longest ? _interval * 2 : s_longest;
        _due = elapsed + _interval;
        double share = progress.Total > 0 ? Math.Clamp(progress.Done / (double)progress.Total, 0, 1) : 0;
        string part = Part.Length > 0 ? $"{Part}, " : "";
        string stage = progress.Stage.Length > 0 ? $", {progress.Stage}" : "";
        string left = share > 0 ? $", about {Text(time.GetElapsedTime(begun) * ((1 - share) / share))} left" : "";
        string whole = Part.Length > 0 && left.Length > 0 ? " of this" : "";
        string done = progress.Total <= 0 && progress.Done > 0
            ? Sizes.Count(progress.Done)
            : string.Create(CultureInfo.InvariantCulture, $"{share * 100:0} %");
        write($"{part}{title}{stage}: {done} done, {Text(elapsed)} so far{left}{whole}");
    }

    private sealed class Run(ProgressLines lines, string title, long begun) : IProgress<RunProgress>
    {
        public void Report(RunProgress value) => lines.Report(title, begun, value);
    }
}
