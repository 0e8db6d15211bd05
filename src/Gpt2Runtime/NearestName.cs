namespace Gradpath.Gpt2Runtime;

/// <summary>Finds the name that somebody may have meant.</summary>
internal static class NearestName
{
    /// <summary>
    /// The nearest of some names by the number of letters to add, to leave out, to replace or to swap with their neighbours.
    /// </summary>
    /// <param name="written">What was written.</param>
    /// <param name="names">The names that there are.</param>
    /// <returns>A name of which at most a third (and at least one letter) is written otherwise, or the only
    /// one that begins so; null where there is none.</returns>
    public static string? Of(string written, IEnumerable<string> names)
    {
        (string? nearest, int least) = (null, int.MaxValue);
        foreach (string name in names)
        {
            int distance = Distance(written.ToUpperInvariant(), name.ToUpperInvariant());
            if (distance <= Math.Max(1, name.Length / 3) && distance < least) (nearest, least) = (name, distance);
        }
        // The beginning of a single name is short for it.
        string[] longer = [.. names.Where(n => written.Length > 2 && n.StartsWith(written, StringComparison.OrdinalIgnoreCase))
            .Distinct(StringComparer.OrdinalIgnoreCase)];
        return nearest ?? (longer.Length == 1 ? longer[0] : null);
    }

    // Optimal string alignment: rows of the table of distances between all beginnings of the two words.
    private static int Distance(string a, string b)
    {
        var rows = new int[a.Length + 1, b.Length + 1];
        for (int i = 0; i <= a.Length; i++) rows[i, 0] = i;
        for (int j = 0; j <= b.Length; j++) rows[0, j] = j;
        for (int i = 1; i <= a.Length; i++)
        {
            for (int j = 1; j <= b.Length; j++)
            {
                int replaced = rows[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                rows[i, j] = Math.Min(replaced, Math.Min(rows[i - 1, j], rows[i, j - 1]) + 1);
                bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
                if (swapped) rows[i, j] = Math.Min(rows[i, j], rows[i - 2, j - 2] + 1);
            }
        }
        return rows[a.Length, b.Length];
    }
}
