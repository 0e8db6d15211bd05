using System.Globalization;
using Gradpath.Host.Reports.Pictures;

namespace Gradpath.Host.Sweeps.Merge;

/// <summary>A measure over the size of circuits: a picture per task, a line per method.</summary>
internal static class SweepCharts
{
    // What a search without a sparsity to go for has reached is the mean over its seeds.
    private static readonly CircuitSize s_found = new(null, null);

    // KL is shown on a logarithmic axis; of circuits that are as good as the model float32 leaves nothing meaningful below this.
    private const double LeastKl = 1e-6;
    private const int LongestName = 64;
    private const double LeastGap = 0.05;

    /// <summary>The pictures of one scope, kind and measure.</summary>
    /// <param name="grids">All grids.</param>
    /// <param name="key">A grid's key, whose size does not matter.</param>
    /// <param name="graphEdges">Edges of the model's graph.</param>
    /// <param name="methods">All methods that any picture shows: each looks the same in all.</param>
    public static IEnumerable<(string Task, string Picture)> Of(
        IReadOnlyList<SeedGrid> grids, GridKey key, int graphEdges, IReadOnlyList<string> methods)
    {
        SeedGrid[] sizes = [.. grids.Where(g => g.Key with { Size = null } == key with { Size = null })];
        SeedGrid? reached = grids.FirstOrDefault(
            g => g.Key == key with { Measure = SweepMeasure.Sparsity, Size = s_found, Kind = GridKind.Circuit });
        bool isLogarithmic = !key.Measure.IsShare;
        foreach (string task in sizes.SelectMany(g => g.Columns).Distinct())
        {
            ChartLine[] lines =
            [
                .. methods.Select((method, i) => new ChartLine(Short(method), Points(method, task)) { Look = i })
                    .Where(l => l.Points.Count > 0),
            ];
            if (lines.Length == 0) continue;
            ChartPoint[] all = [.. lines.SelectMany(l => l.Points)];
            ChartAxis y = isLogarithmic
                ? ChartAxis.Logarithmic($"{key.Measure.Name}, nats", all.Select(p => p.Y))
                : ChartAxis.Linear(key.Measure.Name, Math.Min(0, all.Min(p => p.Y)), Math.Max(1, all.Max(p => p.Y)));
            yield return (task, LineChart.Draw($"{key.Measure.Name} over size, {task}", Across(sizes, all, graphEdges), y, lines));
        }

        ChartPoint[] Points(string method, string task) =>
        [
            .. sizes.Select(g => (X: Place(g.Key.Size!, reached?.Cell(method, task), graphEdges), Cell: g.Cell(method, task)))
                .Where(p => p.X is not null && p.Cell is { Count: > 0 })
                .Select(p => Point(p.X!.Value, p.Cell!.Value, isLogarithmic)).OrderBy(p => p.X),
        ];
    }

    private static ChartPoint Point(double x, SeedMean cell, bool isLogarithmic)
    {
        double Y(double value) => isLogarithmic ? Math.Log10(Math.Max(LeastKl, value)) : value;
        return cell.Half is null ? new ChartPoint(x, Y(cell.Mean)) : new ChartPoint(x, Y(cell.Mean), Y(cell.Low), Y(cell.High));
    }

    // The logarithm of the share of edges.
    private static double? Place(CircuitSize size, SeedMean? reached, int graphEdges)
    {
        double share = size.Edges is { } edges ? edges / (double)graphEdges
            : size.Sparsity is { } sparsity ? 1 - sparsity
            : reached is { Count: > 0 } found ? 1 - found.Mean
            : 0;
        return share > 0 ? Math.Log10(share) : null;
    }

    // Marks that would run into each other are left out.
    private static ChartAxis Across(IReadOnlyList<SeedGrid> sizes, IReadOnlyList<ChartPoint> points, int graphEdges)
    {
        double first = points.Min(p => p.X), last = points.Max(p => p.X);
        bool inEdges = sizes.Any(g => g.Key.Size!.Edges is not null);
        List<(double At, string Label)> marks = [];
        foreach (CircuitSize size in sizes.Select(g => g.Key.Size!))
        {
            if (Place(size, null, graphEdges) is not { } at || at < first || at > last) continue;
            string label = !inEdges ? CircuitSize.Percent(Math.Round(1 - size.Sparsity!.Value, 10))
                : size.Edges is { } edges ? edges.ToString(CultureInfo.InvariantCulture) : "";
            if (label.Length > 0 && !marks.Exists(m => Math.Abs(m.At - at) < LeastGap * (last - first))) marks.Add((at, label));
        }
        return new ChartAxis(inEdges ? "edges" : "share of the edges", first, last, marks);
    }

    private static string Short(string name) => name.Length <= LongestName ? name : name[..(LongestName - 1)] + "…";
}
