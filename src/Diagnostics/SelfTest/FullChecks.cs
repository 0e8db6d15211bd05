using Gradpath.Gpt2Runtime.Attribution;

namespace Gradpath.Diagnostics.SelfTest;

/// <summary>A model of GPT-2's shape, scored on the device under test, against the scores of the CPU.</summary>
internal static class FullChecks
{
    /// <summary>The name of a method's check.</summary>
    /// <param name="method">The method.</param>
    public static string NameOf(AttributionMethod method) => $"gpt2 {method.Name}";

    /// <summary>Scores by a method and compares.</summary>
    /// <param name="model">The model on the device under test.</param>
    /// <param name="method">The method.</param>
    /// <param name="expected">The CPU's scores.</param>
    /// <param name="cancellation">Stops it.</param>
    public static ComparisonLine Compare(
        ScoredModel model, AttributionMethod method, CpuScores expected, CancellationToken cancellation)
    {
        float[] actual = model.Score(method, null, cancellation), trusted = expected.Edges[method.Name];
        ScoreAgreement agreement = ScoreAgreement.Of(trusted, actual);
        ScoreBounds bounds = ScoreBounds.Of(method, model.Weights.Device.Precision, model.Graph.Layers);
        return new ComparisonLine(
            NameOf(method), actual.Length, agreement.Error, bounds.Error, agreement.Fault(bounds, model.Graph, trusted, actual))
        {
            Agreement = agreement,
        };
    }
}
