using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>Senders and receivers of paths, as people write them.</summary>
internal static class PathNames
{
    private const string SenderForms = "give heads, mlps, input, or a name such as a0.h1 or m0";
    private const string ReceiverForms = "give logits, a name such as m0, a0.h1.q, a0.h1.k or a0.h1.v, or a0.h1 for all three";

    private static readonly string[] s_groups = ["heads", "mlps", "input"];

    /// <summary>The rows of senders.</summary>
    /// <param name="graph">The model's graph.</param>
    /// <param name="names"><c>heads</c>, <c>mlps</c>, <c>input</c>, or single ones such as <c>a9.h6</c>; none for all.</param>
    /// <returns>The rows, lowest first.</returns>
    /// <exception cref="OptionException">The model has no such sender.</exception>
    public static IReadOnlyList<int> Senders(ComputationGraph graph, IEnumerable<string> names)
    {
        SortedSet<int> rows = [];
        IEnumerable<int> layers = Enumerable.Range(0, graph.Layers);
        foreach (string name in names.DefaultIfEmpty("").SelectMany(n => n.Length == 0 ? s_groups : [n.Trim().ToLowerInvariant()]))
        {
            if (name == "heads") rows.UnionWith(layers.SelectMany(l => Enumerable.Range(graph.HeadRow(l, 0), graph.Heads)));
            else if (name == "mlps") rows.UnionWith(layers.Select(graph.MlpRow));
            else if (graph.TryParseWriter(name, out int row)) rows.Add(row);
            else
            {
                throw new OptionException(
                    $"{Terms.Senders.With(name)}: no such sender in a model of {graph};{Meant(name, s_groups)} {SenderForms}");
            }
        }
        return [.. rows];
    }

    /// <summary>The receivers of a first round.</summary>
    /// <param name="graph">The model's graph.</param>
    /// <param name="names"><c>logits</c>, <c>m3</c>, <c>a9.h6.q</c> (or k, v; <c>a9.h6</c> for all three); none for the logits.</param>
    /// <param name="positions">Where their inputs are replaced.</param>
    /// <returns>The receivers, lowest column first.</returns>
    /// <exception cref="OptionException">The model has no such receiver.</exception>
    public static IReadOnlyList<PathReceiver> Receivers(ComputationGraph graph, IEnumerable<string> names, TokenPositions positions)
    {
        SortedSet<int> columns = [];
        foreach (string name in names.DefaultIfEmpty("logits").Select(r => r.Trim().ToLowerInvariant()))
        {
            // a9.h6.q is easier to type in a shell than the file formats' a9.h6<q>.
            string reader = name is "output" ? "logits" : name.Length > 2 && name[^2] == '.' ? $"{name[..^2]}<{name[^1]}>" : name;
            if (graph.TryParseReader(reader, out int column)) columns.Add(column);
            else if (name is not "input" && graph.TryParseWriter(name, out int node)) columns.UnionWith(graph.ReadersOf(node).ToArray());
            else
            {
                throw new OptionException(
                    $"{Terms.Receivers.With(name)}: no such receiver in a model of {graph};{Meant(name, "logits")} {ReceiverForms}");
            }
        }
        return [.. columns.Select(c => new PathReceiver(c, positions))];
    }

    private static string Meant(string name, params string[] names) =>
        NearestName.Of(name, names) is { } near ? $" did you mean {near}?" : "";
}
