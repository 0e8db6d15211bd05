using Gradpath.Gpt2Runtime;

namespace Gradpath.Programs;

/// <summary>The names that the command line and result files use for the values of an enumeration: <c>EapIg</c> is <c>eap-ig</c>.</summary>
internal static class EnumNames
{
    /// <summary>The name of a value.</summary>
    public static string Of(Enum value) => CanonicalNames.Of(value);

    /// <summary>All names of an enumeration, for messages and help.</summary>
    public static IEnumerable<string> All<T>()
        where T : struct, Enum => Enum.GetValues<T>().Select(v => Of(v));

    /// <summary>The value of an option.</summary>
    /// <param name="option">The option without its dashes.</param>
    /// <param name="text">Its value.</param>
    /// <param name="offers">Which values a message names; null for all.</param>
    /// <exception cref="UsageException">There is no such value; the message lists those there are.</exception>
    public static T Parse<T>(string option, string text, Func<T, bool>? offers = null)
        where T : struct, Enum
    {
        foreach (T value in Enum.GetValues<T>())
        {
            if (TableNames.Same(text, Of(value)) || TableNames.Same(text, value.ToString())) return value;
        }
        string[] names = [.. Enum.GetValues<T>().Where(v => offers?.Invoke(v) ?? true).Select(v => Of(v))];
        throw new UsageException($"--{option} {text}: {TableNames.Unknown("value", text, names)}.");
    }

    /// <summary>The one of some names that an option's value means.</summary>
    /// <exception cref="UsageException">It means none; the message lists those there are.</exception>
    public static string Pick(string option, string text, params string[] names) => names.FirstOrDefault(n => TableNames.Same(text, n))
        ?? throw new UsageException($"--{option} {text}: {TableNames.Unknown("value", text, names)}.");

    /// <summary>Names as a sentence has them: a, b or c.</summary>
    public static string Choice(IEnumerable<string> names) => CanonicalNames.Choice(names);
}
