namespace Gradpath.Gpt2Runtime.Tests;

/// <summary>Reference files that lie beside the repository, in ../shared, and are not part of it.</summary>
internal static class SharedFiles
{
    /// <summary>The repository's root: the folder of Engine.sln above the tests' output.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>Path of a file or folder in ../shared, or null where it is missing.</summary>
    public static string? Find(string relative)
    {
        var path = Path.Combine(Root, "..", "shared", relative);
        return Path.Exists(path) ? path : null;
    }

    /// <summary>The same path; the test is skipped where it is missing.</summary>
    public static string Require(string relative)
    {
        var path = Find(relative);
        Skip.If(path is null, $"../shared/{relative} is not there.");
        return path!;
    }

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Engine.sln")))
            folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException("Engine.sln is not above the tests' output.");
    }
}
