namespace Gradpath.Host.Reports.Pictures;

/// <summary>A line.</summary>
/// <param name="Name">What the legend calls it.</param>
/// <param name="Points">Its points, from left to right.</param>
internal sealed record ChartLine(string Name, IReadOnlyList<ChartPoint> Points)
{
    /// <summary>Which colour, dashes and marks it has, from 0, so that it has the same in several drawings; null for those of its place.
    /// </summary>
    public int? Look { get; init; }
}
