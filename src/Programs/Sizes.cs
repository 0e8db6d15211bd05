using System.Globalization;
using Gradpath.Gpt2Runtime.Runs;

namespace Gradpath.Programs;

/// <summary>Numbers as people read them.</summary>
internal static class Sizes
{
    private static readonly string[] s_units = ["bytes", "KiB", "MiB", "GiB", "TiB"];

    /// <summary>A number of bytes: <c>474.7 MiB</c>.</summary>
    public static string Bytes(long bytes)
    {
        double value = bytes;
        int unit = 0;
        for (; value >= 1024 && unit < s_units.Length - 1; unit++) value /= 1024;
        return $"{value.ToString(unit == 0 ? "0" : "0.0", CultureInfo.InvariantCulture)} {s_units[unit]}";
    }

    /// <summary>A size that a user gives: <c>800MiB</c>, <c>6GiB</c>, <c>6G</c> (all powers of 1024), or bytes.</summary>
    /// <param name="option">The option, for messages.</param>
    /// <param name="text">The value.</param>
    /// <returns>Bytes, above 0.</returns>
    /// <exception cref="UsageException">It is no size.</exception>
    public static long Parse(string option, string text)
    {
        string number = text.TrimEnd("BbiI".ToCharArray());
        int unit = number.Length == 0 ? -1 : char.ToUpperInvariant(number[^1]) switch { 'K' => 1, 'M' => 2, 'G' => 3, 'T' => 4, _ => 0 };
        if (unit > 0) number = number[..^1];
        if (unit >= 0 && double.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double value))
        {
            double bytes = value * Math.Pow(1024, unit);
            if (bytes is >= 1 and < long.MaxValue) return (long)bytes;
        }
        throw new UsageException($"--{option} {text}: give a size such as 800MiB or 6GiB.");
    }

    /// <summary>How a run was cut into batches, in a line.</summary>
    public static string Plan(BatchSummary plan)
    {
        string shared = plan.SharedPositions == 0 ? "" : $", {Count(plan.SharedPositions)} more before the first difference run once";
        return $"plan: {Of(plan.Batches, "batch", "batches")} of up to {Of(plan.Size, "pair")}, {Of(plan.Positions, "position")}{shared}; "
            + $"workspaces {Bytes(plan.PlannedBytes)} of {Bytes(plan.Budget)}";
    }

    /// <summary>A number as a table shows it; a dash where it is not one.</summary>
    public static string Number(double value) => Math.Abs(value) switch
    {
        double.NaN => "-",
        0 => "0",
        < 1e-3 or >= 1e6 => Fixed(value, "0.000e+00"),
        _ => Fixed(value, "0.0000"),
    };

    /// <summary>A ratio to three decimals; a dash where there is none.</summary>
    public static string Ratio(double value) => double.IsNaN(value) ? "-" : Fixed(value, "0.000");

    /// <summary>A share in percent; a dash where there is none.</summary>
    public static string Percent(double share) => double.IsNaN(share) ? "-" : Fixed(share, "0.0 %");

    /// <summary>A number with the decimals of a format; one that rounds to 0 has no minus sign.</summary>
    /// <param name="value">The number.</param>
    /// <param name="format">A format of one section, such as <c>0.00</c>.</param>
    public static string Fixed(double value, string format)
    {
        string text = value.ToString(format, CultureInfo.InvariantCulture);
        return text.StartsWith("-0", StringComparison.Ordinal) && !text.AsSpan().ContainsAnyInRange('1', '9') ? text[1..] : text;
    }

    /// <summary>A time in seconds: <c>1.2 s</c>.</summary>
    public static string Seconds(double seconds) =>
        seconds.ToString(seconds < 10 ? "0.00 s" : "0.0 s", CultureInfo.InvariantCulture);

    /// <summary>A number of things: <c>1 prompt pair</c>, <c>1,024 prompt pairs</c>.</summary>
    /// <param name="count">How many.</param>
    /// <param name="thing">What one is called.</param>
    /// <param name="things">What several are called, where that is not the same with an s.</param>
    public static string Of(long count, string thing, string? things = null) =>
        $"{Count(count)} {(count == 1 ? thing : things ?? thing + "s")}";

    /// <summary>A count with separators: <c>124,439,808</c>.</summary>
    public static string Count(long count) => count.ToString("N0", CultureInfo.InvariantCulture);
}
