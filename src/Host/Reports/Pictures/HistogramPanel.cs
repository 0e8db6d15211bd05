namespace Gradpath.Host.Reports.Pictures;

/// <summary>One histogram of a drawing.</summary>
/// <param name="Title">What stands above it.</param>
/// <param name="Name">What the values are.</param>
/// <param name="Values">The values, at least one.</param>
/// <param name="Marks">Places that are marked on the axis of values.</param>
internal sealed record HistogramPanel(string Title, string Name, IReadOnlyList<double> Values, IReadOnlyList<double> Marks);
