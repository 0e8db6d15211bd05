namespace Gradpath.Gpt2Runtime.Compilation;

/// <summary>The table of compiled programs. To add one is to write its class and its row here; tests go over all rows.</summary>
internal static class CompiledPrograms
{
    /// <summary>All programs, in the order of tables and help.</summary>
    public static IReadOnlyList<CompiledProgram> All { get; } =
        [new ReverseProgram(), new HistogramProgram(), new SortProgram(), new FractionProgram(), new InductionProgram()];

    /// <summary>Finds a program by its name.</summary>
    /// <param name="name">The name; upper and lower case are the same.</param>
    /// <returns>The program.</returns>
    /// <exception cref="OptionException">There is none of this name.</exception>
    public static CompiledProgram Find(string name) => All.FirstOrDefault(p => TableNames.Same(name, p.Name))
        ?? throw new OptionException($"{name}: {TableNames.Unknown("program", name, [.. All.Select(p => p.Name)], [])}");
}
