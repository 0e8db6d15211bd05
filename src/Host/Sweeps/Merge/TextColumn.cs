using CsvHelper;
using Parquet;
using Parquet.Schema;

namespace Gradpath.Host.Sweeps.Merge;

/// <summary>A column of texts. An empty text is a missing one, so that CSV and Parquet hold the same.</summary>
/// <param name="Name">Its name in files.</param>
/// <param name="Meaning">What it holds.</param>
/// <param name="Value">The cell of a row.</param>
internal sealed record TextColumn(string Name, string Meaning, Func<SweepTableRow, string?> Value) : SweepColumn(Name, "", Meaning)
{
    /// <inheritdoc />
    public override DataField Field => new(Name, typeof(string), true, null, null!);

    /// <inheritdoc />
    public override void Write(CsvWriter csv, SweepTableRow row) => csv.WriteField(Of(row) ?? "");

    /// <inheritdoc />
    public override Task WriteAsync(ParquetRowGroupWriter group, DataField field, IReadOnlyList<SweepTableRow> rows) =>
        group.WriteAsync(field, (IReadOnlyCollection<string>)[.. rows.Select(r => Of(r)!)]);

    private string? Of(SweepTableRow row) => Value(row) is { Length: > 0 } text ? text : null;
}
