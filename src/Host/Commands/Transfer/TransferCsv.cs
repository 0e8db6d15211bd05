using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Host.Reports.Csv;

namespace Gradpath.Host.Commands;

/// <summary>The matrices of <c>gradpath transfer</c> as CSV: a line per size, circuit and task that judges.</summary>
internal static class TransferCsv
{
    /// <summary>Writes the table; a file that exists is replaced, and only by a whole one.</summary>
    /// <param name="path">The file.</param>
    /// <param name="matrices">What to write.</param>
    public static void Write(string path, TransferMatrices matrices) => AtomicFile.Write(path, stream =>
    {
        using StreamWriter csv = new(stream, new UTF8Encoding(false), leaveOpen: true) { NewLine = "\n" };
        csv.WriteLine("edges,circuit_of,judged_on,circuit_edges,shared_edges,jaccard,jaccard_chance,jaccard_nodes,faithfulness,"
            + "faithfulness_low,faithfulness_high,damage,damage_low,damage_high," + ProvenanceColumns.Heads);
        JsonObject options = TransferJson.Options(matrices);
        foreach (TransferCell c in matrices.Cells)
        {
            (SetOverlap edges, TransferEffect e) = (c.Overlap.Edges, c.Effect);
            string made = ProvenanceColumns.Cells(c.On.Judge.Provenance(c.On.Column!.BatchSize), options);
            csv.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{c.Edges},{c.Of.Name},{c.On.Name},{edges.Found},{edges.Shared},{Text(edges.Jaccard)},{Text(c.Chance)},"
                + $"{Text(c.Overlap.Nodes.Jaccard)},{Text(e.Faithfulness)},{Text(e.Low)},{Text(e.High)},{Text(e.Damage)},"
                + $"{Text(e.DamageLow)},{Text(e.DamageHigh)},{made}"));
        }
    });

    private static string Text(double value) => double.IsFinite(value) ? value.ToString("R", CultureInfo.InvariantCulture) : "";
}
