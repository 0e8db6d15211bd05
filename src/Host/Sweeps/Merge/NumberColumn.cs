using CsvHelper;
using Parquet;
using Parquet.Schema;

namespace Gradpath.Host.Sweeps.Merge;

/// <summary>A column of float64 numbers. NaN, a value that is not defined, is not a missing one; CSV has it as <c>NaN</c>.</summary>
/// <param name="Name">Its name in files.</param>
/// <param name="Unit">The unit of its values.</param>
/// <param name="Meaning">What it holds.</param>
/// <param name="Value">The cell of a row.</param>
internal sealed record NumberColumn(string Name, string Unit, string Meaning, Func<SweepTableRow, double?> Value)
    : SweepColumn(Name, Unit, Meaning)
{
    /// <inheritdoc />
    public override DataField Field => new(Name, typeof(double), true, null, null!);

    /// <inheritdoc />
    public override void Write(CsvWriter csv, SweepTableRow row) => csv.WriteField(Value(row), "R");

    /// <inheritdoc />
    public override Task WriteAsync(ParquetRowGroupWriter group, DataField field, IReadOnlyList<SweepTableRow> rows) =>
        group.WriteAsync(field, (ReadOnlyMemory<double?>)rows.Select(Value).ToArray());
}
