using System.Globalization;
using System.Text;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Evaluation;

namespace Gradpath.Host.Commands;

/// <summary>
/// How well scores tell a circuit's edges from the others: a table of some thresholds and the area, and a file of all of them.
/// </summary>
internal static class RocReport
{
    private static readonly int[] s_steps = [1, 2, 5];

    /// <summary>Adds the points at round numbers of edges, and the area, to a report.</summary>
    public static void Add(CommandReport report, RocCurve curve)
    {
        List<(RocPoint Point, SetOverlap Overlap)> rows = [];
        int index = 0, last = -1;
        foreach (int size in SizesUpTo(curve.Positives + curve.Negatives, curve.Positives))
        {
            while (curve.At(curve.Points[index]).Found < size) index++;
            if (index == last) continue;
            last = index;
            rows.Add((curve.Points[index], curve.At(curve.Points[index])));
        }
        report.Table(ReportTable.Of("roc", rows)
            .Count("edges", "edges", r => r.Overlap.Found)
            .Column("|score| from", "threshold", r => r.Point.Threshold,
                r => r.Point.Threshold.ToString("0.000e+00", CultureInfo.InvariantCulture))
            .Count("shared", "shared", r => r.Overlap.Shared)
            .Ratio("precision", "precision", r => r.Overlap.Precision)
            .Ratio("recall", "recall", r => r.Overlap.Recall)
            .Ratio("F1", "f1", r => r.Overlap.F1)
            .Ratio("FPR", "false_positive_rate", r => r.Point.FalsePositiveRate));
        report.Line($"area under the ROC curve: {Sizes.Ratio(curve.Area)} (0.5: no better than chance)", ("auc", curve.Area));
    }

    /// <summary>Writes every point; a file that exists is replaced, and only by a whole one.</summary>
    public static void Write(string path, RocCurve curve) => AtomicFile.Write(path, stream =>
    {
        using StreamWriter csv = new(stream, new UTF8Encoding(false), leaveOpen: true) { NewLine = "\n" };
        csv.WriteLine("threshold,edges,shared,false_positive_rate,true_positive_rate");
        foreach (RocPoint point in curve.Points)
        {
            SetOverlap overlap = curve.At(point);
            string threshold = double.IsInfinity(point.Threshold) ? "inf" : point.Threshold.ToString("R", CultureInfo.InvariantCulture);
            csv.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{threshold},{overlap.Found},{overlap.Shared},{point.FalsePositiveRate:R},{point.TruePositiveRate:R}"));
        }
    });

    // 10, 20, 50, 100 ..., the size of what is looked for, and everything.
    private static IEnumerable<int> SizesUpTo(int edges, int wanted)
    {
        List<int> sizes = [wanted, edges];
        for (long power = 10; power < edges; power *= 10) sizes.AddRange(s_steps.Select(s => (int)Math.Min(edges, s * power)));
        return sizes.Distinct().Order();
    }
}
