namespace Gradpath.Programs.Files;

/// <summary>An option that names what a command writes: checked before the command runs, see <see cref="FileChecks"/>.</summary>
/// <param name="extensions">The extensions that the file may have, with their dots; none for any. Streams get the first.</param>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class OutputAttribute(params string[] extensions) : Attribute
{
    /// <summary>The extensions that the file may have.</summary>
    public IReadOnlyList<string> Extensions { get; } = extensions;

    /// <summary>Whether it holds edge scores or a circuit, which have formats of their own.</summary>
    public bool IsGraph { get; init; }

    /// <summary>Whether the work is kept beside it, so that it must be a file.</summary>
    public bool KeepsProgress { get; init; }

    /// <summary>Whether it is a folder; <see cref="CommandOptions.FurtherOutputs"/> has the files in it.</summary>
    public bool IsFolder { get; init; }
}
