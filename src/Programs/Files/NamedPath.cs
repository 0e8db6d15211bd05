using Gradpath.Gpt2Runtime;

namespace Gradpath.Programs.Files;

/// <summary>A path with the option that leads to it.</summary>
/// <param name="Option">The option's name, without dashes.</param>
/// <param name="Path">The path as the user or the command has it.</param>
/// <param name="IsFolder">Whether everything below it is meant.</param>
internal sealed record NamedPath(string Option, string Path, bool IsFolder = false)
{
    // Only Linux is sure to tell names of large and small letters apart.
    private static readonly StringComparison s_comparison =
        OperatingSystem.IsLinux() ? StringComparison.Ordinal : StringComparison.OrdinalIgnoreCase;

    private readonly OutputTarget _target = Real(OutputTarget.Of(Path));

    /// <summary>Whether it is standard output.</summary>
    public bool IsStandardOutput => _target.Descriptor == 1;

    /// <summary>Whether writing one of these would touch the other.</summary>
    /// <param name="other">The other.</param>
    public bool Meets(NamedPath other)
    {
        if (_target.Kind == FileKind.Descriptor || other._target.Kind == FileKind.Descriptor)
            return _target.Descriptor == other._target.Descriptor;

        // Devices such as /dev/null take what any number of options write.
        if (_target.Kind == FileKind.Stream && _target.Path.StartsWith("/dev/", StringComparison.Ordinal)) return false;
        return string.Equals(_target.Path, other._target.Path, s_comparison) || IsBelow(other) || other.IsBelow(this);
    }

    /// <summary>As messages have it.</summary>
    public override string ToString() => $"--{Option} {Path}";

    private bool IsBelow(NamedPath folder) => folder.IsFolder && _target.Path.StartsWith(
        folder._target.Path.TrimEnd(System.IO.Path.DirectorySeparatorChar) + System.IO.Path.DirectorySeparatorChar, s_comparison);

    // Links in the folders on the way are followed too.
    private static OutputTarget Real(OutputTarget target)
    {
        if (target.Kind == FileKind.Descriptor) return target;
        string real = System.IO.Path.GetPathRoot(target.Path)!;
        char separator = System.IO.Path.DirectorySeparatorChar;
        foreach (string part in target.Path[real.Length..].Split(separator, StringSplitOptions.RemoveEmptyEntries))
        {
            real = System.IO.Path.Combine(real, part);
            if (new FileInfo(real).LinkTarget is not null) real = OutputTarget.Of(real).Path;
        }
        return target with { Path = real };
    }
}
