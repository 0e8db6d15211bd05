using System.Globalization;
using System.Reflection;
using CommandLine;

namespace Gradpath.Programs;

/// <summary>
/// Numbers on a command line, checked before the parser converts them: it would take the comma of 0,05 for a separator of thousands and
/// read 5. Numbers have '.' as the decimal point and no separators, whatever the language of the machine.
/// </summary>
internal static class NumericArguments
{
    private const NumberStyles Fraction = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;

    /// <summary>Checks the numbers of a command line.</summary>
    /// <param name="args">The command line, its verb included.</param>
    /// <param name="verbs">The options of all verbs. Nothing is checked where the first word is none of these.</param>
    /// <exception cref="UsageException">The value of a numeric option is not a number that it can hold.</exception>
    public static void Check(IReadOnlyList<string> args, IEnumerable<Type> verbs)
    {
        if (args is not [string verb, ..]) return;
        Type? options = verbs.FirstOrDefault(v => v.GetCustomAttribute<VerbAttribute>()?.Name == verb);
        for (int i = 1; options is not null && i < args.Count; i++)
        {
            if (args[i] == "--") return;
            if (!args[i].StartsWith("--", StringComparison.Ordinal)) continue;
            string[] parts = args[i][2..].Split('=', 2);
            if (Find(options, parts[0]) is not var (option, number)) continue;
            bool list = option.Separator != '\0' || typeof(System.Collections.IEnumerable).IsAssignableFrom(number);
            Type type = Scalar(number);
            if (parts.Length == 2)
            {
                CheckValue(option, type, parts[1]);
                continue;
            }

            // A list without '=' takes the words up to the next option.
            int most = list ? int.MaxValue : 1;
            for (int taken = 0; taken < most && i + 1 < args.Count && !args[i + 1].StartsWith("--", StringComparison.Ordinal); taken++)
                CheckValue(option, type, args[++i]);
        }
    }

    private static (OptionAttribute Option, Type Type)? Find(Type options, string name)
    {
        foreach (PropertyInfo property in options.GetProperties())
        {
            if (!IsNumber(Scalar(property.PropertyType))) continue;
            if (property.GetCustomAttribute<OptionAttribute>() is { } option && option.LongName == name)
                return (option, property.PropertyType);
        }
        return null;
    }

    private static Type Scalar(Type type)
    {
        bool list = type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IEnumerable<>);
        Type element = list ? type.GetGenericArguments()[0] : type;
        return Nullable.GetUnderlyingType(element) ?? element;
    }

    private static bool IsNumber(Type type) =>
        type == typeof(int) || type == typeof(long) || type == typeof(ulong) || type == typeof(float) || type == typeof(double);

    private static void CheckValue(OptionAttribute option, Type type, string text)
    {
        foreach (string word in option.Separator == '\0' ? [text] : text.Split(option.Separator))
        {
            if (Fault(type, word) is { } fault) throw new UsageException($"--{option.LongName} {text}: {fault}");
        }
    }

    private static string? Fault(Type type, string word)
    {
        const string Plain = "numbers have '.' as the decimal point and no other separators, as in 0.05 or 1000.";
        if (type == typeof(float) || type == typeof(double))
        {
            bool named = word.Any(c => char.IsLetter(c) && c is not ('e' or 'E'));
            if (named || !double.TryParse(word, Fraction, CultureInfo.InvariantCulture, out double value))
                return $"'{word}' is not a number; {Plain}";
            return double.IsFinite(value) && (type == typeof(double) || float.IsFinite((float)value)) ? null : $"'{word}' is too large.";
        }
        const NumberStyles Whole = NumberStyles.AllowLeadingSign;
        if (!Int128.TryParse(word, Whole, CultureInfo.InvariantCulture, out Int128 number))
            return word.Length > 0 && word.TrimStart('+', '-').All(char.IsAsciiDigit) && word.Any(char.IsAsciiDigit)
                ? $"'{word}' is too large."
                : $"'{word}' is not a whole number; {Plain}";
        (Int128 least, Int128 most) = type == typeof(int) ? (int.MinValue, int.MaxValue)
            : type == typeof(long) ? (long.MinValue, long.MaxValue)
            : ((Int128)0, (Int128)ulong.MaxValue);
        return number < least ? $"must be at least {least}." : number > most ? $"must be at most {most}." : null;
    }
}
