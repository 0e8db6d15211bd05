using System.Text.Json.Nodes;

namespace Gradpath.Programs.Reporting;

/// <summary>A table over rows of one type.</summary>
/// <typeparam name="T">The type of the rows.</typeparam>
/// <param name="name">Its name in JSON.</param>
/// <param name="rows">The rows.</param>
internal sealed class ReportTableOf<T>(string name, IEnumerable<T> rows) : ReportTable(name)
{
    private readonly List<ReportColumn<T>> _columns = [];
    private readonly IReadOnlyList<T> _rows = [.. rows];

    /// <inheritdoc />
    public override IReadOnlyList<(string Heading, bool Right)> Headings => [.. Shown.Select(c => (c.Heading!, c.Right))];

    /// <inheritdoc />
    public override IEnumerable<string[]> Cells => _rows.Select(row => Shown.Select(c => c.Text(row)).ToArray());

    private IEnumerable<ReportColumn<T>> Shown => _columns.Where(c => c.Heading is not null);

    /// <inheritdoc />
    public override JsonArray ToJson() => new([.. _rows.Select(row => (JsonNode)new JsonObject(
        _columns.Where(c => c.Name is not null).Select(c => KeyValuePair.Create(c.Name!, ReportJson.Node(c.Value(row))))))]);

    /// <summary>Adds a column of text.</summary>
    public ReportTableOf<T> Text(string heading, string name, Func<T, string?> value, bool right = false) =>
        Column(heading, name, value, row => value(row) ?? "", right);

    /// <summary>Adds a column of counts: <c>1,234</c>.</summary>
    public ReportTableOf<T> Count(string heading, string name, Func<T, long?> value) =>
        Column(heading, name, row => value(row), row => value(row) is { } count ? Sizes.Count(count) : "");

    /// <summary>Adds a column of numbers, a dash where there is none.</summary>
    public ReportTableOf<T> Number(string heading, string name, Func<T, double> value) =>
        Column(heading, name, row => value(row), row => Sizes.Number(value(row)));

    /// <summary>Adds a column of ratios to three decimals, a dash where there is none.</summary>
    public ReportTableOf<T> Ratio(string heading, string name, Func<T, double> value) =>
        Column(heading, name, row => value(row), row => Sizes.Ratio(value(row)));

    /// <summary>Adds a column of shares, which people read in percent.</summary>
    public ReportTableOf<T> Share(string heading, string name, Func<T, double> value) =>
        Column(heading, name, row => value(row), row => Sizes.Percent(value(row)));

    /// <summary>Adds a column that only JSON has.</summary>
    public ReportTableOf<T> Hidden(string name, Func<T, object?> value) => Column(null, name, value, _ => "");

    /// <summary>Adds a column that only people see, of what other columns say.</summary>
    public ReportTableOf<T> Shows(string heading, Func<T, string> text, bool right = true) => Column(heading, null, _ => null, text, right);

    /// <summary>Adds a column whose cells are written in a way of their own.</summary>
    public ReportTableOf<T> Column(string? heading, string? name, Func<T, object?> value, Func<T, string> text, bool right = true)
    {
        _columns.Add(new ReportColumn<T>(heading, name, value, text, right));
        return this;
    }
}
