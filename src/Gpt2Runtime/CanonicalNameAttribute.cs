namespace Gradpath.Gpt2Runtime;

/// <summary>
/// The name of an enumeration's value in files and on command lines, where it does not follow from the identifier (see
/// <see cref="CanonicalNames"/>).
/// </summary>
/// <param name="name">The name.</param>
[AttributeUsage(AttributeTargets.Field)]
internal sealed class CanonicalNameAttribute(string name) : Attribute
{
    /// <summary>The name.</summary>
    public string Name { get; } = name;
}
