using System.Globalization;
using System.Text;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Host.Reports;
using Gradpath.Host.Reports.Tables;
using Spectre.Console;

namespace Gradpath.Host.Commands;

/// <summary>Tables and files of ACDC runs.</summary>
internal static class AcdcReport
{
    /// <summary>Prints a row per threshold and, against a ground truth, the area under the staircase.</summary>
    public static void Print(Terminal terminal, IReadOnlyList<AcdcRow> rows, string metric)
    {
        Table table = new() { Border = TableBorder.Simple };
        List<string> columns = ["tau", "edges", "pruned", "nodes", "KL", metric, "exact match", "tested", "passes", "seconds"];
        if (rows[0].Roc is not null) columns.AddRange(["TPR", "FPR"]);
        foreach (string column in columns) table.AddColumn(new TableColumn(column).RightAligned());
        foreach (AcdcRow row in rows)
        {
            List<string> cells =
            [
                Threshold(row.Search.Threshold), Sizes.Count(row.Search.Circuit.EdgeCount), Sizes.Count(row.Circuit.EdgeCount),
                Sizes.Count(row.Circuit.NodeCount),
                ResultJson.Text(row.Outcome.MeanKl), ResultJson.Text(row.Outcome.MeanMetric),
                row.Outcome.ExactMatchRate.ToString("0.0 %", CultureInfo.InvariantCulture),
                Sizes.Count(row.Search.Effort.Tested), Passes(row).ToString("N1", CultureInfo.InvariantCulture),
                row.Search.Effort.Seconds.ToString("N1", CultureInfo.InvariantCulture),
            ];
            if (row.Roc is { } roc)
                cells.AddRange(
                    [OverlapTable.Ratio(roc.TruePositiveRate), roc.FalsePositiveRate.ToString("0.0000", CultureInfo.InvariantCulture)]);
            table.AddRow(cells.Select(c => new Text(c)));
        }
        terminal.Console.Write(table);
        terminal.Out.WriteLine("tested: edges whose removal was tried; passes: what that took, in whole forward passes over the prompts.");
        if (rows[0].Roc is not null)
            terminal.Out.WriteLine($"area under the pessimistic staircase through these points, (0, 0) and (1, 1): "
                + $"{OverlapTable.Ratio(RocCurve.StaircaseArea(rows.Select(r => r.Roc!.Value)))}");
    }

    /// <summary>Refuses a CSV file that cannot be written, before the work starts.</summary>
    public static void RequireWritable(string option, string path)
    {
        if (!path.EndsWith(".csv", StringComparison.OrdinalIgnoreCase))
            throw new UsageException($"--{option} {path}: the file must end in .csv.");
        OutputFile.RequireWritable(option, path, AtomicFile.RequireWritable);
    }

    /// <summary>Writes the table.</summary>
    public static void WriteTable(string path, IReadOnlyList<AcdcRow> rows) => WriteLines(
        path,
        "tau,edges,edges_after_prune,nodes,kl,metric,exact_match,tested,passes,seconds,true_positive_rate,false_positive_rate",
        rows.Select(r => string.Create(
            CultureInfo.InvariantCulture,
            $"{Threshold(r.Search.Threshold)},{r.Search.Circuit.EdgeCount},{r.Circuit.EdgeCount},{r.Circuit.NodeCount},"
                + $"{r.Outcome.MeanKl:R},{r.Outcome.MeanMetric:R},{r.Outcome.ExactMatchRate:R},"
                + $"{r.Search.Effort.Tested},{Passes(r):R},{r.Search.Effort.Seconds:R},"
                + $"{r.Roc?.TruePositiveRate:R},{r.Roc?.FalsePositiveRate:R}")));

    /// <summary>Writes every step of every search.</summary>
    public static void WriteLog(string path, IReadOnlyList<AcdcResult> searches) => WriteLines(
        path,
        "tau,step,sender,receiver,objective_before,objective_after,decision,edges_left",
        searches.SelectMany(search => search.Steps.Select((s, i) => string.Create(
            CultureInfo.InvariantCulture,
            $"{Threshold(search.Threshold)},{i + 1},{search.Circuit.Graph.WriterName(s.Row)},{search.Circuit.Graph.ReaderName(s.Column)},"
                + $"{s.Before:R},{(double.IsNaN(s.After) ? "" : s.After.ToString("R", CultureInfo.InvariantCulture))},"
                + $"{EnumNames.Of(s.Decision)},{s.EdgesLeft}"))));

    /// <summary>A threshold as people write it and as file names have it.</summary>
    public static string Threshold(double tau) => tau.ToString("0.##################", CultureInfo.InvariantCulture);

    private static double Passes(AcdcRow row) => row.Search.Effort.Passes(row.Circuit.Graph.Layers);

    private static void WriteLines(string path, string header, IEnumerable<string> lines) => AtomicFile.Write(path, stream =>
    {
        using StreamWriter csv = new(stream, new UTF8Encoding(false), leaveOpen: true) { NewLine = "\n" };
        csv.WriteLine(header);
        foreach (string line in lines) csv.WriteLine(line);
    });
}
