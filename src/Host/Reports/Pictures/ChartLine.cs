namespace Gradpath.Host.Reports.Pictures;

/// <summary>A line.</summary>
internal sealed record ChartLine(string Name, IReadOnlyList<ChartPoint> Points);
