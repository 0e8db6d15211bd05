using System.Globalization;

namespace Gradpath.Host.Reports.Pictures;

/// <summary>An axis: its ends, and where it has marks. Logarithmic axes are the caller's: it passes logarithms and labels.</summary>
internal sealed record ChartAxis(string Name, double First, double Last, IReadOnlyList<(double At, string Label)> Marks)
{
    /// <summary>A linear axis with four to ten round marks.</summary>
    public static ChartAxis Linear(string name, double low, double high)
    {
        double power = Math.Pow(10, Math.Floor(Math.Log10((high - low) / 4)));
        double step = ((high - low) / 4 / power) switch { >= 5 => 5 * power, >= 2 => 2 * power, _ => power };
        List<(double, string)> marks = [];
        for (double level = Math.Ceiling(low / step) * step; level <= high + (step / 1000); level += step)
            marks.Add((level, (level + 0.0).ToString("0.##", CultureInfo.InvariantCulture)));
        return new ChartAxis(name, low, high, marks);
    }

    /// <summary>An axis for decimal logarithms of positive values, from power to power of ten.</summary>
    public static ChartAxis Logarithmic(string name, IEnumerable<double> logarithms)
    {
        double[] all = [.. logarithms];
        int low = (int)Math.Floor(all.Min()), high = Math.Max(low + 1, (int)Math.Ceiling(all.Max()));
        return new ChartAxis(name, low, high,
            [.. Enumerable.Range(low, high - low + 1).Select(p =>
            ((double)p, Math.Pow(10, p).ToString("0.########", CultureInfo.InvariantCulture)))]);
    }
}
