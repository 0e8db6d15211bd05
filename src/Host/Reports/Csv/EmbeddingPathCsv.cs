using System.Globalization;
using System.Text;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Attribution;

namespace Gradpath.Host.Reports.Csv;

/// <summary>A recorded embedding path as CSV: one line per item and point.</summary>
internal static class EmbeddingPathCsv
{
    /// <summary>Writes the path; a file that exists is replaced, and only by a whole one.</summary>
    public static void Write(string path, string method, IReadOnlyList<EmbeddingPathPoint> points) => AtomicFile.Write(path, stream =>
    {
        // Numbers and names: nothing that CSV would have to quote.
        using StreamWriter csv = new(stream, new UTF8Encoding(false), leaveOpen: true) { NewLine = "\n" };
        csv.WriteLine("method,item,step,metric,gradient_norm,output_distance,distance_from_clean,distance_from_corrupted,start");
        foreach (EmbeddingPathPoint p in points)
        {
            csv.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{method},{p.Item},{p.Step},{p.Metric:R},{p.GradientNorm:R},{p.OutputDistance:R},{p.FromClean:R},{p.FromCorrupted:R},")
                + (p.Start is { } start ? EnumNames.Of(start) : ""));
        }
    });
}
