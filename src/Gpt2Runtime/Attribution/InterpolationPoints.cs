namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary>Points on the straight line from the corrupted (0) to the clean (1) token embedding.</summary>
/// <param name="Counted">Shares of the clean embedding at which gradients count.</param>
/// <param name="ShowsEnds">Whether a recorded path shows both ends, also where they do not count.</param>
internal sealed record InterpolationPoints(double[] Counted, bool ShowsEnds)
{
    /// <summary>The ends of the line.</summary>
    public static readonly double[] Ends = [0, 1];

    /// <summary>The clean run alone.</summary>
    public static InterpolationPoints Clean { get; } = new([1], ShowsEnds: false);

    /// <summary>Both ends.</summary>
    public static InterpolationPoints BothEnds { get; } = new(Ends, ShowsEnds: true);

    /// <summary>The m points of EAP-IG.</summary>
    /// <param name="settings">Their number and the rule that places them.</param>
    /// <returns>The points.</returns>
    public static InterpolationPoints Line(ScoringSettings settings)
    {
        int m = settings.Steps;
        return new InterpolationPoints(
            [.. Enumerable.Range(0, m).Select(i => settings.IgPoints switch
            {
                IgPoints.Left => (double)i / m,
                IgPoints.Right => (i + 1.0) / m,
                _ => (i + 0.5) / m,
            })],
            ShowsEnds: true);
    }

    /// <summary>All points that are run: those that count first, then those that are only shown.</summary>
    /// <param name="record">Whether the path is recorded.</param>
    /// <returns>Shares of the clean embedding.</returns>
    public double[] Run(bool record) => record && ShowsEnds ? [.. Counted, .. Ends.Except(Counted)] : Counted;
}
