using Gradpath.Gpt2Runtime;

namespace Gradpath.Native.Options;

/// <summary>What the C library's JSON calls the things that the library's messages speak of.</summary>
internal static class OptionText
{
    /// <summary>The words for a term.</summary>
    /// <param name="term">The term.</param>
    /// <returns>The option with its value, or plain words.</returns>
    public static string Of(Term term)
    {
        if (term.Name == Terms.CircuitSelection.Name) return "gradpath_circuit_select";
        if (term.Name.Contains(' ')) return term.ToString();
        string name = OptionTerms.Of(term);
        return term.Value is null ? name : $"{name} {term.Value}";
    }
}
