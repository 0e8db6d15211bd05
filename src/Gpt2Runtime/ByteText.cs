using System.Globalization;

namespace Gradpath.Gpt2Runtime;

/// <summary>A number of bytes as messages have it, in the unit that leaves a number from 1 on: 1 KiB is not 0 MiB.</summary>
internal static class ByteText
{
    /// <summary>The text.</summary>
    /// <param name="bytes">The number.</param>
    public static string Of(long bytes) => bytes switch
    {
        < 1 << 10 => string.Create(CultureInfo.InvariantCulture, $"{bytes} bytes"),
        < 1 << 20 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024.0:0.#} KiB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1048576.0:0.#} MiB"),
    };
}
