using System.Globalization;
using System.Text;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Host.Reports.Csv;

/// <summary>Faithfulness curves as CSV: one line per method, ranking and size; <see cref="ReportCsv"/> reads them.</summary>
internal static class CurveCsv
{
    /// <summary>Ranked by absolute score, as the column <c>ranking</c> has it.</summary>
    public const string ByMagnitude = "absolute";

    /// <summary>Ranked by score.</summary>
    public const string ByScore = "signed";

    /// <summary>Writes the curves; a file that exists is replaced, and only by a whole one.</summary>
    /// <param name="path">The file.</param>
    /// <param name="curves">The curves.</param>
    /// <param name="run">The run that measured them.</param>
    public static void Write(string path, IReadOnlyList<NamedCurve> curves, Provenance run) => AtomicFile.Write(path, stream =>
    {
        using StreamWriter csv = new(stream, new UTF8Encoding(false), leaveOpen: true) { NewLine = "\n" };
        csv.WriteLine("method,fraction,edges,edges_after_prune,faithfulness,low,high,ranking," + ProvenanceColumns.Heads);
        foreach (NamedCurve curve in curves)
        {
            // A method without a name of its own is called after its file, which may hold anything.
            string name = ProvenanceColumns.Cell(curve.Name), made = ProvenanceColumns.Cells(run, curve.Options);
            foreach (SparsityPoint p in curve.Curve.Points)
            {
                csv.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{name},{p.Fraction:R},{p.Edges},{p.EdgesAfterPrune},{p.Faithfulness:R},{p.Low:R},{p.High:R},"
                    + $"{(curve.Curve.BySign ? ByScore : ByMagnitude)},{made}"));
            }
        }
    });
}
