using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Host.Reports;

/// <summary>What commands say of how texts became tokens.</summary>
internal static class TokenizerNotes
{
    /// <summary>Prints warnings to the error stream, a line each.</summary>
    public static void Warn(Terminal terminal, IEnumerable<string> warnings)
    {
        foreach (string warning in warnings) terminal.Warn(warning);
    }

    /// <summary>The line that says what the prompts of a result begin with, and what answers of several tokens stand for.</summary>
    public static string BeginToken(Provenance provenance)
    {
        string begin = provenance.BeginToken?.ToString() ?? "none was put in front of the prompts";
        return $"begin token: {begin}{(provenance.Answers is { } answers ? $"; answers of several tokens: {answers}" : "")}";
    }
}
