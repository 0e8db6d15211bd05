using CsvHelper;
using Parquet;
using Parquet.Schema;

namespace Gradpath.Host.Sweeps.Merge;

/// <summary>A column of times in UTC, to the second; <c>2025-01-31T12:00:00Z</c> in CSV.</summary>
/// <param name="Name">Its name in files.</param>
/// <param name="Meaning">What it holds.</param>
/// <param name="Value">The cell of a row.</param>
internal sealed record TimeColumn(string Name, string Meaning, Func<SweepTableRow, DateTime?> Value)
    : SweepColumn(Name, "UTC", Meaning)
{
    /// <summary>How a time is written.</summary>
    public const string Format = "yyyy-MM-dd'T'HH:mm:ss'Z'";

    /// <inheritdoc />
    public override DataField Field =>
        new DateTimeDataField(Name, DateTimeFormat.Timestamp, true, DateTimeTimeUnit.Micros, true, null, null!);

    /// <inheritdoc />
    public override void Write(CsvWriter csv, SweepTableRow row) => csv.WriteField(Value(row), Format);

    /// <inheritdoc />
    public override Task WriteAsync(ParquetRowGroupWriter group, DataField field, IReadOnlyList<SweepTableRow> rows) =>
        group.WriteAsync(field, (ReadOnlyMemory<DateTime?>)rows.Select(Value).ToArray());
}
