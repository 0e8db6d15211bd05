using System.Globalization;
using System.Text;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Host.Reports;
using Gradpath.Host.Reports.Csv;
using Gradpath.Host.Reports.Tables;
using Spectre.Console;

namespace Gradpath.Host.Comparison;

/// <summary>The rows of a benchmark as CSV and as a table for people.</summary>
internal static class ComparisonTable
{
    private static readonly string[] s_row = ["method", "asked %"];

    /// <summary>What the numbers count, for whoever reads a table.</summary>
    public static string[] Notes { get; } =
    [
        "All circuits are pruned to what lies on a path from the input to the logits; edges, and the sparsity that was got, count what is "
            + $"left. {And(["Scores", .. BySparsity])} meet the asked number as nearly from below as connected edges allow; "
            + $"{And(ByThreshold)} {(ByThreshold.Length == 1 ? "comes" : "come")} as near as a threshold does.",
        $"Time: scoring and cutting; one search ({And(ByThreshold)}; behind the slash with the searches that looked for its threshold); "
            + $"training ({And(Scored)}: with its scores). Loading, judging and writing are not in it.",
        "Passes: the same work in whole forward passes over the prompts, a backward pass counted as one; "
            + $"of {And(ByThreshold)}, of the one search.",
    ];

    /// <summary>What the area counts, where there is a ground truth.</summary>
    public static string AreaNote { get; } =
        "AUC scores: area under the ROC curve of a method's scores. AUC circuits: area under the pessimistic staircase through the "
        + $"circuits of {And(ComparedMethod.Searches.Select(m => m.Name))} in this table. The two are not to be compared.";

    private static string[] BySparsity => Names(s => s.Sizing == SearchSizing.Sparsity);

    private static string[] ByThreshold => Names(s => s.Sizing == SearchSizing.Threshold);

    private static string[] Scored => Names(s => s.NeedsScorer);

    /// <summary>Writes the rows; a file that exists is replaced, and only by a whole one.</summary>
    /// <param name="path">The file.</param>
    /// <param name="rows">The rows.</param>
    /// <param name="run">The run that judged them.</param>
    public static void Write(string path, IReadOnlyList<ComparisonRow> rows, Provenance run) => AtomicFile.Write(path, stream =>
    {
        using StreamWriter csv = new(stream, new UTF8Encoding(false), leaveOpen: true) { NewLine = "\n" };
        csv.WriteLine($"method,sparsity_asked,{string.Join(',', ComparisonRow.Columns)},auc_of_circuits,{ProvenanceColumns.Heads}");
        foreach (ComparisonRow row in rows)
        {
            IEnumerable<double> numbers = [row.Asked, .. ComparisonRow.Columns.Select(c => row[c]), row.AreaOfCircuits(rows)];
            IEnumerable<string> cells = numbers.Select(n => double.IsNaN(n) ? "" : n.ToString("R", CultureInfo.InvariantCulture));
            csv.WriteLine($"{row.Method},{string.Join(',', cells)},{ProvenanceColumns.Cells(run, row.Settings)}");
        }
    });

    /// <summary>The heads of the measures' columns.</summary>
    /// <param name="metric">The metric's name.</param>
    public static string[] Heads(string metric) =>
        [.. s_row, "got %", "edges", "KL", metric, "acc. %", "match %", "faithful", "time s", "passes"];

    /// <summary>The heads of the columns about a ground truth.</summary>
    public static string[] EdgeHeads { get; } = [.. s_row, "precision", "recall", "AUC scores", "AUC circuits"];

    /// <summary>A row's cells under <see cref="Heads"/>.</summary>
    public static string[] Cells(ComparisonRow row)
    {
        string time = Seconds(row["seconds"]);
        if (row["seconds_with_search"] > row["seconds"]) time += $"/{Seconds(row["seconds_with_search"])}";
        return
        [
            row.Method, Share(row.Asked), Share(row["sparsity_reached"]), Sizes.Count((long)row["edges"]), Sizes.Number(row["kl"]),
            Sizes.Number(row["metric"]),
            Share(row["accuracy"]), Share(row["exact_match"]), Sizes.Ratio(row["faithfulness"]), time,
            double.IsNaN(row["forward_passes"]) ? "-" : Sizes.Count((long)Math.Round(row["forward_passes"])),
        ];
    }

    /// <summary>A row's cells under <see cref="EdgeHeads"/>.</summary>
    public static string[] EdgeCells(ComparisonRow row, IReadOnlyList<ComparisonRow> table) =>
        [row.Method, Share(row.Asked), Sizes.Ratio(row["precision"]), Sizes.Ratio(row["recall"]),
            Sizes.Ratio(row["auc_of_scores"]), Sizes.Ratio(row.AreaOfCircuits(table))];

    /// <summary>Adds the table and, where there is a ground truth, the one about edges to a report.</summary>
    public static void Add(CommandReport report, IReadOnlyList<ComparisonRow> rows, string metric, bool judged)
    {
        report.Draw(t => Print(t, Heads(metric), rows.Select(Cells)));
        ReportTableOf<ComparisonRow> table = ReportTable.Of("rows", rows)
            .Hidden("method", r => r.Method).Hidden("sparsity_asked", r => r.Asked);
        foreach (string column in ComparisonRow.Columns) table.Hidden(column, r => r[column]);
        report.Data(table.Hidden("auc_of_circuits", r => r.AreaOfCircuits(rows)));
        foreach (string note in Notes) report.Note(note);
        if (!judged) return;
        report.Draw(t => Print(t, EdgeHeads, rows.Select(r => EdgeCells(r, rows))));
        report.Note(AreaNote);
    }

    // Eleven columns fit only without the space between them, and names must not be cut into lines.
    private static void Print(Terminal terminal, string[] heads, IEnumerable<string[]> rows)
    {
        Table table = new() { Border = TableBorder.Simple };
        for (int i = 0; i < heads.Length; i++)
            table.AddColumn(i == 0 ? new TableColumn(heads[i]).NoWrap() : new TableColumn(heads[i]).RightAligned().Padding(0, 0));
        foreach (string[] row in rows) table.AddRow(row.Select(c => new Text(c)));
        terminal.Console.Write(table);
    }

    private static string[] Names(Func<CircuitSearch, bool> which) =>
        [.. ComparedMethod.Searches.Where(m => which(m.Search!)).Select(m => m.Name)];

    private static string And(IEnumerable<string> names)
    {
        string[] all = [.. names];
        return all.Length == 1 ? all[0] : $"{string.Join(", ", all[..^1])} and {all[^1]}";
    }

    /// <summary>A sparsity in file names.</summary>
    public static string Sparsity(double value) => value.ToString("0.##########", CultureInfo.InvariantCulture);

    /// <summary>A sparsity in percent.</summary>
    public static string Percent(double value) => $"{Share(value)} %";

    private static string Share(double value) => double.IsNaN(value) ? "-" : Sizes.Fixed(100 * value, "0.##");

    private static string Seconds(double value) => value.ToString(value < 10 ? "0.00" : "0.0", CultureInfo.InvariantCulture);
}
