using System.Globalization;
using System.Text.RegularExpressions;

namespace Gradpath.Host.Sweeps.Engines;

/// <summary>Times as Slurm writes them: <c>90</c> and <c>90:30</c> are minutes with and without seconds, <c>2:00:00</c> hours, <c>1-12</c>
/// and what may follow it days with hours. Only the first number may be any: minutes and seconds behind another go to 59, hours behind days
/// to 23.</summary>
internal static partial class SlurmTime
{
    private const int MostMinutes = 59;
    private const int MostHours = 23;

    /// <summary>Reads a time.</summary>
    /// <param name="text">The time.</param>
    /// <returns>What it says; null where it is none.</returns>
    public static TimeSpan? Parse(string text)
    {
        Match match = Form().Match(text);
        if (!match.Success) return null;
        int[] parts = [.. match.Groups["part"].Captures.Select(c => Number(c.ValueSpan))];
        bool days = match.Groups["days"].Success;
        int At(int i) => i < parts.Length ? parts[i] : 0;
        if (parts.Skip(1).Any(p => p > MostMinutes) || (days && parts[0] > MostHours)) return null;
        return days ? new TimeSpan(Number(match.Groups["days"].ValueSpan), At(0), At(1), At(2))
            : parts.Length == 3 ? new TimeSpan(parts[0], parts[1], parts[2])
            : new TimeSpan(0, parts[0], At(1));
    }

    /// <summary>Whether a time is one of Slurm's words for no limit.</summary>
    /// <param name="text">The time.</param>
    public static bool IsUnlimited(string text) =>
        text.Equals("unlimited", StringComparison.OrdinalIgnoreCase) || text.Equals("infinite", StringComparison.OrdinalIgnoreCase);

    private static int Number(ReadOnlySpan<char> digits) => int.Parse(digits, NumberStyles.None, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"\A((?<days>[0-9]{1,5})-)?(?<part>[0-9]{1,7})(:(?<part>[0-9]{2})){0,2}\z", RegexOptions.ExplicitCapture)]
    private static partial Regex Form();
}
