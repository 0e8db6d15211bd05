using System.Globalization;
using System.Text;

namespace Gradpath.Gpt2Runtime.Drawing;

/// <summary>Lines of a drawing.</summary>
internal static class SvgLines
{
    /// <summary>Adds a line, with numbers as SVG writes them.</summary>
    /// <param name="svg">The drawing.</param>
    /// <param name="parts">What stands in the line, one part after the other.</param>
    public static void Line(this StringBuilder svg, params FormattableString[] parts)
    {
        foreach (FormattableString part in parts) svg.Append(part.ToString(CultureInfo.InvariantCulture));
        svg.Append('\n');
    }
}
