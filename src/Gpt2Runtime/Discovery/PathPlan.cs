using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>A query with what does not depend on the batch.</summary>
internal sealed class PathPlan
{
    /// <summary>Plans a query.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="query">The query.</param>
    public PathPlan(ComputationGraph graph, PathQuery query)
    {
        Query = query;
        int upstream = query.Receivers.Max(r => graph.WritersBefore(r.Column));
        Senders = [.. Enumerable.Range(0, query.Senders.Count).Where(i => query.Senders[i] < upstream).OrderBy(i => query.Senders[i])];
        Sublayers = [.. query.Receivers.Select(r => graph.SublayerOfColumn(r.Column)).Distinct().Order()];
        foreach (PathReceiver receiver in query.Receivers)
        {
            var replacement = (graph.SublayerOfColumn(receiver.Column), receiver.Positions);
            int index = Replacements.IndexOf(replacement);
            if (index < 0)
            {
                index = Replacements.Count;
                Replacements.Add(replacement);
            }
            ReplacementOf.Add(receiver.Column, index);
        }
    }

    /// <summary>The query.</summary>
    public PathQuery Query { get; }

    /// <summary>Indices in the query of the senders that feed a receiver, by row, so that senders of one layer share a pass.</summary>
    public int[] Senders { get; }

    /// <summary>The sublayers that the receivers belong to, first one first.</summary>
    public int[] Sublayers { get; }

    /// <summary>The different inputs that receivers get: from which sublayer's boundary, at which positions.</summary>
    public List<(int Sublayer, TokenPositions Positions)> Replacements { get; } = [];

    /// <summary>Column of a receiver to the index of its input in <see cref="Replacements"/>.</summary>
    public Dictionary<int, int> ReplacementOf { get; } = [];
}
