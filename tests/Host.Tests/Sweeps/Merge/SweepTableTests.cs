using System.Globalization;
using System.Text;
using CsvHelper;
using Gradpath.Host.Sweeps.Merge;
using Gradpath.Host.Sweeps.Units;
using Parquet;
using Parquet.Schema;
using static Gradpath.Host.Tests.MergeSamples;

namespace Gradpath.Host.Tests;

public sealed class SweepTableTests
{
    private static SweepTable Sample()
    {
        SweepUnit scored = Unit(EapIg, "ioi", 7, 0), searched = Unit(Hap("0.95"), "a, \"b\"\n=c", 7, 1), bare = Unit(Eap, "ioi", 7, 2);
        UnitRow found = Row("found", double.NaN, null, "ioi") with { Kl = 1e-300, Accuracy = 1.0 / 3, Precision = 0, Metric = -0.0 };
        return SweepTable.Of("my plan",
        [
            (bare, Result(bare, null)),
            (searched, Result(searched, null, found, Row("transfer", double.PositiveInfinity, null, "ioi"))),
            (scored, Result(scored, 0.1 + 0.2, Row("curve", Math.PI, 0.05), Row("curve", -double.Epsilon, 0.1))),
        ]);
    }

    [Fact]
    public void Rows_stand_in_the_order_of_units_and_of_what_was_measured()
    {
        SweepTable table = Sample();
        Assert.Equal([0, 0, 1, 1, 2], table.Rows.Select(r => r.Unit.Index));
        Assert.Equal([0.05, 0.1, null, null, null], table.Rows.Select(r => r.Row?.Fraction));
        Assert.Equal(["curve", "curve", "found", "transfer", "none"], Cells(table, "kind"));

        // What a search asks for is in its sparsity.
        Assert.Equal(["0.05", "0.1", "0.05", "0.05", ""], Cells(table, "fraction"));
        Assert.Equal(["50", "100", "50", "50", ""], Cells(table, "edges_asked"));
        Assert.Equal(["my plan", "my plan", "my plan", "my plan", "my plan"], Cells(table, "plan"));
        Assert.Equal(["steps=5 path-start=clean", "steps=5 path-start=clean", "sparsity=0.95 draws=2", "sparsity=0.95 draws=2", ""],
            Cells(table, "setting"));
        Assert.Equal(["5", "5", "", "", ""], Cells(table, "option_steps"));
        Assert.Equal(["", "", "0.95", "0.95", ""], Cells(table, "option_sparsity"));
        Assert.Equal(["2.5", "2.5", "2.5", "", "2.5"], Cells(table, "full_metric"));
        Assert.Equal(["3", "3", "NaN", "NaN", "3"], Cells(table, "passes"));
    }

    [Fact]
    public void Column_names_are_distinct_words_and_every_number_has_a_unit()
    {
        SweepTable table = Sample();
        Assert.Equal(table.Columns.Select(c => c.Name).Distinct(), table.Columns.Select(c => c.Name));
        Assert.All(table.Columns, c => Assert.Matches("^[a-z][a-z_]*$", c.Name));
        Assert.All(table.Columns, c => Assert.NotEmpty(c.Meaning));
        Assert.All(table.Columns.Where(c => c is not TextColumn), c => Assert.NotEmpty(c.Unit));
        Assert.Contains("option_path_start", table.Columns.Select(c => c.Name));
    }

    [Fact]
    public void Parts_of_divided_prompts_give_no_rows()
    {
        SweepUnit part = Unit(Eap, "ioi", 0, 0) with { Part = (0, 2) };
        Assert.Empty(SweepTable.Of("plan", [(part, Result(part, null))]).Rows);
    }

