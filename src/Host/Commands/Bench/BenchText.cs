using System.Globalization;

namespace Gradpath.Host.Commands;

/// <summary>Times and rates in words.</summary>
internal static class BenchText
{
    /// <summary>A time with its unit.</summary>
    /// <param name="seconds">The time.</param>
    public static string Time(double seconds) => seconds switch
    {
        < 1e-3 => string.Create(CultureInfo.InvariantCulture, $"{seconds * 1e6:F1} us"),
        < 1 => string.Create(CultureInfo.InvariantCulture, $"{seconds * 1e3:F2} ms"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{seconds:F2} s"),
    };

    /// <summary>A rate in billions a second.</summary>
    /// <param name="perSecond">The rate.</param>
    public static string Rate(double perSecond) =>
        perSecond == 0 ? "-" : (perSecond / 1e9).ToString(perSecond < 1e10 ? "F2" : "F0", CultureInfo.InvariantCulture);
}
