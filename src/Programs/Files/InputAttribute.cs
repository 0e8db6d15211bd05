namespace Gradpath.Programs.Files;

/// <summary>An option that names what a command reads. No output may take its place.</summary>
/// <param name="kind">What it may name beside a file.</param>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class InputAttribute(InputKind kind = InputKind.File) : Attribute
{
    /// <summary>What it may name beside a file.</summary>
    public InputKind Kind { get; } = kind;
}
