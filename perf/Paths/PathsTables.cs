using System.Globalization;
using Gradpath.Programs;
using Gradpath.Programs.Reporting;

namespace Gradpath.Perf.Paths;

/// <summary>The tables of <c>perf paths</c>.</summary>
internal static class PathsTables
{
    /// <summary>A row per model and scorer, a column per set.</summary>
    /// <param name="summaries">The rows.</param>
    /// <param name="sets">The sets, in order.</param>
    public static ReportTable Ratios(IEnumerable<PathsSummary> summaries, IReadOnlyList<string> sets)
    {
        ReportTableOf<PathsSummary> table = ReportTable.Of("ratios", summaries)
            .Text("model", "model", s => s.Model)
            .Text("scores", "scorer", s => s.Scorer.Name)
            .Column("passes", "passes", s => s.Scorer.Passes is { } p ? p.Forward + p.Backward : null, Passes)
            .Ratio("time", "time", s => s.Time);
        foreach (string set in sets) table.Ratio(set, $"ratio_{set}", s => s.Sets.TryGetValue(set, out double ratio) ? ratio : double.NaN);
        return table
            .Ratio("all", "ratio", s => s.All)
            .Shows("interval", s => double.IsNaN(s.Low) ? "-" : $"{Sizes.Ratio(s.Low)} to {Sizes.Ratio(s.High)}")
            .Hidden("low", s => s.Low)
            .Hidden("high", s => s.High);
    }

    /// <summary>A row per model and set.</summary>
    /// <param name="saturations">The rows.</param>
    public static ReportTable Saturations(IEnumerable<Saturation> saturations) => ReportTable.Of("saturation", saturations)
        .Text("model", "model", s => s.Model)
        .Text("set", "set", s => s.Set)
        .Text("metric", "metric", s => s.Metric)
        .Count("pairs", "pairs", s => s.Ratios.Count)
        .Column("saturation, median", "median", s => s.Median, s => s.Median.ToString("G3", CultureInfo.InvariantCulture))
        .Share($"pairs with {Saturation.Saturated} or more", "saturated", s => s.Share);

    /// <summary>How far scores correlate with exact patching: a row per model and scorer, a column per set.</summary>
    /// <param name="runs">The runs.</param>
    /// <param name="sets">The sets, in order.</param>
    public static ReportTable Agreements(IReadOnlyList<PathsRun> runs, IReadOnlyList<string> sets)
    {
        (string Model, string Scorer)[] rows = [.. runs.Select(r => (r.Model, r.Scorer)).Distinct()];
        ReportTableOf<(string Model, string Scorer)> table = ReportTable.Of("correlations", rows)
            .Text("model", "model", r => r.Model)
            .Text("scores", "scorer", r => r.Scorer);
        foreach (string set in sets) table.Shows(set, r => $"{Mean(r, set, x => x.Pearson)} / {Mean(r, set, x => x.Spearman)}");
        return table;

        string Mean((string Model, string Scorer) row, string set, Func<PathsRun, double> of) =>
            Sizes.Ratio(runs.Where(r => (r.Model, r.Scorer, r.Set) == (row.Model, row.Scorer, set)).Average(of));
    }

    /// <summary>Every run, for JSON.</summary>
    /// <param name="runs">The rows.</param>
    public static ReportTable Runs(IEnumerable<PathsRun> runs) => ReportTable.Of("runs", runs)
        .Hidden("model", r => r.Model)
        .Hidden("set", r => r.Set)
        .Hidden("metric", r => r.Metric)
        .Hidden("seed", r => r.Seed)
        .Hidden("scorer", r => r.Scorer)
        .Hidden("cmd", r => r.Cmd)
        .Hidden("cpr", r => r.Cpr)
        .Hidden("ratio", r => r.Ratio)
        .Hidden("seconds", r => r.Seconds)
        .Hidden("seconds_ratio", r => r.SecondsRatio)
        .Hidden("pearson", r => r.Pearson)
        .Hidden("spearman", r => r.Spearman);

    private static string Passes(PathsSummary s) => s.Scorer.Passes is { } p ? $"{p.Forward + p.Backward}" : "-";
}
