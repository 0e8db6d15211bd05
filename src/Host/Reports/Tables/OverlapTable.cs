using System.Globalization;
using Gradpath.Gpt2Runtime.Evaluation;
using Spectre.Console;

namespace Gradpath.Host.Reports.Tables;

/// <summary>How far two circuits agree, as a table.</summary>
internal static class OverlapTable
{
    /// <summary>Prints a row for edges and one for nodes.</summary>
    public static void Print(Terminal terminal, GroundTruthOverlap overlap)
    {
        Table table = new Table { Border = TableBorder.Simple }.AddColumn("");
        foreach (string column in (string[])["found", "wanted", "shared", "precision", "recall", "F1", "Jaccard"])
            table.AddColumn(new TableColumn(column).RightAligned());
        foreach ((string name, SetOverlap o) in new[] { ("edges", overlap.Edges), ("nodes", overlap.Nodes) })
        {
            table.AddRow(new Text(name), new Text(Sizes.Count(o.Found)), new Text(Sizes.Count(o.Wanted)), new Text(Sizes.Count(o.Shared)),
                new Text(Ratio(o.Precision)), new Text(Ratio(o.Recall)), new Text(Ratio(o.F1)), new Text(Ratio(o.Jaccard)));
        }
        terminal.Console.Write(table);
    }

    /// <summary>A ratio to three decimals; a dash where there is none.</summary>
    public static string Ratio(double value) => double.IsNaN(value) ? "-" : value.ToString("0.000", CultureInfo.InvariantCulture);
}
