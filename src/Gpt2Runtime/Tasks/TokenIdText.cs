using System.Globalization;

namespace Gradpath.Gpt2Runtime.Tasks;

/// <summary>A token id as text. A column with gaps comes out of pandas as floating point, so 8037.0 is 8037.</summary>
internal static class TokenIdText
{
    /// <summary>The id; null where the text is no integer.</summary>
    public static int? Parse(string text)
    {
        var point = text.IndexOf('.', StringComparison.Ordinal);
        var integer = point > 0 && text.AsSpan(point + 1).TrimEnd('0').IsEmpty ? text.AsSpan(0, point) : text;
        return int.TryParse(integer, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var id) ? id : null;
    }
}
