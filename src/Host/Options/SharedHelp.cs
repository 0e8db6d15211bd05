namespace Gradpath.Host.Options;

/// <summary>Help of options that several commands have.</summary>
internal static class SharedHelp
{
    /// <summary><c>--resume</c> of a search.</summary>
    public const string Resume =
        "Go on with a run of the same options that was stopped; its work is in the file --out with .progress behind it, half a minute old "
        + "at most.";
}
