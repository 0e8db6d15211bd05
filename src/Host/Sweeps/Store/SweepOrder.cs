using Gradpath.Host.Sweeps.Units;

namespace Gradpath.Host.Sweeps.Store;

/// <summary>
/// The order in which a process goes through its units: those of one model, task and seed follow each other, since they share weights and
/// prompts, and processes begin at different ones.
/// </summary>
internal sealed class SweepOrder
{
    private readonly SweepUnit[][] _groups;
    private readonly Dictionary<string, int> _groupOf = new(StringComparer.Ordinal);

    /// <summary>Puts units in order.</summary>
    /// <param name="units">The units, in the plan's order.</param>
    /// <param name="place">Which of several processes this is, from 0, and how many there are; null to draw a place to begin at.</param>
    public SweepOrder(IEnumerable<SweepUnit> units, (int Number, int Of)? place)
    {
        SweepUnit[][] groups = [.. units.GroupBy(u => (u.Model, u.Task, u.Seed)).Select(g => g.ToArray())];

        // Results do not depend on the order.
        int begin = groups.Length == 0 ? 0
            : place is { } p ? (int)((long)groups.Length * p.Number / p.Of) % groups.Length
            : Random.Shared.Next(groups.Length);
        _groups = [.. groups[begin..], .. groups[..begin]];
        for (int g = 0; g < _groups.Length; g++)
        {
            foreach (SweepUnit unit in _groups[g]) _groupOf[unit.Key] = g;
        }
    }

    /// <summary>Goes through the units that are open: group by group, first those that the fewest processes work at.</summary>
    /// <param name="claims">Who works at what.</param>
    /// <param name="isSettled">Whether a unit is done or has failed. Asked again before each.</param>
    public IEnumerable<SweepUnit> Walk(UnitClaims claims, Func<SweepUnit, bool> isSettled)
    {
        List<int> left = [.. Enumerable.Range(0, _groups.Length).Where(g => !_groups[g].All(isSettled))];
        while (left.Count > 0)
        {
            int[] workers = new int[_groups.Length];
            foreach (string key in claims.Keys())
            {
                if (_groupOf.TryGetValue(key, out int group)) workers[group]++;
            }
            int next = left.MinBy(g => workers[g]);
            left.Remove(next);
            foreach (SweepUnit unit in _groups[next])
            {
                if (!isSettled(unit)) yield return unit;
            }
        }
    }
}
