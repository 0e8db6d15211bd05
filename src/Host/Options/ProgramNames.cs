using Gradpath.Gpt2Runtime.Compilation;

namespace Gradpath.Host.Options;

/// <summary>Compiled programs as options name them.</summary>
internal static class ProgramNames
{
    /// <summary>The program that an option names.</summary>
    /// <param name="option">The option without its dashes.</param>
    /// <param name="name">Its value.</param>
    /// <exception cref="UsageException">There is none of this name; the message says which there are.</exception>
    public static CompiledProgram Parse(string option, string name)
    {
        string found = EnumNames.Pick(option, name, [.. CompiledPrograms.All.Select(p => p.Name)]);
        return CompiledPrograms.Find(found);
    }
}
