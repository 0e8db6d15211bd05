using System.Globalization;
using System.Text;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Evaluation;

namespace Gradpath.Host.Reports.Csv;

/// <summary>Faithfulness curves as CSV: one line per method, ranking and size; <see cref="ReportCsv"/> reads them.</summary>
internal static class CurveCsv
{
    /// <summary>Ranked by absolute score, as the column <c>ranking</c> has it.</summary>
    public const string ByMagnitude = "absolute";

    /// <summary>Ranked by score.</summary>
    public const string ByScore = "signed";

    /// <summary>Writes the curves; a file that exists is replaced, and only by a whole one.</summary>
    public static void Write(string path, IReadOnlyList<NamedCurve> curves) => AtomicFile.Write(path, stream =>
    {
        using StreamWriter csv = new(stream, new UTF8Encoding(false), leaveOpen: true) { NewLine = "\n" };
        csv.WriteLine("method,fraction,edges,edges_after_prune,faithfulness,low,high,ranking");
        foreach (NamedCurve curve in curves)
        {
            foreach (SparsityPoint p in curve.Curve.Points)
            {
                csv.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{Quoted(curve.Name)},{p.Fraction:R},{p.Edges},{p.EdgesAfterPrune},{p.Faithfulness:R},{p.Low:R},{p.High:R},"
                    + $"{(curve.Curve.BySign ? ByScore : ByMagnitude)}"));
            }
        }
    });

    // A method without a name of its own is called after its file, which may hold anything.
    private static string Quoted(string name) => name.AsSpan().IndexOfAny(",\"\n\r") < 0
        ? name
        : $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
