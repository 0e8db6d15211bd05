using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Host.Sessions;

/// <summary>Says loudly where a circuit has no edges: whatever is measured of it is the fully ablated model.</summary>
internal static class EmptyCircuits
{
    /// <summary>Warns where a circuit is empty.</summary>
    /// <param name="terminal">Told.</param>
    /// <param name="name">The circuit: its file, or the method that found it.</param>
    /// <param name="circuit">The circuit.</param>
    public static void Warn(Terminal terminal, string name, Circuit circuit)
    {
        if (circuit.EdgeCount == 0)
            terminal.Warn($"the circuit of {name} has no edges: it is the model with everything ablated");
    }
}
