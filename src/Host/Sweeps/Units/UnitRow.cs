namespace Gradpath.Host.Sweeps.Units;

/// <summary>What was measured of a unit's circuit of one size, on one task's pairs. Measures that were not asked for are null.</summary>
internal sealed record UnitRow
{
    /// <summary><c>curve</c> (by absolute score), <c>curve-signed</c>, <c>size</c>, <c>found</c> (of a search), <c>transfer</c> or
    /// <c>stability</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>The task whose pairs judged.</summary>
    public required string JudgedOn { get; init; }

    /// <summary>Share of all edges that was asked for; null where a number was, or nothing.</summary>
    public double? Fraction { get; init; }

    /// <summary>Edges asked for: of a curve those that were selected, before pruning; else those that the pruned circuit may have at most.
    /// Null for what a search has found.</summary>
    public int? EdgesAsked { get; init; }

    /// <summary>Edges of the circuit.</summary>
    public required int Edges { get; init; }

    /// <summary>1 - edges / edges of the graph.</summary>
    public required double Sparsity { get; init; }

    /// <summary>Normalised faithfulness; NaN where that is undefined.</summary>
    public double? Faithfulness { get; init; }

    /// <summary>Lower end of its 95 % bootstrap interval over prompt pairs.</summary>
    public double? FaithfulnessLow { get; init; }

    /// <summary>Upper end.</summary>
    public double? FaithfulnessHigh { get; init; }

    /// <summary>Mean metric of the circuit, the one that the unit names; null on the pairs of a task that has another.</summary>
    public double? Metric { get; init; }

    /// <summary>Mean KL divergence of the circuit from the full model, in nats.</summary>
    public double? Kl { get; init; }

    /// <summary>Share of pairs on which a right answer is above all wrong ones; null where answers are missing.</summary>
    public double? Accuracy { get; init; }

    /// <summary>Share of pairs on which the most likely token is the full model's.</summary>
    public double? ExactMatch { get; init; }

    /// <summary>Share of the circuit's edges that the known circuit has.</summary>
    public double? Precision { get; init; }

    /// <summary>Share of the known circuit's edges that the circuit has.</summary>
    public double? Recall { get; init; }

    /// <summary>Mean Jaccard index of the edges of two drawn data sets.</summary>
    public double? Jaccard { get; init; }
}
