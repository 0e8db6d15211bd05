namespace Gradpath.Gpt2Runtime.Compilation;

/// <summary>What part a compiled head plays, which decides how its edges are counted.</summary>
internal enum HeadRole
{
    /// <summary>The answer depends on it: its edges that carry information are true.</summary>
    Main,

    /// <summary>It does the work of another head where that is cut and nothing otherwise: its edges are neither true nor false.</summary>
    Backup,
}
