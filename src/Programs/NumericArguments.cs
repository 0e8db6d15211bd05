using System.Globalization;
using System.Numerics;
using System.Reflection;

namespace Gradpath.Programs;

/// <summary>
/// Numbers on a command line, checked before the parser converts them: it would take the comma of 0,05 for a separator of thousands and
/// read 5. Numbers have '.' as the decimal point and no separators, whatever the language of the machine, and lie in the option's
/// <see cref="RangeAttribute"/>.
/// </summary>
internal static class NumericArguments
{
    private static readonly Type[] s_numbers = [typeof(int), typeof(ulong), typeof(float), typeof(double)];

    private const NumberStyles Fraction = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;

    /// <summary>Checks the numbers of a command line.</summary>
    /// <param name="args">The command line, its verb included.</param>
    /// <param name="options">The options of the verb.</param>
    /// <exception cref="UsageException">The value of a numeric option is not a number that it takes.</exception>
    public static void Check(IReadOnlyList<string> args, Type options)
    {
        foreach (OptionWords option in OptionWords.Of(args, options).Where(o => IsNumeric(o.Property) && o.Value is not null))
        {
            foreach (string word in option.IsList ? option.Value!.Split(',') : [option.Value!])
            {
                if (Fault(Scalar(option.Property), option.Property.GetCustomAttribute<RangeAttribute>(), word) is { } fault)
                    throw new UsageException($"--{option.Name} {option.Value}: {fault}");
            }
        }
    }

    /// <summary>Whether a property holds a number, or several.</summary>
    public static bool IsNumeric(PropertyInfo property) => s_numbers.Contains(Scalar(property));

    private static Type Scalar(PropertyInfo property)
    {
        Type element = OptionWords.ElementOf(property) ?? property.PropertyType;
        return Nullable.GetUnderlyingType(element) ?? element;
    }

    private static string? Fault(Type type, RangeAttribute? range, string word)
    {
        const string Plain = "numbers have '.' as the decimal point and no other separators, as in 0.05 or 1000.";
        if (type == typeof(float) || type == typeof(double))
        {
            bool named = word.Any(c => char.IsLetter(c) && c is not ('e' or 'E'));
            if (named || !double.TryParse(word, Fraction, CultureInfo.InvariantCulture, out double value))
                return $"'{word}' is not a number; {Plain}";
            if (range is not null) return range.Has(value) ? null : $"must be {range}.";
            bool fits = type == typeof(float) ? float.IsFinite((float)value) : double.IsFinite(value);
            return fits ? null : $"'{word}' is too large for a number of {(type == typeof(float) ? 32 : 64)} bits.";
        }
        if (!BigInteger.TryParse(word, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out BigInteger whole))
            return $"'{word}' is not a whole number; {Plain}";
        if (range is not null) return range.Has((double)whole) ? null : $"must be {range}.";
        BigInteger least = type == typeof(int) ? int.MinValue : ulong.MinValue, most = type == typeof(int) ? int.MaxValue : ulong.MaxValue;
        return whole < least ? $"must be at least {least}." : whole > most ? $"must be at most {most}." : null;
    }
}
