namespace Gradpath.Gpt2Runtime;

/// <summary>What is said of a file that cannot be read: in this program's words, not in the platform's.</summary>
internal static class UnreadableFile
{
    /// <summary>What is said of a file that is not there.</summary>
    public const string Missing = "there is no such file";

    private const string Folder = "is a directory, not a file";

    /// <summary>The message about a file that could not be read.</summary>
    /// <param name="path">The file.</param>
    /// <param name="error">What the system said.</param>
    public static GradpathException Of(string path, Exception error) => new($"{path}: {Reason(path, error)}", error);

    /// <summary>Refuses a file that is not there.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="GradpathException">There is no such file, or it is a folder.</exception>
    public static void Require(string path)
    {
        if (Directory.Exists(path)) throw new GradpathException($"{path}: {Folder}");
        if (!File.Exists(path)) throw new GradpathException($"{path}: {Missing}");
    }

    private static string Reason(string path, Exception error) => error switch
    {
        _ when Directory.Exists(path) => Folder,
        FileNotFoundException or DirectoryNotFoundException => Missing,
        UnauthorizedAccessException => "cannot be read: this user may not read it",
        _ => $"cannot be read: {error.Message}",
    };
}
