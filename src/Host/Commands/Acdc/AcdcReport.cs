using System.Globalization;
using System.Text;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Host.Reports;

namespace Gradpath.Host.Commands;

/// <summary>Tables and files of ACDC runs.</summary>
internal static class AcdcReport
{
    /// <summary>Adds a row per threshold and, against a ground truth, the area under the staircase to a report.</summary>
    public static void Add(CommandReport report, IReadOnlyList<AcdcRow> rows, string metric)
    {
        ReportTableOf<AcdcRow> table = ReportTable.Of("circuits", rows)
            .Column("tau", "tau", r => r.Search.Threshold, r => Threshold(r.Search.Threshold))
            .Count("edges", "edges", r => r.Search.Circuit.EdgeCount)
            .Count("pruned", "edges_after_prune", r => r.Circuit.EdgeCount)
            .Count("nodes", "nodes", r => r.Circuit.NodeCount)
            .Number("KL", "kl", r => r.Outcome.MeanKl)
            .Number(metric, "metric", r => r.Outcome.MeanMetric)
            .Share("exact match", "exact_match", r => r.Outcome.ExactMatchRate)
            .Count("tested", "tested", r => r.Search.Effort.Tested)
            .Column("passes", "passes", r => Passes(r), r => Passes(r).ToString("N1", CultureInfo.InvariantCulture))
            .Column("seconds", "seconds", r => r.Search.Effort.Seconds,
                r => r.Search.Effort.Seconds.ToString("N1", CultureInfo.InvariantCulture))
            .Hidden("file", r => r.File);
        bool judged = rows[0].Roc is not null;
        if (judged)
        {
            table.Ratio("TPR", "true_positive_rate", r => r.Roc!.Value.TruePositiveRate)
                .Column("FPR", "false_positive_rate", r => r.Roc!.Value.FalsePositiveRate,
                    r => r.Roc!.Value.FalsePositiveRate.ToString("0.0000", CultureInfo.InvariantCulture));
        }
        report.Table(table);
        report.Note("tested: edges whose removal was tried; passes: what that took, in whole forward passes over the prompts.");
        if (!judged) return;
        double area = RocCurve.StaircaseArea(rows.Select(r => r.Roc!.Value));
        report.Line(
            $"area under the pessimistic staircase through these points, (0, 0) and (1, 1): {Sizes.Ratio(area)}", ("staircase_area", area));
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
    public static void WriteLog(
        string path, ComputationGraph graph, IEnumerable<(double Threshold, IReadOnlyList<AcdcStep> Steps)> searches) => WriteLines(
        path,
        "tau,step,sender,receiver,objective_before,objective_after,decision,edges_left",
        searches.SelectMany(search => search.Steps.Select((s, i) => string.Create(
            CultureInfo.InvariantCulture,
            $"{Threshold(search.Threshold)},{i + 1},{graph.WriterName(s.Row)},{graph.ReaderName(s.Column)},"
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
