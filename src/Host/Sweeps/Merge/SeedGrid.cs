using System.Globalization;

namespace Gradpath.Host.Sweeps.Merge;

/// <summary>A table of means over seeds: one measure, rows and columns with names, cells that may be missing.</summary>
internal sealed class SeedGrid
{
    private readonly Dictionary<(string Row, string Column), SeedMean> _cells;

    /// <summary>A grid.</summary>
    /// <param name="key">What it is about.</param>
    /// <param name="rows">Names of its rows, in their order; those without a cell are left out.</param>
    /// <param name="columns">Names of its columns, in their order; those without a cell are left out.</param>
    /// <param name="values">The values of each cell by seed.</param>
    public SeedGrid(
        GridKey key, IEnumerable<string> rows, IEnumerable<string> columns,
        IReadOnlyDictionary<(string Row, string Column), SortedDictionary<int, double>> values)
    {
        Key = key;
        _cells = values.ToDictionary(v => v.Key, v => SeedMean.Of(v.Value.Values));
        HashSet<string> usedRows = [.. values.Keys.Select(c => c.Row)], usedColumns = [.. values.Keys.Select(c => c.Column)];
        Rows = [.. rows.Distinct().Where(usedRows.Contains)];
        Columns = [.. columns.Distinct().Where(usedColumns.Contains)];
        Seeds = _cells.Values.GroupBy(c => c.Count).OrderByDescending(g => g.Count()).ThenByDescending(g => g.Key)
            .Select(g => g.Key).FirstOrDefault();
    }

    /// <summary>What it is about.</summary>
    public GridKey Key { get; }

    /// <summary>Names of its rows.</summary>
    public IReadOnlyList<string> Rows { get; }

    /// <summary>Names of its columns.</summary>
    public IReadOnlyList<string> Columns { get; }

    /// <summary>How many seeds most cells average; other numbers stand in the cells.</summary>
    public int Seeds { get; }

    /// <summary>A cell; null where there is none.</summary>
    /// <param name="row">The row's name.</param>
    /// <param name="column">The column's name.</param>
    public SeedMean? Cell(string row, string column) => _cells.TryGetValue((row, column), out SeedMean cell) ? cell : null;

    /// <summary>
    /// Whether a cell has the best mean of its column. Those that read the same as the best are as good. Where less than two rows have a
    /// mean, or all read the same, none is the best. Intervals do not count: they may overlap.
    /// </summary>
    /// <param name="row">The row's name.</param>
    /// <param name="column">The column's name.</param>
    public bool IsBest(string row, string column)
    {
        if (Key.Measure.Best == BestValue.None || Cell(row, column) is not { Count: > 0 } cell) return false;
        double[] means = [.. Rows.Select(r => Cell(r, column)).OfType<SeedMean>().Where(c => c.Count > 0).Select(c => c.Mean)];
        string[] shown = [.. means.Select(Key.Measure.Format)];
        if (shown.Distinct().Count() < 2) return false;
        double best = means.MinBy(Lack);
        return Lack(cell.Mean) == Lack(best) || Key.Measure.Format(cell.Mean) == Key.Measure.Format(best);

        double Lack(double mean) => Key.Measure.Best switch
        {
            BestValue.Largest => -mean,
            BestValue.Smallest => mean,
            _ => Math.Abs(1 - mean),
        };
    }

    /// <summary>What stands in a cell: mean, half the interval and a remark, each as text.</summary>
    /// <param name="row">The row's name.</param>
    /// <param name="column">The column's name.</param>
    public (string Mean, string? Half, string? Remark) Texts(string row, string column)
    {
        if (Cell(row, column) is not { } cell) return ("-", null, null);
        if (cell.Count == 0) return ("undefined", null, null);
        return (Key.Measure.Format(cell.Mean), cell.Half is { } half ? Key.Measure.Format(half) : null,
            cell.Count == Seeds ? null : string.Create(CultureInfo.InvariantCulture, $"n = {cell.Count}"));
    }

    /// <summary>How to read the grid.</summary>
    public string Caption
    {
        get
        {
            SweepMeasure measure = Key.Measure;
            string better = measure.Best switch
            {
                BestValue.Largest => "; larger is better",
                BestValue.Smallest => "; smaller is better",
                BestValue.NearestToOne => "; the nearer to 1 the better",
                _ => "",
            };
            string cells = Seeds > 1
                ? $"mean over n = {Seeds} seeds ± half the width of its 95 % interval (Student's t over seeds)"
                : "one seed, no interval";
            string over = Key.Over is { Length: > 0 } range ? $"; {range}" : "";
            List<string> notes = [$"{Upper(measure.Name)}: {measure.Meaning}{over}{better}", Upper(Key.Scope.Title), Upper(cells)];
            SeedMean[] all = [.. Rows.SelectMany(r => Columns.Select(c => Cell(r, c))).OfType<SeedMean>()];
            if (all.Any(c => c.Count > 0 && c.Count != Seeds)) notes.Add("Where other numbers of seeds have a value, n says so");
            if (all.Sum(c => c.Undefined) is > 0 and int undefined)
            {
                string where = measure == SweepMeasure.Overlap ? "both circuits are empty" : "full and ablated model are alike";
                notes.Add($"Left out: {Sizes.Of(undefined, "value")} not defined, where {where}");
            }
            if (all.Length < Rows.Count * Columns.Count) notes.Add("A dash: no result");
            if (Rows.Any(r => Columns.Any(c => IsBest(r, c)))) notes.Add("Bold: the best mean of a column, whatever the intervals");
            return string.Join(". ", notes) + ".";
        }
    }

    private static string Upper(string text) => char.ToUpperInvariant(text[0]) + text[1..];
}
