using System.Text.Json.Nodes;

namespace Gradpath.Host.Sweeps.Units;

/// <summary>The result of a unit. Two results of one unit are equal but for <see cref="Seconds"/>, <see cref="JudgeSeconds"/>, and the date
/// and the time of a search in the provenance.</summary>
internal sealed record UnitResult
{
    /// <summary>The unit's key.</summary>
    public required string Key { get; init; }

    /// <summary>The model's edges.</summary>
    public required int GraphEdges { get; init; }

    /// <summary>Prompt pairs that the circuit was found on.</summary>
    public required int TrainPairs { get; init; }

    /// <summary>Prompt pairs that judged; equal to those above where a plan has none of its own.</summary>
    public required int JudgePairs { get; init; }

    /// <summary>CPR over the plan's fractions; null for what has no curve.</summary>
    public double? Cpr { get; init; }

    /// <summary>CMD over the plan's fractions; null for what has no curve.</summary>
    public double? Cmd { get; init; }

    /// <summary>Mean rank correlation of the scores of two drawn data sets; null where it was not measured.</summary>
    public double? Spearman { get; init; }

    /// <summary>The work of the method in whole forward passes, a backward pass counted as one; NaN where that is not known.</summary>
    public required double Passes { get; init; }

    /// <summary>Time of the method, without loading and judging.</summary>
    public required double Seconds { get; init; }

    /// <summary>Time of judging.</summary>
    public required double JudgeSeconds { get; init; }

    /// <summary>Mean metric of the full model on the pairs that judged.</summary>
    public double? FullMetric { get; init; }

    /// <summary>Mean metric with all edges ablated.</summary>
    public double? EmptyMetric { get; init; }

    /// <summary>A row per size and task that judged.</summary>
    public required IReadOnlyList<UnitRow> Rows { get; init; }

    /// <summary>The files of what it has found: how their names go on behind the unit's key, with their SHA-256.</summary>
    public IReadOnlyList<(string End, string Sum)> Files { get; init; } = [];

    /// <summary>Whether it is that of a search whose circuit has no edges.</summary>
    public bool IsEmpty => Rows.Any(r => r is { Kind: "found", Edges: 0 });

    /// <summary>How it was made.</summary>
    public required JsonObject Provenance { get; init; }
}
