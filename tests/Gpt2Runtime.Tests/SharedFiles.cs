namespace Gradpath.Gpt2Runtime.Tests;

/// <summary>
/// Files that lie beside the repository and are not part of it: golden numbers and small models. Tests that need one skip without it.
/// </summary>
internal static class SharedFiles
{
    /// <summary>The full path of a file or folder of <c>../shared</c>, or null where it is missing.</summary>
    /// <param name="relative">Path below the shared folder.</param>
    public static string? Find(string relative)
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Engine.sln")))
            {
                string path = Path.Combine(folder.FullName, "..", "shared", relative);
                return Path.Exists(path) ? Path.GetFullPath(path) : null;
            }
        }
        return null;
    }

    /// <summary>The full path of a file or folder of <c>../shared</c>; the test is skipped where it is missing.</summary>
    /// <param name="relative">Path below the shared folder.</param>
    public static string Require(string relative)
    {
        string? path = Find(relative);
        Skip.If(path is null, $"shared/{relative} is not beside the repository");
        return path!;
    }
}
