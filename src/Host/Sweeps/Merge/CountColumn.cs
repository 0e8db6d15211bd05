using CsvHelper;
using Parquet;
using Parquet.Schema;

namespace Gradpath.Host.Sweeps.Merge;

/// <summary>A column of whole numbers.</summary>
/// <param name="Name">Its name in files.</param>
/// <param name="Unit">The unit of its values.</param>
/// <param name="Meaning">What it holds.</param>
/// <param name="Value">The cell of a row.</param>
internal sealed record CountColumn(string Name, string Unit, string Meaning, Func<SweepTableRow, int?> Value)
    : SweepColumn(Name, Unit, Meaning)
{
    /// <inheritdoc />
    public override DataField Field => new(Name, typeof(int), true, null, null!);

    /// <inheritdoc />
    public override void Write(CsvWriter csv, SweepTableRow row) => csv.WriteField(Value(row), "D");

    /// <inheritdoc />
    public override Task WriteAsync(ParquetRowGroupWriter group, DataField field, IReadOnlyList<SweepTableRow> rows) =>
        group.WriteAsync(field, (ReadOnlyMemory<int?>)rows.Select(Value).ToArray());
}
