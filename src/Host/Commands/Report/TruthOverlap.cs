using Gradpath.Gpt2Runtime.Drawing;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Host.Commands;

/// <summary>How well a method finds the edges of a known circuit.</summary>
/// <param name="Method">The method.</param>
/// <param name="Quality">How well its scores tell true edges from others.</param>
/// <param name="Top">The overlap of as many edges of largest |score| as the circuit has.</param>
internal sealed record TruthOverlap(string Method, RankingQuality Quality, SetOverlap Top)
{
    /// <summary>What a page calls it.</summary>
    public string Heading => $"known circuit, {Method}";

    /// <summary>The figures in words.</summary>
    public string Text => $"AUROC {Sizes.Ratio(Quality.Area)}, average precision {Sizes.Ratio(Quality.AveragePrecision)}, "
        + $"{Sizes.Count(Top.Shared)} of {Sizes.Of(Top.Wanted, "edge")} among as many of the largest |score|";

    /// <summary>Compares methods with a circuit.</summary>
    /// <param name="methods">The methods.</param>
    /// <param name="truth">The circuit.</param>
    /// <exception cref="GradpathException">The shapes differ, or there is nothing to tell apart.</exception>
    public static IReadOnlyList<TruthOverlap> Of(IEnumerable<ReportMethod> methods, Circuit truth) =>
    [
        .. methods.Select(m => new TruthOverlap(
            m.Name, RankingQuality.Of(m.Scores, truth),
            GroundTruthOverlap.Compare(CircuitSelection.TopEdges(m.Scores, truth.EdgeCount), truth).Edges)),
    ];

    /// <summary>The figures as a table.</summary>
    /// <param name="overlaps">The figures.</param>
    public static ReportTableOf<TruthOverlap> Table(IReadOnlyList<TruthOverlap> overlaps) => ReportTable.Of("known_circuit", overlaps)
        .Text("method", "method", t => t.Method)
        .Ratio("AUROC", "auroc", t => t.Quality.Area)
        .Ratio("average precision", "average_precision", t => t.Quality.AveragePrecision)
        .Count("found", "shared", t => t.Top.Shared)
        .Count("of", "true_edges", t => t.Top.Wanted);
}
