using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Host.Comparison;

/// <summary>
/// Which heads two circuits of one size disagree about. Heads that work together may each have a small gradient, and scores drop them one
/// by one.
/// </summary>
/// <param name="Asked">The sparsity asked for.</param>
/// <param name="Method">The method that is compared with EAP.</param>
/// <param name="Kept">Heads in its circuit that are not in EAP's.</param>
/// <param name="Dropped">Heads in EAP's circuit that this method's circuit lacks.</param>
internal sealed record HeadChoice(double Asked, string Method, IReadOnlyList<string> Kept, IReadOnlyList<string> Dropped)
{
    /// <summary>The method that others are compared with.</summary>
    public const string Baseline = "eap";

    /// <summary>Compares searches' circuits with those of EAP, size by size; empty where EAP or any search is missing.</summary>
    /// <param name="circuits">Circuits by method and sparsity, in the order of the table.</param>
    public static IReadOnlyList<HeadChoice> Of(IReadOnlyList<(string Method, double Asked, Circuit Circuit)> circuits)
    {
        List<HeadChoice> choices = [];
        foreach ((_, double asked, Circuit eap) in circuits.Where(c => c.Method == Baseline))
        {
            foreach ((string method, _, Circuit other) in circuits.Where(c => c.Asked == asked && IsSearch(c.Method)))
                choices.Add(new HeadChoice(asked, method, Missing(other, eap), Missing(eap, other)));
        }
        return [.. choices.OrderBy(c => c.Asked)];
    }

    private static bool IsSearch(string method) => ComparedMethod.Searches.Any(m => m.Name == method);

    // Heads of one circuit that the other one lacks.
    private static string[] Missing(Circuit of, Circuit from)
    {
        ComputationGraph graph = of.Graph;
        return
        [
            .. Enumerable.Range(0, graph.Layers).SelectMany(l => Enumerable.Range(0, graph.Heads).Select(h => graph.HeadRow(l, h)))
                .Where(row => of.ContainsNode(row) && !from.ContainsNode(row)).Select(graph.WriterName),
        ];
    }
}