    [Fact]
    public void Csv_reads_back_as_the_same_bits()
    {
        SweepTable table = Sample();
        List<string[]> lines = ReadCsv(table);
        Assert.Equal(table.Columns.Select(c => c.Name), lines[0]);
        Assert.Equal(table.Rows.Count + 1, lines.Count);
        for (int c = 0; c < table.Columns.Count; c++)
        {
            for (int r = 0; r < table.Rows.Count; r++)
            {
                string cell = lines[r + 1][c];
                SweepTableRow row = table.Rows[r];
                switch (table.Columns[c])
                {
                    case NumberColumn number:
                        Same(number.Value(row), cell.Length == 0 ? null : double.Parse(cell, CultureInfo.InvariantCulture), number.Name);
                        break;
                    case CountColumn count:
                        Assert.Equal(count.Value(row), cell.Length == 0 ? null : int.Parse(cell, CultureInfo.InvariantCulture));
                        break;
                    case TimeColumn time:
                        Assert.Equal(time.Value(row)?.ToString(TimeColumn.Format, CultureInfo.InvariantCulture) ?? "", cell);
                        break;
                    case TextColumn text:
                        Assert.Equal(text.Value(row) ?? "", cell);
                        break;
                }
            }
        }
    }

    [Fact]
    public async Task Parquet_holds_the_same_typed_columns()
    {
        SweepTable table = Sample();
        using MemoryStream file = new();
        table.WriteParquet(file);
        file.Position = 0;
        await using ParquetReader reader = await ParquetReader.CreateAsync(file);
        DataField[] fields = reader.Schema.GetDataFields();
        Assert.Equal(table.Columns.Select(c => c.Name), fields.Select(f => f.Name));
        Assert.All(fields, f => Assert.True(f.IsNullable));
        Assert.Equal("nats", reader.CustomMetadata["unit:kl_nats"]);
        using ParquetRowGroupReader group = reader.OpenRowGroupReader(0);
        int rows = (int)group.RowCount;
        Assert.Equal(table.Rows.Count, rows);
        for (int c = 0; c < fields.Length; c++)
        {
            switch (table.Columns[c])
            {
                case NumberColumn number:
                    double?[] numbers = new double?[rows];
                    await group.ReadAsync<double>(fields[c], numbers.AsMemory());
                    for (int r = 0; r < rows; r++) Same(number.Value(table.Rows[r]), numbers[r], number.Name);
                    break;
                case CountColumn count:
                    int?[] counts = new int?[rows];
                    await group.ReadAsync<int>(fields[c], counts.AsMemory());
                    Assert.Equal(table.Rows.Select(count.Value), counts);
                    break;
                case TimeColumn time:
                    DateTime?[] times = new DateTime?[rows];
                    await group.ReadAsync<DateTime>(fields[c], times.AsMemory());
                    Assert.Equal(table.Rows.Select(time.Value), times);
                    break;
                case TextColumn text:
                    string?[] texts = new string?[rows];
                    await group.ReadAsync(fields[c], texts.AsMemory()!);
                    Assert.Equal(table.Rows.Select(r => text.Value(r) is { Length: > 0 } t ? t : null), texts);
                    break;
            }
        }
    }

    [Fact]
    public async Task A_sweep_without_results_has_heads_alone()
    {
        SweepTable table = SweepTable.Of("plan", []);
        Assert.Single(ReadCsv(table));
        using MemoryStream file = new();
        table.WriteParquet(file);
        file.Position = 0;
        await using ParquetReader reader = await ParquetReader.CreateAsync(file);
        Assert.Equal(table.Columns.Count, reader.Schema.GetDataFields().Length);
    }

    private static void Same(double? expected, double? actual, string column)
    {
        Assert.True(expected.HasValue == actual.HasValue, column);
        if (expected is null || (double.IsNaN(expected.Value) && double.IsNaN(actual!.Value))) return;
        Assert.Equal(BitConverter.DoubleToInt64Bits(expected.Value), BitConverter.DoubleToInt64Bits(actual!.Value));
    }

    private static string[] Cells(SweepTable table, string column)
    {
        List<string[]> lines = ReadCsv(table);
        int place = Array.IndexOf(lines[0], column);
        return [.. lines.Skip(1).Select(l => l[place])];
    }

    private static List<string[]> ReadCsv(SweepTable table)
    {
        using MemoryStream file = new();
        table.WriteCsv(file);
        Assert.DoesNotContain("\r", Encoding.UTF8.GetString(file.ToArray()), StringComparison.Ordinal);
        using CsvReader reader = CsvReader.Create(file.ToArray(), new CsvReaderOptions { HasHeader = false });
        List<string[]> lines = [];
        while (reader.Read()) lines.Add([.. Enumerable.Range(0, reader.FieldCount).Select(reader.GetString)]);
        return lines;
    }
}
