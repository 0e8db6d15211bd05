namespace Gradpath.Host.Reports.Pictures;

/// <summary>A heat map of a drawing.</summary>
/// <param name="Title">What stands above it.</param>
/// <param name="Value">The value of a row and a column; NaN where there is none.</param>
internal sealed record HeatMapPanel(string Title, Func<int, int, double> Value);
