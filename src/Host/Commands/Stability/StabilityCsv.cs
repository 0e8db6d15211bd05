using System.Globalization;
using System.Text;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Evaluation;

namespace Gradpath.Host.Commands;

/// <summary>The stability of edges as CSV: one line per size and edge that is among the strongest of any data set.</summary>
internal static class StabilityCsv
{
    /// <summary>Writes the table; a file that exists is replaced, and only by a whole one.</summary>
    public static void Write(string path, Stability stability, StabilityOptions options) => AtomicFile.Write(path, stream =>
    {
        // Numbers and names of edges: nothing that CSV would have to quote.
        using StreamWriter csv = new(stream, new UTF8Encoding(false), leaveOpen: true) { NewLine = "\n" };
        csv.WriteLine("size,edge,score,rank,rank_low,rank_high,inclusion,group,resamples,seed");
        for (int s = 0; s < options.Sizes.Count; s++)
        {
            foreach (StabilityEdge e in stability.Edges.Where(e => e.Inclusion[s] > 0))
            {
                csv.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{options.Sizes[s]},{stability.Mean.Graph.EdgeName(e.Row, e.Column)},{e.Score:R},{e.Rank},{e.LowRank},{e.HighRank},"
                    + $"{e.Inclusion[s]:R},{StabilityCommand.Group(e.Inclusion[s], options)},{options.Resamples},{options.Seed}"));
            }
        }
    });
}
