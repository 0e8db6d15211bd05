namespace Gradpath.Fuzz.Tests;

/// <summary>A kind of file that the program reads, as the table of <c>docs/file-formats.md</c> has it.</summary>
/// <param name="Name">What <c>--reader</c> calls it.</param>
/// <param name="File">The name that an input gets, which may decide how it is read.</param>
/// <param name="Open">Makes sound samples and what reads a file, in a folder of its own.</param>
internal sealed record FuzzReader(string Name, string File, Func<string, FuzzTarget> Open)
{
    /// <inheritdoc />
    public override string ToString() => Name;
}
