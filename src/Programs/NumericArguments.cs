using System.Globalization;
using System.Numerics;
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
            if (Find(options, parts[0]) is not var (option, type)) continue;
            if (parts.Length == 2)
            {
                CheckValue(option, Scalar(type), parts[1]);
                continue;
            }

            // A list without '=' takes the words up to the next option.
            int most = IsList(type) ? int.MaxValue : 1;
            for (int taken = 0; taken < most && i + 1 < args.Count && !args[i + 1].StartsWith("--", StringComparison.Ordinal); taken++)
                CheckValue(option, Scalar(type), args[++i]);
        }
    }

    private static (OptionAttribute Option, Type Type)? Find(Type options, string name)
    {
        foreach (PropertyInfo property in options.GetProperties())
        {
            if (property.GetCustomAttribute<OptionAttribute>() is { } option && option.LongName == name)
                return IsNumber(Scalar(property.PropertyType)) ? (option, property.PropertyType) : null;
        }
        return null;
    }

    private static bool IsList(Type type) => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IEnumerable<>);

    private static Type Scalar(Type type)
    {
        Type element = IsList(type) ? type.GetGenericArguments()[0] : type;
        return Nullable.GetUnderlyingType(element) ?? element;
    }

    private static bool IsNumber(Type type) =>
        type == typeof(int) || type == typeof(ulong) || type == typeof(float) || type == typeof(double);

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
        if (!BigInteger.TryParse(word, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out BigInteger whole))
            return $"'{word}' is not a whole number; {Plain}";
        BigInteger least = type == typeof(int) ? int.MinValue : ulong.MinValue, most = type == typeof(int) ? int.MaxValue : ulong.MaxValue;
        return whole < least ? $"must be at least {least}." : whole > most ? $"must be at most {most}." : null;
    }
}
