using Gradpath.Gpt2Runtime.Discovery;

namespace Gradpath.Host.Comparison;

/// <summary>
/// The help of options about what is compared, made from the tables of methods and searches. Public because the parser of options wants it
/// so.
/// </summary>
public static class ComparisonHelp
{
    /// <summary><c>--methods</c>.</summary>
    public static string Methods =>
        $"What to compare: {string.Join(", ", ComparedMethod.Searches.Select(m => m.Name))} and methods of 'gradpath score', with their "
        + $"default settings (default: {string.Join(',', ComparedMethod.Defaults.Select(m => m.Name))}).";

    /// <summary><c>--acdc-runs</c>.</summary>
    public static string ThresholdRuns =>
        $"{string.Join(", ", ComparedMethod.Searches.Where(m => m.Search!.Sizing == SearchSizing.Threshold).Select(m => m.Name))}: "
        + "thresholds to try per sparsity, at most (default: 12).";
}
