using System.Globalization;

namespace Gradpath.Programs;

/// <summary>
/// The numbers that an option takes; of a list option, each of its elements. Help states it and the command line is checked by it.
/// </summary>
/// <param name="least">The least.</param>
/// <param name="most">The most.</param>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class RangeAttribute(double least, double most) : Attribute
{
    /// <summary>The least.</summary>
    public double Least { get; } = least;

    /// <summary>The most.</summary>
    public double Most { get; } = most;

    /// <summary>Whether the least itself is too little.</summary>
    public bool AboveLeast { get; init; }

    /// <summary>Whether the most itself is too much.</summary>
    public bool BelowMost { get; init; }

    /// <summary>Whether a number is in it.</summary>
    public bool Has(double value) =>
        (AboveLeast ? value > Least : value >= Least) && (BelowMost ? value < Most : value <= Most);

    /// <summary>In words that follow "must be": <c>from 1 to 100</c>, <c>above 0 and below 1</c>.</summary>
    public override string ToString() => AboveLeast || BelowMost
        ? $"{(AboveLeast ? "above" : "at least")} {Text(Least)} and {(BelowMost ? "below" : "at most")} {Text(Most)}"
        : $"from {Text(Least)} to {Text(Most)}";

    private static string Text(double value) =>
        value.ToString(Math.Abs(value) < 1e15 ? "0.##########" : "0.###e0", CultureInfo.InvariantCulture);
}
