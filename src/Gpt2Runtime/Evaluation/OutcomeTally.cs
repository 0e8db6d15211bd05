using System.Collections.Immutable;
using System.Runtime.InteropServices;

namespace Gradpath.Gpt2Runtime.Evaluation;

/// <summary>A <see cref="CircuitOutcome"/> while batch after batch fills it.</summary>
/// <param name="items">Items of the run.</param>
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
    /// <returns>The outcome.</returns>
    public CircuitOutcome Finish() => new(Fixed(Metric), Fixed(Kl), Fixed(ExactMatch), Fixed(Accurate));

    private static ImmutableArray<T> Fixed<T>(T[] values) => ImmutableCollectionsMarshal.AsImmutableArray(values);
}
