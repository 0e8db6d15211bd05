using System.Numerics;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Host.Sweeps.Plan;
using Gradpath.Host.Sweeps.Units;

namespace Gradpath.Host.Sweeps.Merge;

/// <summary>
/// What circuits of two methods share: the Jaccard index of their edges, averaged over seeds. Circuits of one model, metric, ablation,
/// task, seed and size are compared; a search stands where its sparsity is one of the plan's sizes.
/// </summary>
internal static class CircuitOverlap
{
    /// <summary>A grid method by method per task and size at which two methods have circuits.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="done">The finished units, in the plan's order.</param>
    /// <param name="circuitOf">Gives circuits, see <see cref="MergeInput.CircuitOf"/>.</param>
    /// <param name="methods">The order of methods.</param>
    /// <param name="cancellation">Stops the work.</param>
    public static IEnumerable<SeedGrid> Of(
        SweepPlan plan, IEnumerable<(SweepUnit Unit, UnitResult Result)> done, Func<SweepUnit, int, Circuit?> circuitOf,
        IReadOnlyList<string> methods, CancellationToken cancellation)
    {
        GridBuilder grids = new();
        foreach (var group in done.GroupBy(d => (Scope: SweepScope.Of(plan, d.Unit), Task: d.Unit.Task.Name, d.Unit.Seed)))
        {
            Dictionary<CircuitSize, List<(string Method, ulong[] Edges)>> bySize = [];
            foreach ((SweepUnit unit, UnitResult result) in group)
            {
                cancellation.ThrowIfCancellationRequested();
                foreach ((CircuitSize size, int edges) in SizesOf(plan, unit, result))
                {
                    if (circuitOf(unit, edges) is not { } circuit) continue;
                    if (!bySize.TryGetValue(size, out List<(string Method, ulong[] Edges)>? circuits)) bySize[size] = circuits = [];
                    string method = size.Method(unit);
                    if (!circuits.Exists(c => c.Method == method)) circuits.Add((method, Bits(circuit)));
                }
            }
            foreach ((CircuitSize size, List<(string Method, ulong[] Edges)> circuits) in bySize)
            {
                GridKey key = new(GridKind.Overlap, group.Key.Scope, SweepMeasure.Overlap, size, group.Key.Task);
                foreach ((string row, ulong[] a) in circuits)
                {
                    foreach ((string column, ulong[] b) in circuits) grids.Add(key, row, column, group.Key.Seed, Jaccard(a, b));
                }
            }
        }
        return grids.Grids(methods, methods).Where(g => g.Rows.Count > 1);
    }

    // The numbers of edges that scores are cut at, as units are judged at them.
    private static IEnumerable<(CircuitSize Size, int Edges)> SizesOf(SweepPlan plan, SweepUnit unit, UnitResult result)
    {
        if (unit.Method.Verb != "score")
        {
            int found = result.Rows.FirstOrDefault(r => r.Kind == "found")?.Edges ?? 0;
            return [(CircuitSize.OfSearch(unit), found)];
        }
        UnitRow Asked(double? fraction, int edges) => new()
        {
            Kind = "size",
            JudgedOn = unit.Task.Name,
            Fraction = fraction,
            EdgesAsked = edges,
            Edges = edges,
            Sparsity = double.NaN,
        };
        IEnumerable<UnitRow> rows = plan.Edges.Count > 0
            ? plan.Edges.Select(e => Asked(null, Math.Min(e, result.GraphEdges)))
            : plan.Fractions.Select(f => Asked(f, (int)(f * result.GraphEdges)));
        return rows.Where(r => r.EdgesAsked > 0).Select(r => (CircuitSize.Of(unit, r), r.EdgesAsked!.Value));
    }

    private static ulong[] Bits(Circuit circuit)
    {
        ReadOnlySpan<bool> edges = circuit.Membership;
        ulong[] bits = new ulong[(edges.Length + 63) / 64];
        for (int i = 0; i < edges.Length; i++)
        {
            if (edges[i]) bits[i / 64] |= 1UL << (i % 64);
        }
        return bits;
    }

    // NaN for two empty circuits, and for circuits of different graphs.
    private static double Jaccard(ulong[] a, ulong[] b)
    {
        if (a.Length != b.Length) return double.NaN;
        long shared = 0, either = 0;
        for (int i = 0; i < a.Length; i++)
        {
            shared += BitOperations.PopCount(a[i] & b[i]);
            either += BitOperations.PopCount(a[i] | b[i]);
        }
        return (double)shared / either;
    }
}
