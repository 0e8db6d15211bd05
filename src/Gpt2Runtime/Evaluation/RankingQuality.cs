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
        scores.RequireFinite();
        (int Row, int Column)[] edges =
        [
            .. EdgeUniverse.Of(scores.Graph, truth, withoutMlps: false).Edges
                .Where(e => undecided is null || !undecided.Contains(e.Row, e.Column)),
        ];
        float[] strengths = Array.ConvertAll(edges, e => -MathF.Abs(scores[e.Row, e.Column]));
        bool[] isTrue = Array.ConvertAll(edges, e => truth.Contains(e.Row, e.Column));
        Array.Sort(strengths, isTrue);
        int positives = isTrue.Count(t => t);
        int negatives = RocCurve.RequireBoth(positives, edges.Length);

        long doubledArea = 0;
        double precision = 0;
        int found = 0, wrong = 0;
        for (int i = 0; i < strengths.Length;)
        {
            (int foundBefore, int wrongBefore) = (found, wrong);
            float strength = strengths[i];
            for (; i < strengths.Length && strengths[i] == strength; i++)
            {
                if (isTrue[i]) found++;
                else wrong++;
            }
            doubledArea += (long)(wrong - wrongBefore) * (found + foundBefore);
            precision += (found - foundBefore) * ((double)found / (found + wrong));
        }
        return new RankingQuality(doubledArea / (2.0 * positives * negatives), precision / positives, positives, negatives);
    }
}
