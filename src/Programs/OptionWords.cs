using System.Reflection;
using CommandLine;

namespace Gradpath.Programs;

/// <summary>The options on a command line with the words behind them, as they were written.</summary>
/// <param name="Property">The property that holds the option.</param>
/// <param name="Name">The option's name without dashes.</param>
/// <param name="Value">Its value; null for a switch, and where none follows.</param>
/// <param name="Next">The word behind the value that belongs to no option; null where there is none.</param>
internal sealed record OptionWords(PropertyInfo Property, string Name, string? Value, string? Next)
{
    /// <summary>The options of a command line that its verb has.</summary>
    /// <param name="args">The command line, its verb included.</param>
    /// <param name="options">The options of the verb.</param>
    public static IEnumerable<OptionWords> Of(IReadOnlyList<string> args, Type options)
    {
        for (int i = 1; i < args.Count && args[i] != "--"; i++)
        {
            if (!args[i].StartsWith("--", StringComparison.Ordinal)) continue;
            string[] parts = args[i][2..].Split('=', 2);
            if (Find(options, parts[0]) is not { } property) continue;
            string? value = parts.Length == 2 ? parts[1] : property.PropertyType == typeof(bool) ? null : Word(args, i + 1);
            if (parts.Length < 2 && value is not null) i++;
            yield return new OptionWords(property, parts[0], value, Word(args, i + 1));
        }
    }

    /// <summary>Refuses an option whose value is missing: <c>--memory=</c>, or an empty word behind it.</summary>
    /// <param name="args">The command line, its verb included.</param>
    /// <param name="options">The options of the verb.</param>
    /// <exception cref="UsageException">An option has no value.</exception>
    public static void RequireValues(IReadOnlyList<string> args, Type options)
    {
        OptionWords? empty = Of(args, options)
            .FirstOrDefault(o => o.Value is "" || (o.Value is null && o.Property.PropertyType != typeof(bool)));
        if (empty is not null)
            throw new UsageException(Valueless(options, empty.Name));
    }

    /// <summary>What is said of an option without its value.</summary>
    /// <param name="options">The options of the verb.</param>
    /// <param name="name">The option without dashes.</param>
    public static string Valueless(Type options, string name) => MetaValue(options, name) is { Length: > 0 } value
        ? $"--{name} needs a value: --{name} {value}."
        : $"--{name} takes no value.";

    /// <summary>What help calls an option's value; empty for a switch.</summary>
    /// <param name="options">The options of the verb.</param>
    /// <param name="name">An option of the verb, without dashes.</param>
    public static string MetaValue(Type options, string name) =>
        Find(options, name)!.GetCustomAttribute<OptionAttribute>()!.MetaValue;

    /// <summary>Whether it is a list, whose values go with commas.</summary>
    public bool IsList => ElementOf(Property) is not null;

    /// <summary>The type of a list's elements; null for another option.</summary>
    public static Type? ElementOf(PropertyInfo property) => property.PropertyType is { IsGenericType: true } type
        && type.GetGenericTypeDefinition() == typeof(IEnumerable<>) ? type.GetGenericArguments()[0] : null;

    /// <summary>All options of a verb, with the properties that hold them.</summary>
    public static IEnumerable<(PropertyInfo Property, OptionAttribute Option)> All(Type options) => options.GetProperties()
        .Select(p => (Property: p, Option: p.GetCustomAttribute<OptionAttribute>())).Where(o => o.Option is not null)
        .Select(o => (o.Property, o.Option!));

    /// <summary>The property of an option; null where there is none of this name.</summary>
    public static PropertyInfo? Find(Type options, string name) => All(options).FirstOrDefault(o => o.Option.LongName == name).Property;

    // A number below zero begins with a dash and is a value.
    private static string? Word(IReadOnlyList<string> args, int i) =>
        i < args.Count && !args[i].StartsWith("--", StringComparison.Ordinal) ? args[i] : null;
}
