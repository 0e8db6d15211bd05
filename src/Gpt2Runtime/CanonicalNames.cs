using System.Reflection;
using System.Text;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime;

/// <summary>
/// The names that files and command lines use for the values of an enumeration: the identifier in lower case with dashes, so that
/// <c>MeanPositional</c> is <c>mean-positional</c>, or what <see cref="CanonicalNameAttribute"/> says.
/// </summary>
internal static class CanonicalNames
{
    // Those of the compute library, which knows no names of files.
    private static readonly Dictionary<Enum, string> OfKernels =
        new() { [MatrixPrecision.Float32] = "fp32", [MatrixPrecision.BFloat16] = "bf16" };

    /// <summary>The name of a value.</summary>
    /// <param name="value">The value.</param>
    /// <returns>Its name.</returns>
    public static string Of(Enum value)
    {
        if (OfKernels.TryGetValue(value, out string? name)) return name;
        string identifier = value.ToString();
        return value.GetType().GetField(identifier)?.GetCustomAttribute<CanonicalNameAttribute>()?.Name ?? Kebab(identifier);
    }

    /// <summary>An identifier in lower case with dashes.</summary>
    /// <param name="identifier">Such as <c>BatchSize</c>.</param>
    /// <returns>Such as <c>batch-size</c>.</returns>
    public static string Kebab(string identifier)
    {
        var name = new StringBuilder();
        foreach (char c in identifier)
        {
            if (char.IsUpper(c) && name.Length > 0) name.Append('-');
            name.Append(char.ToLowerInvariant(c));
        }
        return name.ToString();
    }

    /// <summary>Names as a sentence has them.</summary>
    /// <param name="names">At least one.</param>
    /// <returns>Such as <c>a, b or c</c>.</returns>
    public static string Choice(IEnumerable<string> names)
    {
        string[] all = [.. names];
        return all.Length == 1 ? all[0] : $"{string.Join(", ", all[..^1])} or {all[^1]}";
    }
}
