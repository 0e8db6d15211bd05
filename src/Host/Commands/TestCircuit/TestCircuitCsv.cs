using System.Globalization;
using System.Text;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Host.Reports.Csv;

namespace Gradpath.Host.Commands;

/// <summary>The tests of a circuit as CSV: one line per test, then one per edge that was tested.</summary>
internal static class TestCircuitCsv
{
    /// <summary>Writes the table; a file that exists is replaced, and only by a whole one.</summary>
    /// <param name="path">The file.</param>
    /// <param name="circuit">The circuit.</param>
    /// <param name="tests">Its tests.</param>
    /// <param name="run">The run that made them.</param>
    /// <param name="settings">Their settings.</param>
    public static void Write(string path, Circuit circuit, CircuitTests tests, Provenance run, CircuitTestOptions settings) =>
        AtomicFile.Write(path, stream =>
    {
        using StreamWriter csv = new(stream, new UTF8Encoding(false), leaveOpen: true) { NewLine = "\n" };
        csv.WriteLine("test,edge,statistic,p_value,p_benjamini_hochberg,p_holm,n,draws,rejected," + ProvenanceColumns.Heads);
        string made = ProvenanceColumns.Cells(run, TestCircuitJson.Options(settings));
        foreach (CircuitTestResult t in tests.Results)
        {
            csv.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{EnumNames.Of(t.Kind)},,{t.Statistic:R},{t.PValue:R},,,{t.Items},{t.Draws},{Truth(t.Rejected)},{made}"));
        }
        string minimality = EnumNames.Of(CircuitTestKind.Minimality);
        foreach (CircuitTestEdge e in tests.Edges)
        {
            csv.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{minimality},{circuit.Graph.EdgeName(e.Row, e.Column)},{e.Change:R},{e.PValue:R},{e.BenjaminiHochberg:R},{e.Holm:R},"
                + $"{run.Items},{tests.InflatedChanges.Count},{Truth(e.Needed)},{made}"));
        }
    });

    private static string Truth(bool value) => value ? "true" : "false";
}
