namespace Gradpath.Programs.Reporting;

/// <summary>A column of a table: what people read and what programs read.</summary>
/// <typeparam name="T">The type of the rows.</typeparam>
/// <param name="Heading">Its heading; null for a column that only JSON has.</param>
/// <param name="Name">Its name in JSON; null for a column that only people see.</param>
/// <param name="Value">A row's value, see <see cref="ReportJson.Node"/>.</param>
/// <param name="Text">A row's cell.</param>
/// <param name="Right">Whether cells stand to the right, as numbers do.</param>
internal sealed record ReportColumn<T>(string? Heading, string? Name, Func<T, object?> Value, Func<T, string> Text, bool Right);
