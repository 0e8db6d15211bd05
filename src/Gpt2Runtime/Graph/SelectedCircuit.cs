using System.Text.Json.Nodes;

namespace Gradpath.Gpt2Runtime.Graph;

/// <summary>Circuits that were selected from scores, as files have them.</summary>
internal static class SelectedCircuit
{
    /// <summary>The circuit with the selection that made it.</summary>
    /// <param name="circuit">The circuit.</param>
    /// <param name="select">The option that selected it, without dashes.</param>
    /// <param name="value">The option's value.</param>
    /// <param name="signed">Whether edges were ranked by their score, not its absolute value.</param>
    /// <param name="pruned">Whether it was pruned.</param>
    /// <param name="filled">Whether the value counts edges after pruning.</param>
    public static Circuit State(Circuit circuit, string select, JsonNode value, bool signed, bool pruned, bool filled) =>
        circuit.With((circuit.Provenance ?? new Provenance()) with
        {
            Selection = new JsonObject
            {
                ["select"] = select,
                ["value"] = value,
                ["signed"] = signed,
                ["pruned"] = pruned,
                ["filled"] = filled,
            },
        });

    /// <summary>A circuit without what lies on no path from the input to the logits; its provenance says so.</summary>
    /// <param name="circuit">The circuit.</param>
    public static Circuit Prune(Circuit circuit)
    {
        if (circuit.Provenance is not { Selection: { } selection } provenance) return CircuitPruning.Prune(circuit);
        var stated = (JsonObject)selection.DeepClone();
        stated["pruned"] = true;
        return CircuitPruning.Prune(circuit.With(provenance with { Selection = stated }));
    }
}
