using System.Globalization;

namespace Gradpath.Programs;

/// <summary>Lists on a command line: their items go with commas, none is empty and none appears twice.</summary>
internal static class ListArguments
{
    /// <summary>Checks the lists of a command line.</summary>
    /// <param name="args">The command line, its verb included.</param>
    /// <param name="options">The options of the verb.</param>
    /// <exception cref="UsageException">A list is written otherwise.</exception>
    public static void Check(IReadOnlyList<string> args, Type options)
    {
        foreach (OptionWords option in OptionWords.Of(args, options).Where(o => o.IsList && o.Value is not null))
        {
            (string name, string value) = (option.Name, option.Value!);
            if (option.Next is { } next)
                throw new UsageException($"--{name} {value} {next}: several values go with commas and no spaces: --{name} {value},{next}.");
            string[] items = value.Split(',');
            if (items.Any(string.IsNullOrWhiteSpace)) throw new UsageException($"--{name} {value}: an item between commas is empty.");
            if (items.GroupBy(Same).FirstOrDefault(g => g.Count() > 1) is { } twice)
                throw new UsageException($"--{name} {value}: {twice.First()} appears twice.");
        }
    }

    // 0.9 and 0.90 are one number.
    private static string Same(string item) =>
        double.TryParse(item, NumberStyles.Float, CultureInfo.InvariantCulture, out double number)
            ? number.ToString("R", CultureInfo.InvariantCulture)
            : item;
}
