using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Host.Reports.Pictures;

namespace Gradpath.Host.Commands;

/// <summary>How random circuits are distributed, with the circuit marked, as an SVG drawing: a histogram per test.</summary>
internal static class TestCircuitPicture
{
    /// <summary>The drawing.</summary>
    /// <param name="tests">Tests of which one draws circuits at least.</param>
    /// <param name="title">Its name for screen readers.</param>
    public static string Draw(CircuitTests tests, string title) =>
        Histogram.Draw(title, [.. Distribution.Of(tests).Select(d => Panel(d, tests.Results.First(r => r.Kind == d.Test)))]);

    private static HistogramPanel Panel(Distribution d, CircuitTestResult result)
    {
        string test = $"{EnumNames.Of(d.Test)}, p = {Sizes.Number(result.PValue)}";
        return d.Test == CircuitTestKind.Minimality
            ? new HistogramPanel($"{test}: marks are the circuit's edges, bars random edges added to it", d.Name, d.Values, d.Own)
            : new HistogramPanel($"{test}: the mark is the circuit, bars random circuits of its size", d.Name, d.Values, d.Own);
    }
}
