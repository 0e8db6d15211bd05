using System.Globalization;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Host.Reports.Csv;

namespace Gradpath.Host.Commands;

/// <summary>Faithfulness over circuit size on a text console: one letter per method, sizes on a logarithmic axis.</summary>
internal static class CurvePlot
{
    private const int Height = 12;
    private const int Width = 61;

    /// <summary>Writes the plot.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="curves">At most 26; all over the same fractions.</param>
    public static void Write(TextWriter output, IReadOnlyList<NamedCurve> curves)
    {
        (double low, double high) = Range(curves);
        double first = Math.Log(curves[0].Curve.Points[0].Fraction);
        double last = Math.Log(curves[0].Curve.Points[^1].Fraction);
        char[][] grid = [.. Enumerable.Range(0, Height + 1).Select(_ => new string(' ', Width).ToCharArray())];
        int RowOf(double f) => Height - (int)Math.Round((f - low) / (high - low) * Height);
        foreach (double level in new[] { 0.0, 1 }) Array.Fill(grid[RowOf(level)], '.');
        for (int c = 0; c < curves.Count; c++)
        {
            foreach (SparsityPoint p in curves[c].Curve.Points)
            {
                int x = last > first ? (int)Math.Round((Math.Log(p.Fraction) - first) / (last - first) * (Width - 1)) : 0;
                ref char cell = ref grid[RowOf(p.Faithfulness)][x];
                cell = cell is ' ' or '.' ? (char)('A' + c) : '*';
            }
        }
        for (int row = 0; row <= Height; row++)
        {
            string label = row == RowOf(0) ? "0" : row == RowOf(1) ? "1" : row == 0 ? Number(high) : row == Height ? Number(low) : "";
            output.WriteLine($"  {label,6} |{new string(grid[row]).TrimEnd()}");
        }
        string from = Percent(curves[0].Curve.Points[0].Fraction), to = Percent(curves[0].Curve.Points[^1].Fraction);
        output.WriteLine($"         +{new string('-', Width)}");
        output.WriteLine($"          {from}{to.PadLeft(Width - from.Length)}");
        output.WriteLine($"  faithfulness over share of edges, by |score|: "
            + $"{string.Join(", ", curves.Select((c, i) => $"{(char)('A' + i)} {c.Name}"))}{(curves.Count > 1 ? ", * several" : "")}");
    }

    /// <summary>The range of faithfulness to show: 0 to 1 and what lies outside.</summary>
    public static (double Low, double High) Range(IEnumerable<NamedCurve> curves)
    {
        double[] values = [.. curves.SelectMany(c => c.Curve.Points).Select(p => p.Faithfulness)];
        return (Math.Min(0, values.Min()), Math.Max(1, values.Max()));
    }

    /// <summary>A share as people read it: <c>0.5 %</c>.</summary>
    public static string Percent(double fraction) => (100 * fraction).ToString("0.###", CultureInfo.InvariantCulture) + " %";

    private static string Number(double value) => Sizes.Fixed(value, "0.0");
}
