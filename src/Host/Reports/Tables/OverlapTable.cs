using Gradpath.Gpt2Runtime.Evaluation;

namespace Gradpath.Host.Reports.Tables;

/// <summary>How far two circuits agree, as a table.</summary>
internal static class OverlapTable
{
    /// <summary>A row for edges and one for nodes.</summary>
    public static ReportTable Of(GroundTruthOverlap overlap) =>
        ReportTable.Of("overlap", new[] { ("edges", overlap.Edges), ("nodes", overlap.Nodes) })
            .Text("", "of", r => r.Item1)
            .Count("found", "found", r => r.Item2.Found)
            .Count("wanted", "wanted", r => r.Item2.Wanted)
            .Count("shared", "shared", r => r.Item2.Shared)
            .Ratio("precision", "precision", r => r.Item2.Precision)
            .Ratio("recall", "recall", r => r.Item2.Recall)
            .Ratio("F1", "f1", r => r.Item2.F1)
            .Ratio("Jaccard", "jaccard", r => r.Item2.Jaccard);
}
