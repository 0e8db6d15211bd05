using System.Text;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Kernels;

namespace Gradpath.Programs;

/// <summary>The names that the command line and result files use for the values of an enumeration: <c>EapIg</c> is <c>eap-ig</c>.</summary>
internal static class EnumNames
{
    // The names that do not follow from the identifier.
    private static readonly Dictionary<Enum, string> s_special = new()
    {
        [TaskMetric.LogitDifference] = "logit-diff",
        [TaskMetric.ProbabilityDifference] = "prob-diff",
        [TaskMetric.KlDivergence] = "kl",
        [PathStep.Unit] = "1",
        [MatrixPrecision.Float32] = "fp32",
        [MatrixPrecision.BFloat16] = "bf16",
    };

    /// <summary>The name of a value.</summary>
    public static string Of(Enum value) => s_special.TryGetValue(value, out string? name) ? name : Kebab(value.ToString());

    /// <summary>All names of an enumeration, for messages and help.</summary>
    public static IEnumerable<string> All<T>()
        where T : struct, Enum => Enum.GetValues<T>().Select(v => Of(v));

    /// <summary>The value of an option.</summary>
    /// <exception cref="UsageException">There is no such value; the message lists those there are.</exception>
    public static T Parse<T>(string option, string text)
        where T : struct, Enum
    {
        foreach (T value in Enum.GetValues<T>())
        {
            if (string.Equals(Of(value), text, StringComparison.OrdinalIgnoreCase)) return value;
        }
        throw new UsageException($"--{option} {text}: no such value; choose {Choice(All<T>())}.");
    }

    /// <summary>Names as a sentence has them: a, b or c.</summary>
    public static string Choice(IEnumerable<string> names)
    {
        string[] all = [.. names];
        return all.Length == 1 ? all[0] : $"{string.Join(", ", all[..^1])} or {all[^1]}";
    }

    private static string Kebab(string identifier)
    {
        StringBuilder name = new();
        foreach (char c in identifier)
        {
            if (char.IsUpper(c) && name.Length > 0) name.Append('-');
            name.Append(char.ToLowerInvariant(c));
        }
        return name.ToString();
    }
}
