namespace Gradpath.Gpt2Runtime;

/// <summary>
/// Something that a message speaks of and that a program on top of the library may call by a name of its own: a property, perhaps with a
/// value. The library says <c>BatchSize</c>; a command line that has an option for it says the option.
/// </summary>
/// <param name="Name">What the library calls it, such as <c>BatchSize</c> or <c>EmbeddingPath.Norm</c>.</param>
/// <param name="Value">A value of it, as files have it; null where none is meant.</param>
public readonly record struct Term(string Name, string? Value = null)
{
    /// <summary>The library's words.</summary>
    /// <returns>The name, and the value behind it where there is one.</returns>
    public override string ToString() => Value is null ? Name : $"{Name} {Value}";
}
