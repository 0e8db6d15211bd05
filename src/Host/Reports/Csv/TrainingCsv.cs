using System.Globalization;
using System.Text;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Discovery;

namespace Gradpath.Host.Reports.Csv;

/// <summary>The steps of training masks as CSV; <see cref="ReportCsv"/> reads them.</summary>
internal static class TrainingCsv
{
    /// <summary>The columns, in order.</summary>
    public static readonly string[] Columns =
        ["method", "step", "kl", "edge_loss", "node_loss", "edge_target", "edge_sparsity", "node_target", "node_sparsity"];

    /// <summary>Writes steps; a file that exists is replaced, and only by a whole one.</summary>
    public static void Write(string path, IEnumerable<(string Method, IReadOnlyList<EdgePruningStep> Steps)> runs) =>
        AtomicFile.Write(path, stream =>
    {
        // Numbers and methods' names: nothing that CSV would have to quote.
        using StreamWriter csv = new(stream, new UTF8Encoding(false), leaveOpen: true) { NewLine = "\n" };
        csv.WriteLine(string.Join(',', Columns));
        foreach ((string method, IReadOnlyList<EdgePruningStep> steps) in runs)
        {
            foreach (EdgePruningStep s in steps)
            {
                csv.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{method},{s.Step},{s.Kl:R},{s.EdgeLoss:R},{s.NodeLoss:R},"
                    + $"{s.EdgeTarget:R},{s.EdgeSparsity:R},{s.NodeTarget:R},{s.NodeSparsity:R}"));
            }
        }
    });
}
