using Gradpath.Gpt2Runtime;

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
    /// <returns>Options with values and variables. One that does not go with the device that was named is left out.</returns>
    public static IReadOnlyList<(string Option, string Value, string Variable)> For(
        IReadOnlyList<string> args, Type options, Func<string, string?> variable)
    {
        Dictionary<string, string?> given = [];
        foreach (OptionWords words in OptionWords.Of(args, options)) given.TryAdd(words.Name, words.Value);
        List<(string Option, string Value, string Variable)> found = [];
        foreach ((string option, string name) in Table)
        {
            if (given.ContainsKey(option) || OptionWords.Find(options, option) is null) continue;
            if (variable(name) is { Length: > 0 } value) found.Add((option, value, name));
        }
        string device = given.GetValueOrDefault(Device) ?? found.FirstOrDefault(f => f.Option == Device).Value ?? "auto";
        bool cpu = TableNames.Same(device, "cpu"), gpu = device.StartsWith("cuda", StringComparison.OrdinalIgnoreCase);
        found.RemoveAll(f => (f.Option == "threads" && !cpu) || (f.Option is "precision" or "gemm" && !gpu));
        return found;
    }
}
