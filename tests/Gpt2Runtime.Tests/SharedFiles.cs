namespace Gradpath.Gpt2Runtime.Tests;

/// <summary>
/// Files that are too large or too foreign for the repository (reference checkpoints, goldens, data sets). They lie in a folder named
/// "shared" beside the repository; a test that needs one is skipped, with the reason, where it is not there.
/// </summary>
internal static class SharedFiles
{
    /// <summary>The repository's root: the folder that holds Engine.sln.</summary>
    public static string? RepositoryRoot { get; } = FindRoot();

    /// <summary>Looks for a shared file or folder.</summary>
    /// <param name="relative">Its path below the shared folder, with forward slashes.</param>
    /// <returns>The full path, or null where it does not exist.</returns>
    public static string? Find(string relative)
    {
        if (RepositoryRoot is null) return null;
        string path = Path.GetFullPath(Path.Combine(RepositoryRoot, "..", "shared", relative));
        return Path.Exists(path) ? path : null;
    }

    /// <summary>Looks for a shared file or folder and skips the test where it does not exist. For use in a SkippableFact or SkippableTheory.</summary>
    /// <param name="relative">Its path below the shared folder, with forward slashes.</param>
    /// <returns>The full path.</returns>
    public static string Require(string relative)
    {
        string? path = Find(relative);
        Skip.If(path is null, $"shared/{relative} is not beside the repository");
        return path!;
    }

    private static string? FindRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Engine.sln"))) return folder.FullName;
        }
        return null;
    }
}
