namespace Gradpath.Gpt2Runtime.Compilation;

/// <summary>A hidden unit of a compiled MLP: what is above 0 of a weighted sum, times weights.</summary>
/// <param name="Bias">Added to the sum.</param>
/// <param name="Reads">Variables, one of their values each, and the weights in the sum.</param>
/// <param name="Writes">Variables, one of their values each, and the weights of what is written.</param>
internal sealed record HiddenUnit(
    double Bias, IReadOnlyList<(Variable Variable, int Value, double Weight)> Reads,
    IReadOnlyList<(Variable Variable, int Value, double Weight)> Writes)
{
    /// <summary>A number as a step: 0 up to a limit, 1 from another on, straight in between.</summary>
    /// <param name="number">The number.</param>
    /// <param name="low">The first limit.</param>
    /// <param name="high">The second.</param>
    /// <param name="writes">What the step is written to.</param>
    public static IEnumerable<HiddenUnit> Step(
        Variable number, double low, double high, params (Variable Variable, int Value, double Weight)[] writes)
    {
        double slope = 1 / (high - low);
        yield return new HiddenUnit(-low * slope, [(number, 0, slope)], writes);
        yield return new HiddenUnit(-high * slope, [(number, 0, slope)], [.. writes.Select(w => (w.Variable, w.Value, -w.Weight))]);
    }

    /// <summary>A categorical value of two others, both of which must be there.</summary>
    /// <param name="first">A variable and its value.</param>
    /// <param name="second">Another one and its value.</param>
    /// <param name="writes">Gets 1 where both are there.</param>
    public static HiddenUnit Both((Variable Variable, int Value) first, (Variable Variable, int Value) second, (Variable, int) writes) =>
        new(-3, [(first.Variable, first.Value, 2), (second.Variable, second.Value, 2)], [(writes.Item1, writes.Item2, 1)]);
}
