using Gradpath.Gpt2Runtime;

namespace Gradpath.Programs;

/// <summary>Files that options name for results.</summary>
internal static class OutputFile
{
    /// <summary>Refuses a file that cannot be written, before the work starts.</summary>
    /// <param name="option">The option that named it.</param>
    /// <param name="path">The file.</param>
    /// <param name="check">The check that its format needs.</param>
    /// <exception cref="UsageException">The file cannot be written.</exception>
    public static void RequireWritable(string option, string path, Action<string> check)
    {
        try
        {
            check(path);
        }
        catch (GradpathException e)
        {
            throw new UsageException($"--{option}: {e.Message}");
        }
    }
}
