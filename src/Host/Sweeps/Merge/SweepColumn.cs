using CsvHelper;
using Parquet;
using Parquet.Schema;

namespace Gradpath.Host.Sweeps.Merge;

/// <summary>A column of the table.</summary>
/// <param name="Name">Its name in files.</param>
/// <param name="Unit">The unit of its values; empty for texts, <c>1</c> for pure numbers.</param>
/// <param name="Meaning">What it holds.</param>
internal abstract record SweepColumn(string Name, string Unit, string Meaning)
{
    /// <summary>The column of a Parquet file.</summary>
    public abstract DataField Field { get; }

    /// <summary>Writes the cell of a row to a CSV file; a missing value is an empty cell.</summary>
    /// <param name="csv">The file.</param>
    /// <param name="row">The row.</param>
    public abstract void Write(CsvWriter csv, SweepTableRow row);

    /// <summary>Writes the cells of some rows to a Parquet file; a missing value is null.</summary>
    /// <param name="group">The group of rows.</param>
    /// <param name="field">The file's column, made from <see cref="Field"/>.</param>
    /// <param name="rows">The rows.</param>
    public abstract Task WriteAsync(ParquetRowGroupWriter group, DataField field, IReadOnlyList<SweepTableRow> rows);
}
