namespace Gradpath.Gpt2Runtime.Compilation;

/// <summary>
/// A LayerNorm that does nothing, by construction. All that is written to the residual stream is a small unit times its value, so small
/// beside <see cref="Epsilon"/> that the variance hardly counts: a LayerNorm divides by the root of epsilon, and its gain undoes that and
/// the unit. One coordinate, which nothing reads, takes minus what is written to the others, so that the mean is 0.
/// </summary>
internal static class HarmlessNorm
{
    /// <summary>The epsilon of every LayerNorm; its root is a power of two.</summary>
    public const double Epsilon = 0.25;

    /// <summary>The unit for models whose values are about 1: a power of two, so that it costs no precision.</summary>
    public const double Unit = 1.0 / (1 << 12);

    /// <summary>The unit for models whose values are not known: thousands are small beside epsilon still.</summary>
    public const double SmallUnit = 1.0 / (1 << 20);

    /// <summary>The gain that undoes epsilon and the unit.</summary>
    /// <param name="unit">The unit.</param>
    public static double Gain(double unit) => Math.Sqrt(Epsilon) / unit;
}
