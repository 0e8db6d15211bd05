using Gradpath.Gpt2Runtime.Discovery;

namespace Gradpath.Host.Options;

/// <summary>
/// The help of options about searches, made from the table of searches. Public because the parser of options wants it so.
/// </summary>
public static class SearchHelp
{
    /// <summary><c>--method</c>.</summary>
    public static string Method => $"{string.Join("; ", CircuitSearches.All.Select(s => $"{s.Name} ({s.Summary})"))}.";

    /// <summary><c>--scorer</c>.</summary>
    public static string Scorer =>
        $"Method that scores the edges, for {Names(s => s.NeedsScorer)} (default: eap; see 'gradpath score').";

    /// <summary><c>--sparsity</c>.</summary>
    public static string Sparsity => $"Share of all edges that the circuit lacks, for {Names(s => s.Sizing == SearchSizing.Sparsity)}.";

    /// <summary><c>--threshold</c>.</summary>
    public static string Threshold => $"Threshold below which an edge goes, for {Names(s => s.Sizing == SearchSizing.Threshold)}.";

    private static string Names(Func<CircuitSearch, bool> which) =>
        string.Join(", ", CircuitSearches.All.Where(which).Select(s => s.Name));
}
