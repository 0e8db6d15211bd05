namespace Gradpath.Gpt2Runtime.Evaluation;

/// <summary>One hypothesis test of a circuit.</summary>
/// <param name="Kind">Which.</param>
/// <param name="Null">The null hypothesis in words.</param>
/// <param name="StatisticName">What the statistic is.</param>
/// <param name="Statistic">The statistic.</param>
/// <param name="PValue">The p-value.</param>
/// <param name="Items">What the statistic is computed from: prompt pairs, or edges for minimality.</param>
/// <param name="Draws">Random draws that it is compared with: permutations or circuits; 0 where the distribution is known.</param>
/// <param name="Alpha">The level.</param>
public sealed record CircuitTestResult(
    CircuitTestKind Kind, string Null, string StatisticName, double Statistic, double PValue, int Items, int Draws, double Alpha)
{
    /// <summary>The probability that the test rejects where <see cref="Alternative"/> holds; NaN where none was computed.</summary>
    public double Power { get; init; } = double.NaN;

    /// <summary>What <see cref="Power"/> is at; empty where none was computed.</summary>
    public string Alternative { get; init; } = "";

    /// <summary>The smallest p-value that so many items and draws can give; above <see cref="Alpha"/> nothing can be rejected.</summary>
    public double SmallestP { get; init; }

    /// <summary>Whether the null hypothesis is rejected.</summary>
    public bool Rejected => PValue <= Alpha;

    /// <summary>What this says about the circuit.</summary>
    public CircuitEvidence Evidence => !Rejected ? CircuitEvidence.None
        : Kind is CircuitTestKind.Equivalence or CircuitTestKind.Independence ? CircuitEvidence.Against : CircuitEvidence.For;
}
