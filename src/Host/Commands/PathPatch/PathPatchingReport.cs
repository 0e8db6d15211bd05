using System.Globalization;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Host.Commands;

/// <summary>The rounds of path patching as all their pictures and tables show them.</summary>
/// <param name="Trace">The rounds.</param>
/// <param name="Relative">Whether effects are shown in percent of the clean metric.</param>
/// <param name="Title">The name of it all.</param>
internal sealed record PathPatchingReport(PathTracingResult Trace, bool Relative, string Title)
{
    private const int NamesInTitle = 6;

    /// <summary>An effect in the unit that is shown.</summary>
    public double Shown(double effect) => Relative ? 100 * effect / Trace.CleanMetric : effect;

    /// <summary>An effect in percent; null where the metric is no share of anything.</summary>
    public double? Percent(double effect) => Relative ? Shown(effect) : null;

    /// <summary>An effect as a cell shows it.</summary>
    public string Cell(double effect)
    {
        if (double.IsNaN(effect)) return "";
        string text = Shown(effect).ToString(Relative ? "0.0" : "0.000", CultureInfo.InvariantCulture);
        // What rounds to nothing has no sign.
        return text.Trim('-', '0', '.').Length == 0 ? "0" : text;
    }

    /// <summary>The name of a map: what it feeds, and where.</summary>
    public string NameOf(PathMap map)
    {
        ComputationGraph graph = Trace.Circuit.Graph;
        string what = map.Kind switch
        {
            "q" => "queries",
            "k" => "keys",
            "v" => "values",
            "mlp" => "MLPs",
            "all" => "all inputs together",
            _ => "logits"
        };
        string[] names = [.. map.Receivers.Select(r => graph.WriterName(graph.NodeOfColumn(r.Column))).Distinct()];
        string who = names.Length <= NamesInTitle
            ? string.Join(", ", names)
            : $"{string.Join(", ", names[..NamesInTitle])} and {names.Length - NamesInTitle} more";
        TokenPositions[] positions = [.. map.Receivers.Select(r => r.Positions).Distinct()];
        string where = positions.Length == 1 ? $" at {positions[0].Text}" : "";
        return map.Kind == "logits"
            ? $"to the logits{where}"
            : map.Kind == "all" ? $"to {what} of {who}" : $"to the {what} of {who}{where}";
    }

    /// <summary>An edge by name, with the positions where its receiver was patched.</summary>
    public string NameOf(PathEdge edge) =>
        $"{Trace.Circuit.Graph.EdgeName(edge.Row, edge.Receiver.Column)} at {edge.Receiver.Positions.Text}";

    /// <summary>The row that stands for a head, an MLP (column H) in a map of layers and heads.</summary>
    public int RowAt(int layer, int column) =>
        column == Trace.Circuit.Graph.Heads ? Trace.Circuit.Graph.MlpRow(layer) : Trace.Circuit.Graph.HeadRow(layer, column);

    /// <summary>Largest absolute effect shown in any map.</summary>
    public double Largest => Trace.Rounds.SelectMany(r => r.Maps).SelectMany(m => m.Effects).Where(e => !double.IsNaN(e)).Select(e =>
        Math.Abs(Shown(e))).DefaultIfEmpty(0).Max();
}
