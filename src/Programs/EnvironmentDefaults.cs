using Gradpath.Gpt2Runtime;
using Gradpath.Kernels;

namespace Gradpath.Programs;

/// <summary>Options that environment variables give where the command line does not, so that scripts need not repeat them.</summary>
internal static class EnvironmentDefaults
{
    private const string Device = "device";

    /// <summary>The options with their variables.</summary>
    public static IReadOnlyList<(string Option, string Variable)> Table { get; } =
    [
        .. new[] { "model", Device, "threads", "memory", "precision", "gemm" }.Select(o => (o, $"GRADPATH_{o.ToUpperInvariant()}")),
    ];

    /// <summary>The options of a verb that variables give.</summary>
    /// <param name="args">The command line, its verb included.</param>
    /// <param name="options">The options of the verb.</param>
    /// <param name="variable">Reads a variable.</param>
    public static IReadOnlyList<GivenByVariable> For(IReadOnlyList<string> args, Type options, Func<string, string?> variable)
    {
        Dictionary<string, string?> given = [];
        foreach (OptionWords words in OptionWords.Of(args, options)) given.TryAdd(words.Name, words.Value);
        List<GivenByVariable> found = [];
        foreach ((string option, string name) in Table)
        {
            if (given.ContainsKey(option) || OptionWords.Find(options, option) is null) continue;
            if (variable(name) is { Length: > 0 } value) found.Add(new GivenByVariable(option, value, name, Applies: true));
        }
        string device = given.GetValueOrDefault(Device) ?? found.FirstOrDefault(f => f.Option == Device)?.Value ?? "auto";
        bool cpu = TableNames.Same(device, "cpu"), gpu = device.StartsWith("cuda", StringComparison.OrdinalIgnoreCase);
        return [.. found.Select(f => f with { Applies = f.Option switch { "threads" => cpu, "precision" or "gemm" => gpu, _ => true } })];
    }

    /// <summary>Checks the values that do not go with the device, which nothing else reads.</summary>
    /// <param name="given">The options that variables give.</param>
    /// <param name="options">The options of the verb.</param>
    /// <exception cref="UsageException">A value is none of its option.</exception>
    public static void Check(IEnumerable<GivenByVariable> given, Type options)
    {
        foreach (GivenByVariable left in given.Where(g => !g.Applies))
        {
            NumericArguments.Check(["", left.Word], options);
            if (left.Option == "precision") EnumNames.Parse<MatrixPrecision>(left.Option, left.Value);
            if (left.Option == "gemm") EnumNames.Parse<MatrixProvider>(left.Option, left.Value);
        }
    }
}

/// <summary>An option that a variable gives.</summary>
/// <param name="Option">The option without dashes.</param>
/// <param name="Value">Its value.</param>
/// <param name="Variable">The variable.</param>
/// <param name="Applies">Whether it goes with the device that was named; it is left out where it does not.</param>
internal sealed record GivenByVariable(string Option, string Value, string Variable, bool Applies)
{
    /// <summary>The option as a command line has it.</summary>
    public string Word => $"--{Option}={Value}";
}
