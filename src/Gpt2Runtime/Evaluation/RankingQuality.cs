using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Gpt2Runtime.Evaluation;

/// <summary>How well scores tell the edges of a known circuit from the others, edges ranked by |score|.</summary>
/// <param name="Area">The area under the ROC curve: the chance that a true edge has a larger |score| than another one, equal scores
/// counted half.</param>
/// <param name="AveragePrecision">The precision at every threshold, weighed by the share of true edges that come in there. Equal scores
/// come in together, so that no order among them is assumed. Chance gives the share of edges that are true.</param>
/// <param name="TrueEdges">Number of true edges.</param>
/// <param name="OtherEdges">Number of edges that are not; undecided ones count as neither.</param>
internal sealed record RankingQuality(double Area, double AveragePrecision, int TrueEdges, int OtherEdges)
{
    /// <summary>Judges scores.</summary>
    /// <param name="scores">The scores.</param>
    /// <param name="truth">The edges that should have large ones.</param>
    /// <param name="undecided">Edges that are left out; null for none.</param>
    /// <exception cref="GradpathException">The shapes differ, a score is not finite, or there is nothing to tell apart.</exception>
    public static RankingQuality Of(EdgeScores scores, Circuit truth, Circuit? undecided = null)
    {
        RocCurve curve = RocCurve.Of(scores, truth, withoutMlps: false, undecided);
        double precision = 0;
        int before = 0;
        foreach (RocPoint point in curve.Points)
        {
            SetOverlap found = curve.At(point);
            if (found.Shared > before) precision += (found.Shared - before) * found.Precision;
            before = found.Shared;
        }
        return new RankingQuality(curve.Area, precision / curve.Positives, curve.Positives, curve.Negatives);
    }
}
