using Gradpath.Gpt2Runtime.Metrics;


namespace Gradpath.Tests.Support.Reference;

/// <summary>
/// A circuit's run on the clean prompt: edges inside carry what the writer outputs in this run, edges outside carry its replacement.
/// </summary>
internal sealed class ReferenceCircuit
{
    private readonly ReferenceItem[] _items;

    private ReferenceCircuit(ReferenceItem[] items, RealMatrix[] lastLogits)
    {
        _items = items;
        LastLogits = lastLogits;
    }

    /// <summary>Last-position logits [1, V] of every item.</summary>
    public IReadOnlyList<RealMatrix> LastLogits { get; }

    /// <summary>A metric (not negated) of every item.</summary>
    public double[] Metric(Metric metric) =>
        [.. LastLogits.Select((logits, i) => ReferenceMetric.Value(metric, logits, _items[i].Pair, _items[i].Clean.LastLogits))];

    /// <summary>Runs a circuit on every pair.</summary>
    /// <param name="model">The weights.</param>
    /// <param name="pairs">The prompts; mean-positional ablation takes its means over their clean sides.</param>
    /// <param name="inCircuit">[F, K]; entries that are no edge are ignored.</param>
    /// <param name="ablation">What edges outside the circuit carry.</param>
    public static ReferenceCircuit Evaluate(
        ReferenceModel model,
        IReadOnlyList<PromptPair> pairs,
        bool[,] inCircuit,
        ReferenceAblation ablation = ReferenceAblation.Patching) =>
        Evaluate(model, ReferenceItem.Prepare(model, pairs, ablation), inCircuit);

    /// <summary>The same with prepared items, for many circuits in a row.</summary>
    public static ReferenceCircuit Evaluate(ReferenceModel model, ReferenceItem[] items, bool[,] inCircuit)
    {
        RealMatrix[] logits = new RealMatrix[items.Length];
        Parallel.For(0, items.Length, i => logits[i] = Run(model, items[i], inCircuit).LastLogits);
        return new ReferenceCircuit(items, logits);
    }

    /// <summary>One item's run.</summary>
    public static ReferenceRun Run(ReferenceModel model, ReferenceItem item, bool[,] inCircuit) =>
        ReferenceRun.Forward(model, item.CleanEmbedding, new ReferencePatch { InCircuit = inCircuit, Replacement = item.Replacement });
}
