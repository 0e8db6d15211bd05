using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>A reader whose input is patched, at some positions.</summary>
/// <param name="Column">Its column in <see cref="Graph.ComputationGraph"/>.</param>
/// <param name="Positions">At other positions it reads what it would read anyhow.</param>
public sealed record PathReceiver(int Column, TokenPositions Positions);

/// <summary>One question: what does each sender do through its direct paths to a set of receivers?</summary>
/// <param name="Senders">Rows of the senders, each patched by itself.</param>
/// <param name="Receivers">The receivers, patched together; a column occurs once.</param>
public sealed record PathQuery(IReadOnlyList<int> Senders, IReadOnlyList<PathReceiver> Receivers);

/// <summary>How paths are patched.</summary>
public sealed record PathPatchingOptions
{
    /// <summary>The metric.</summary>
    public TaskMetric Metric { get; init; } = TaskMetric.LogitDifference;

    /// <summary>What replaces a sender's output: its output on the corrupted prompt, zero, or its mean.</summary>
    public Ablation Ablation { get; init; } = Ablation.Patching;

    /// <summary>Whether MLPs keep their clean outputs, as heads always do, so that the only path is the edge from sender to receiver.</summary>
    public bool FreezeMlps { get; init; }

    /// <summary>Where a sender's output is replaced.</summary>
    public TokenPositions SenderPositions { get; init; } = TokenPositions.All;

    /// <summary>Prompt pairs per pass; 0 picks the number by the memory at hand.</summary>
    public int BatchSize { get; init; }
}

/// <summary>What path patching gives.</summary>
/// <param name="CleanMetric">Mean metric of the model on the clean prompts.</param>
/// <param name="Effects">
/// Per query and sender the mean over prompts of the patched run's metric minus the clean run's; NaN where a sender feeds none of the receivers.
/// </param>
/// <param name="BatchSize">Prompt pairs per pass.</param>
/// <param name="PeakDeviceBytes">The most memory that was in use on the device, weights included.</param>
public sealed record PathEffects(double CleanMetric, IReadOnlyList<double[]> Effects, int BatchSize, long PeakDeviceBytes);
