using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>In which order the senders of a reader are tested; the circuit depends on it.</summary>
public enum SenderOrder
{
    /// <summary>The last writer before the reader first, the input last: the direction in which nodes are processed.</summary>
    Normal,

    /// <summary>The input first.</summary>
    Reverse,

    /// <summary>The edge of smallest |score| first, so that what matters least goes first; of equal ones the last writer.</summary>
    Score,
}

/// <summary>Everything that decides which circuit <see cref="Acdc"/> finds, but for the threshold.</summary>
public sealed record AcdcOptions
{
    /// <summary>What an edge must raise to stay, per item at the last position and averaged: KL from the full model, or minus a task metric.</summary>
    public TaskMetric Objective { get; init; } = TaskMetric.KlDivergence;

    /// <summary>Compare the size of the change, so that an edge also stays where its removal lowers the objective by the threshold.</summary>
    public bool Absolute { get; init; }

    /// <summary>The order of the senders.</summary>
    public SenderOrder Order { get; init; } = SenderOrder.Normal;

    /// <summary>The scores of <see cref="SenderOrder.Score"/>; not read with another order.</summary>
    public EdgeScores? Scores { get; init; }

    /// <summary>What removed edges carry.</summary>
    public Ablation Ablation { get; init; } = Ablation.Patching;

    /// <summary>Prompt pairs per pass; 0 picks the number by the memory at hand.</summary>
    public int BatchSize { get; init; }

    /// <summary>Candidates tried at once, which changes the time and nothing else; 0 tries as many as seem to pay, pass by pass. Fewer where the memory does not suffice.</summary>
    public int Candidates { get; init; }
}

/// <summary>What became of an edge.</summary>
public enum AcdcDecision
{
    /// <summary>Tested, and the objective rose by less than the threshold without it.</summary>
    Removed,

    /// <summary>Tested, and stayed.</summary>
    Kept,

    /// <summary>Left out untested, because nothing reads its reader's node.</summary>
    Dropped,
}

/// <summary>One edge's turn.</summary>
/// <param name="Row">The sender.</param>
/// <param name="Column">The reader.</param>
/// <param name="Before">The objective of the circuit with the edge; lower is better.</param>
/// <param name="After">The objective without it; NaN where the edge was dropped.</param>
/// <param name="Decision">What became of it.</param>
/// <param name="EdgesLeft">Edges in the circuit from then on, those included whose turn had not come.</param>
public readonly record struct AcdcStep(int Row, int Column, double Before, double After, AcdcDecision Decision, int EdgesLeft);

/// <summary>What a search found.</summary>
/// <param name="Threshold">The threshold tau.</param>
/// <param name="Circuit">
/// The circuit, not pruned. Its scores are the changes of the objective when each edge was tested: at least the threshold for the edges
/// that stayed, less for the others, 0 for those that were dropped.
/// </param>
/// <param name="Steps">Every edge of the graph in the order of its turn.</param>
/// <param name="Full">The objective of the full model.</param>
/// <param name="Objective">The objective of the circuit.</param>
/// <param name="Effort">What it took.</param>
/// <param name="BatchSize">The number of pairs per pass that was used.</param>
public sealed record AcdcResult(
    double Threshold, Circuit Circuit, IReadOnlyList<AcdcStep> Steps, double Full, double Objective, AcdcEffort Effort, int BatchSize);

/// <summary>What a search took.</summary>
/// <param name="Tested">Candidates whose result was used.</param>
/// <param name="Runs">Candidates that ran, with those whose guess about the ones before them was wrong.</param>
/// <param name="Sublayers">Sublayers (the logits count as one) that these runs went through, each with all prompts.</param>
/// <param name="Seconds">Time spent.</param>
public readonly record struct AcdcEffort(long Tested, long Runs, long Sublayers, double Seconds)
{
    /// <summary>The runs as a number of whole forward passes over the prompts.</summary>
    /// <param name="layers">Layers L of the model, which has 2 L + 1 sublayers.</param>
    /// <returns>The number.</returns>
    public double Passes(int layers) => Sublayers / ((2.0 * layers) + 1);
}
