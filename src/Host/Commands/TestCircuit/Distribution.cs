using Gradpath.Gpt2Runtime.Evaluation;

namespace Gradpath.Host.Commands;

/// <summary>What random circuits give, and the circuit's own.</summary>
/// <param name="Test">The test that compares them.</param>
/// <param name="Name">What the numbers are.</param>
/// <param name="Values">One per random circuit.</param>
/// <param name="Own">The circuit's; for minimality one per edge.</param>
internal sealed record Distribution(CircuitTestKind Test, string Name, IReadOnlyList<double> Values, IReadOnlyList<double> Own)
{
    /// <summary>The circuit's value; the mean of its edges.</summary>
    public double Circuit => Own.Average();

    /// <summary>The distributions of the tests that were run.</summary>
    /// <param name="tests">The tests.</param>
    public static IEnumerable<Distribution> Of(CircuitTests tests)
    {
        Distribution[] all =
        [
            new(
                CircuitTestKind.Minimality, "change of the metric without an edge", tests.InflatedChanges,
                [.. tests.Edges.Select(e => e.Change)]),
            new(CircuitTestKind.Sufficiency, "faithfulness", tests.RandomFaithfulness, [tests.Faithfulness]),
            new(CircuitTestKind.PartialNecessity, "damage without the circuit", tests.RandomDamage, [tests.Damage]),
        ];
        return all.Where(d => d.Values.Count > 0);
    }

    /// <summary>A quantile, between two values by their distance.</summary>
    /// <param name="share">From 0 to 1.</param>
    public double Quantile(double share)
    {
        double[] sorted = [.. Values.Order()];
        double at = share * (sorted.Length - 1);
        int below = (int)at;
        return sorted[below] + ((at - below) * (sorted[Math.Min(below + 1, sorted.Length - 1)] - sorted[below]));
    }
}
