using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Host.Sweeps.Units;

namespace Gradpath.Host.Sessions;

/// <summary>Says loudly where a circuit has no edges: whatever is measured of it is the fully ablated model.</summary>
internal static class EmptyCircuits
{
    // Of many units the page and 'sweep status --json' have all.
    private const int MostNamed = 5;

    /// <summary>Warns where a circuit is empty.</summary>
    /// <param name="terminal">Told.</param>
    /// <param name="name">The circuit: its file, or the method that found it.</param>
    /// <param name="circuit">The circuit.</param>
    public static void Warn(Terminal terminal, string name, Circuit circuit)
    {
        if (circuit.EdgeCount == 0) terminal.Warn(Said(name));
    }

    /// <summary>Warns where a search of a sweep has found a circuit that is empty once it is pruned.</summary>
    /// <param name="terminal">Told.</param>
    /// <param name="unit">The unit.</param>
    /// <param name="found">How many edges the search found before those were pruned that lie on no path from the input to the
    /// logits.</param>
    public static void Warn(Terminal terminal, SweepUnit unit, int? found) => terminal.Warn(Said($"'{unit.Title}'") + (found > 0
        ? $"; none of the {Sizes.Of(found.Value, "edge")} that the search found lies on a path from the input to the logits"
        : ""));

    /// <summary>What is said of units of a sweep whose circuits have no edges; null where there are none.</summary>
    /// <param name="units">The units.</param>
    public static string? Of(IReadOnlyList<SweepUnit> units)
    {
        if (units.Count == 0) return null;
        if (units.Count == 1) return Said($"'{units[0].Title}'");
        string more = units.Count > MostNamed ? $" and {Sizes.Count(units.Count - MostNamed)} more" : "";
        return $"the circuits of {Sizes.Of(units.Count, "unit")} have no edges, each is the model with everything ablated: "
            + string.Join("; ", units.Take(MostNamed).Select(u => $"'{u.Title}'")) + more;
    }

    private static string Said(string name) => $"the circuit of {name} has no edges: it is the model with everything ablated";
}
