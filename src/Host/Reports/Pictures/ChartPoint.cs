namespace Gradpath.Host.Reports.Pictures;

/// <summary>
/// A point of a line, in the units of the axes; with <paramref name="Low"/> and <paramref name="High"/> a band is drawn around it.
/// </summary>
internal readonly record struct ChartPoint(double X, double Y, double Low = double.NaN, double High = double.NaN);
