using System.Globalization;
using System.Text;

namespace Gradpath.Host.Commands;

/// <summary>A plot of horizontal bars for a text console: one line per value, all to one scale.</summary>
internal static class BarPlot
{
    // Eighths of a block, from one to seven.
    private const string Eighths = "\u258F\u258E\u258D\u258C\u258B\u258A\u2589";
    private const char Full = '\u2588';
    private const char Ascii = '#';

    /// <summary>Writes the bars.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="bars">Label and value; values from 0 up.</param>
    /// <param name="width">Characters of the longest bar.</param>
    /// <param name="unicode">Whether block characters can be shown.</param>
    public static void Write(TextWriter output, IReadOnlyList<(string Label, double Value)> bars, int width, bool unicode)
    {
        double largest = bars.Max(b => b.Value);
        int labels = bars.Max(b => b.Label.Length);
        foreach ((string label, double value) in bars)
        {
            double length = largest > 0 ? value / largest * width : 0;
            output.WriteLine(
                string.Create(CultureInfo.InvariantCulture, $"  {label.PadRight(labels)}  {Bar(length, unicode)} {value:0.###}"));
        }
    }

    private static string Bar(double length, bool unicode)
    {
        if (!unicode) return new string(Ascii, (int)Math.Round(length));
        int eighths = (int)Math.Round(length * 8);
        StringBuilder bar = new(new string(Full, eighths / 8));
        if (eighths % 8 > 0) bar.Append(Eighths[(eighths % 8) - 1]);
        return bar.ToString();
    }
}
