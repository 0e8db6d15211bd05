namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>How strong senders are followed backwards.</summary>
public sealed record PathTracingOptions
{
    /// <summary>Most rounds; the first one asks for the given receivers.</summary>
    public int Rounds { get; init; } = 4;

    /// <summary>
    /// Senders are followed whose effect is at least this share of the clean metric, in either direction; null where <see cref="Top"/>
    /// decides.
    /// </summary>
    public double? Threshold { get; init; } = 0.05;

    /// <summary>The number of strongest pairs of a sender and the kind of input it reaches that are followed per round, or null.</summary>
    public int? Top { get; init; }
}
