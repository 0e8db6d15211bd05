using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Gradpath.Gpt2Runtime.Runs;

namespace Gradpath.Gpt2Runtime.Evaluation;

/// <summary>A <see cref="CircuitOutcome"/> while batch after batch fills it.</summary>
/// <param name="items">What runs: the items, or their parts.</param>
internal sealed class OutcomeTally(int items)
{
    /// <summary>[items]: the metric.</summary>
    public double[] Metric { get; } = new double[items];

    /// <summary>[items]: KL from the full model.</summary>
    public double[] Kl { get; } = new double[items];

    /// <summary>[items]: whether the most probable token is the full model's.</summary>
    public bool[] ExactMatch { get; } = new bool[items];

    /// <summary>[items]: whether the answers win; null where there are none to judge by.</summary>
    public bool?[] Accurate { get; } = new bool?[items];

    /// <summary>Hands the numbers over; nothing may be filled in after that.</summary>
    /// <param name="parts">What runs for each item.</param>
    /// <returns>The outcome, with a value per item.</returns>
    public CircuitOutcome Finish(AnswerParts parts) => new(
        Fixed(parts.Sum(Metric)), Fixed(parts.First(Kl)), Fixed(parts.First(ExactMatch)), Fixed(parts.All(Accurate)));

    private static ImmutableArray<T> Fixed<T>(T[] values) => ImmutableCollectionsMarshal.AsImmutableArray(values);
}
