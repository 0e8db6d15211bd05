namespace Gradpath.Gpt2Runtime.Evaluation;

/// <summary>Faithfulness over circuit size for one scores matrix and one ranking.</summary>
/// <param name="BySign">Whether edges were ranked by their score, not its absolute value.</param>
/// <param name="Points">Smallest fraction first.</param>
public sealed record SparsityCurve(bool BySign, IReadOnlyList<SparsityPoint> Points)
{
    /// <summary>
    /// The area under the faithfulness f over the requested fractions, by the trapezoid rule; nothing is added below the first. NaN for a
    /// single fraction, over which there is no area.
    /// </summary>
    public double Area => Trapezoid(Points, f => f);

    /// <summary>The area under |1 - f|, likewise.</summary>
    public double AreaFromFull => Trapezoid(Points, f => Math.Abs(1 - f));

    private static double Trapezoid(IReadOnlyList<SparsityPoint> points, Func<double, double> height)
    {
        if (points.Count < 2) return double.NaN;
        double area = 0;
        for (int i = 1; i < points.Count; i++)
            area += (points[i].Fraction - points[i - 1].Fraction) * (height(points[i].Faithfulness)
                + height(points[i - 1].Faithfulness)) / 2;
        return area;
    }
}
