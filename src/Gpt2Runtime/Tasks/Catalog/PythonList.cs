using System.Text;

namespace Gradpath.Gpt2Runtime.Tasks.Catalog;

/// <summary>
/// Lists as Python prints them, <c>['gem', "gem's"]</c> or <c>[16840, 23685]</c>: how the hypernymy files hold several values in one field.
/// </summary>
internal static class PythonList
{
    /// <summary>The integers of a list, or null where the text is no list of integers.</summary>
    public static int[]? Integers(string text)
    {
        if (Inside(text) is not { } inside)
            return null;
        if (inside.Length == 0)
            return [];
        var parts = inside.Split(',');
        var values = new int[parts.Length];
        for (var i = 0; i < parts.Length; i++)
        {
            if (TokenIdText.Parse(parts[i].Trim()) is not { } value)
                return null;
            values[i] = value;
        }

        return values;
    }

    /// <summary>The strings of a list, or null where the text is no list of quoted strings.</summary>
    public static string[]? Strings(string text)
    {
        if (Inside(text) is not { } inside)
            return null;
        var values = new List<string>();
        var at = 0;
        while (at < inside.Length)
        {
            var quote = inside[at++];
            if (quote is not ('\'' or '"'))
                return null;
            var value = new StringBuilder();
            while (at < inside.Length && inside[at] != quote)
            {
                // A backslash stands before a quote or another backslash; the files have no other escapes.
                if (inside[at] == '\\')
                    at++;
                if (at < inside.Length)
                    value.Append(inside[at++]);
            }

            if (at >= inside.Length)
                return null;
            values.Add(value.ToString());
            at = SkipSpaces(inside, at + 1);
            if (at == inside.Length)
                break;
            if (inside[at] != ',')
                return null;
            at = SkipSpaces(inside, at + 1);
        }

        return [.. values];
    }

    private static string? Inside(string text)
    {
        text = text.Trim();
        return text.Length >= 2 && text[0] == '[' && text[^1] == ']' ? text[1..^1].Trim() : null;
    }

    private static int SkipSpaces(string text, int at)
    {
        while (at < text.Length && text[at] == ' ')
            at++;
        return at;
    }
}
