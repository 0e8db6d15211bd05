namespace Gradpath.Gpt2Runtime;

/// <summary>How the rows of a table are found by the names that people write.</summary>
internal static class TableNames
{
    /// <summary>Whether a name means another: only letters and digits count, in upper or lower case, as in EAP_IG for eap-ig.</summary>
    /// <param name="written">What was written; spaces around it do not count.</param>
    /// <param name="name">The name of a row.</param>
    /// <returns>Whether they are the same.</returns>
    public static bool Same(string written, string name) =>
        string.Equals(Bare(written), Bare(name), StringComparison.OrdinalIgnoreCase);

    /// <summary>What to say of a name that no row has.</summary>
    /// <param name="kind">What the rows are, such as <c>method</c>.</param>
    /// <param name="written">The name.</param>
    /// <param name="names">The names to choose from.</param>
    /// <param name="aliases">Names beside those that may have been meant.</param>
    /// <returns>The end of a message.</returns>
    public static string Unknown(string kind, string written, string[] names, IEnumerable<string>? aliases = null)
    {
        string? nearest = NearestName.Of(written.Replace('_', '-'), [.. names, .. aliases ?? []]);
        return $"no such {kind};{(nearest is null ? "" : $" did you mean {nearest}?")} choose {CanonicalNames.Choice(names)}";
    }

    private static string Bare(string name) => string.Concat(name.Where(c => c is not ('-' or '_' or ' ')));
}
