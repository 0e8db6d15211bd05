using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Attribution;

namespace Gradpath.Programs;

/// <summary>
/// What the command line calls the things that the library's messages speak of: options as <see cref="OptionTerms"/> has them, but for
/// what is listed here.
/// </summary>
internal static class OptionNames
{
    private static readonly Dictionary<string, string> s_special = new(StringComparer.Ordinal)
    {
        [Terms.Checks.Name] = "--verify",
        [Terms.Checkpoint.Name] = "the checkpoint with 'gradpath info --weights'",
        [Terms.CircuitSelection.Name] = "gradpath circuit",
        [Terms.FewerPrompts.Name] = "fewer or shorter prompts (--limit)",
        [Terms.GeneratedPrompts.Name] = "prompts that are generated for this one (leave --data out)",
        [Terms.ItemType.Name] = "--per-item-type",
        [Terms.Part.Name] = "--by",
        [Terms.PrependBos.Name] = "--no-bos",
        [Terms.Result.Name] = "--out",
        [Terms.VerifiedFound.Name] = "--verify-found",
        [Terms.VerifiedShare.Name] = "--verify-share",
        [Terms.WeightsListing.Name] = "'gradpath info --weights'",
    };

    /// <summary>The command line's words for a term.</summary>
    /// <param name="term">The term.</param>
    public static string Of(Term term)
    {
        if (term.Name == Terms.Search("").Name) return $"'gradpath {term.Value}'";
        string name = s_special.GetValueOrDefault(term.Name) ?? $"--{OptionTerms.Of(term)}";
        return term.Value is null ? name : $"{name} {term.Value}";
    }
}
