using System.Globalization;

namespace Gradpath.Gpt2Runtime;

/// <summary>Where the content of a path ends up that is to be written: links followed, streams recognised.</summary>
/// <param name="Kind">What is there.</param>
/// <param name="Path">The full path that a file has, or what stands for a stream.</param>
/// <param name="Descriptor">The number of an open descriptor; -1 elsewhere.</param>
internal sealed record OutputTarget(FileKind Kind, string Path, int Descriptor = -1)
{
    /// <summary>What stands for standard output on a command line.</summary>
    public const string StandardOutput = "-";

    private const int MostLinks = 40;

    /// <summary>Whether the content is written where it goes at once, and not to a file aside first.</summary>
    public bool IsStream => Kind is FileKind.Stream or FileKind.Descriptor;

    /// <summary>Looks a path up.</summary>
    /// <param name="path">The path, or <c>-</c> for standard output.</param>
    public static OutputTarget Of(string path)
    {
        if (path == StandardOutput && !OperatingSystem.IsWindows()) return OfDescriptor(1);
        string target = System.IO.Path.GetFullPath(path);
        bool isLink = false;
        for (int links = 0; links < MostLinks; links++)
        {
            if (NumberOf(target) is { } number) return OfDescriptor(number);
            if (new FileInfo(target).LinkTarget is not { } next) break;
            isLink = true;
            target = System.IO.Path.GetFullPath(next, System.IO.Path.GetDirectoryName(target)!);
        }
        FileKind kind = Posix.KindOf(target);
        return new OutputTarget(kind == FileKind.Nothing && isLink ? FileKind.DanglingLink : kind, target);
    }

    private static OutputTarget OfDescriptor(int number) => new(FileKind.Descriptor, $"descriptor {number}", number);

    // The number in /dev/stdout and its kin; these are links too, but to names that cannot always be opened.
    private static int? NumberOf(string path)
    {
        if (OperatingSystem.IsWindows()) return null;
        if (path == "/dev/stdout") return 1;
        if (path == "/dev/stderr") return 2;
        foreach (string folder in (string[])["/dev/fd/", "/proc/self/fd/", $"/proc/{Environment.ProcessId}/fd/"])
        {
            if (path.StartsWith(folder, StringComparison.Ordinal)
                && int.TryParse(path.AsSpan(folder.Length), NumberStyles.None, CultureInfo.InvariantCulture, out int number))
                return number;
        }
        return null;
    }
}
