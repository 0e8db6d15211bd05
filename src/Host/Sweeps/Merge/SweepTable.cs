using CsvHelper;
using Gradpath.Host.Sweeps.Units;
using Parquet;
using Parquet.Schema;

namespace Gradpath.Host.Sweeps.Merge;

/// <summary>
/// The tidy table of a sweep: a row per unit and size, in the order of units and, within one, of what was measured. It is the same whatever
/// order results came in.
/// </summary>
/// <param name="Columns">The columns.</param>
/// <param name="Rows">The rows.</param>
internal sealed record SweepTable(IReadOnlyList<SweepColumn> Columns, IReadOnlyList<SweepTableRow> Rows)
{
    // Rows whose columns lie together in a Parquet file.
    private const int GroupSize = 1 << 17;

    /// <summary>The table of some results.</summary>
    /// <param name="plan">The plan's name.</param>
    /// <param name="done">The finished units, in any order; parts of divided prompts give no rows.</param>
    public static SweepTable Of(string plan, IEnumerable<(SweepUnit Unit, UnitResult Result)> done)
    {
        SweepTableRow[] rows =
        [
            .. done.Where(d => d.Unit.Part is null).OrderBy(d => d.Unit.Index).SelectMany(d => d.Result.Rows.Count == 0
                ? [new SweepTableRow(d.Unit, d.Result, null)]
                : d.Result.Rows.Select(r => new SweepTableRow(d.Unit, d.Result, r))),
        ];
        return new SweepTable(SweepColumns.Of(plan, rows), rows);
    }

    /// <summary>Writes CSV: a head, and numbers so that they read back as the same bits.</summary>
    /// <param name="stream">Where it goes; left open.</param>
    public void WriteCsv(Stream stream)
    {
        using CsvWriter csv = CsvWriter.Create(stream, new CsvWriterOptions { NewLine = "\n" }, true);
        foreach (SweepColumn column in Columns) csv.WriteField(column.Name);
        csv.EndRecord();
        foreach (SweepTableRow row in Rows)
        {
            foreach (SweepColumn column in Columns) column.Write(csv, row);
            csv.EndRecord();
        }
    }

    /// <summary>Writes Parquet, with the units and meanings of columns in the file's own notes under <c>unit:NAME</c>.</summary>
    /// <param name="stream">Where it goes; left open.</param>
    public void WriteParquet(Stream stream)
    {
        // The writer seeks, which not every stream can.
        using MemoryStream file = new();
        WriteAsync(file).GetAwaiter().GetResult();
        file.Position = 0;
        file.CopyTo(stream);
    }

    private async Task WriteAsync(MemoryStream file)
    {
        DataField[] fields = [.. Columns.Select(c => c.Field)];
        ParquetOptions options = new() { CompressionMethod = CompressionMethod.Snappy };
        await using ParquetWriter writer =
            await ParquetWriter.CreateAsync(new ParquetSchema([.. fields.Cast<Field>()]), file, options).ConfigureAwait(false);
        writer.CustomMetadata = Columns.Where(c => c.Unit.Length > 0).ToDictionary(c => $"unit:{c.Name}", c => c.Unit);
        foreach (SweepTableRow[] rows in Rows.Chunk(GroupSize))
        {
            using ParquetRowGroupWriter group = writer.CreateRowGroup();
            for (int i = 0; i < fields.Length; i++) await Columns[i].WriteAsync(group, fields[i], rows).ConfigureAwait(false);
        }
    }
}
