using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Gpt2Runtime.Evaluation;

/// <summary>
/// The receiver operating characteristic of scores against a ground truth: edges with |score| at or above a threshold count as found, for
/// every distinct |score| in turn. Equal scores enter together, so no order among them is assumed.
/// </summary>
/// <param name="Points">From (0, 0) to (1, 1), by falling threshold.</param>
/// <param name="Area">The area under the curve (trapezoids): the chance that an edge of the ground truth has a larger |score| than
/// another one, equal scores counted half.</param>
/// <param name="Positives">Number of edges of the ground truth.</param>
/// <param name="Negatives">Number of other edges.</param>
public sealed record RocCurve(IReadOnlyList<RocPoint> Points, double Area, int Positives, int Negatives)
{
    /// <summary>The curve of a set of scores.</summary>
    /// <param name="scores">The scores.</param>
    /// <param name="truth">The edges that should have large ones.</param>
    /// <param name="withoutMlps">Leave MLPs out, with all their edges.</param>
    /// <returns>The curve.</returns>
    /// <exception cref="GradpathException">The shapes differ, a score is not finite, or the ground truth has none or all of the
    /// edges.</exception>
    public static RocCurve Of(EdgeScores scores, Circuit truth, bool withoutMlps = false)
    {
        ArgumentNullException.ThrowIfNull(scores);
        ArgumentNullException.ThrowIfNull(truth);
        return Of(scores, truth, withoutMlps, null);
    }

    /// <inheritdoc cref="Of(EdgeScores, Circuit, bool)" />
    /// <param name="scores">The scores.</param>
    /// <param name="truth">The edges that should have large ones.</param>
    /// <param name="withoutMlps">Leave MLPs out, with all their edges.</param>
    /// <param name="undecided">Edges that are left out besides; null for none.</param>
    internal static RocCurve Of(EdgeScores scores, Circuit truth, bool withoutMlps, Circuit? undecided)
    {
        scores.RequireFinite();
        (int Row, int Column)[] edges =
        [
            .. EdgeUniverse.Of(scores.Graph, truth, withoutMlps).Edges
                .Where(e => undecided is null || !undecided.Contains(e.Row, e.Column)),
        ];
        float[] strengths = Array.ConvertAll(edges, e => -MathF.Abs(scores[e.Row, e.Column]));
        bool[] isTrue = Array.ConvertAll(edges, e => truth.Contains(e.Row, e.Column));
        Array.Sort(strengths, isTrue);
        int positives = isTrue.Count(t => t);
        int negatives = RequireBoth(positives, edges.Length);

        List<RocPoint> points = [new(0, 0, double.PositiveInfinity)];
        long doubledArea = 0;
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
            points.Add(new RocPoint((double)wrong / negatives, (double)found / positives, -strength));
        }
        return new RocCurve(points, doubledArea / (2.0 * positives * negatives), positives, negatives);
    }

    /// <summary>How the edges found at a point agree with the ground truth.</summary>
    /// <param name="point">One of <see cref="Points"/>.</param>
    /// <returns>The overlap.</returns>
    public SetOverlap At(RocPoint point)
    {
        int shared = (int)Math.Round(point.TruePositiveRate * Positives);
        return new SetOverlap(shared, shared + (int)Math.Round(point.FalsePositiveRate * Negatives), Positives);
    }

    /// <summary>
    /// The area under the pessimistic staircase through points that need not lie on one curve, as separate circuits give them (Conmy et al.
    /// 2023): (0, 0) and (1, 1) are added; a point is dropped where another has both a smaller false and a larger true positive rate; with
    /// the rest sorted by false, then true positive rate, the area is the sum of (1 - FPR[i+1]) (TPR[i+1] - TPR[i]).
    /// </summary>
    /// <param name="points">The points, in any order.</param>
    /// <returns>0 to 1.</returns>
    /// <exception cref="ArgumentException">A rate is not between 0 and 1.</exception>
    public static double StaircaseArea(IEnumerable<RocPoint> points)
    {
        ArgumentNullException.ThrowIfNull(points);
        RocPoint[] all = [new(0, 0, double.NaN), .. points, new(1, 1, double.NaN)];
        if (Array.Exists(all, p => !(p.FalsePositiveRate is >= 0 and <= 1 && p.TruePositiveRate is >= 0 and <= 1)))
            throw new ArgumentException("rates are numbers from 0 to 1", nameof(points));
        RocPoint[] best = [.. all
            .Where(p => !Array.Exists(all, o => o.FalsePositiveRate < p.FalsePositiveRate && o.TruePositiveRate > p.TruePositiveRate))
            .OrderBy(p => p.FalsePositiveRate).ThenBy(p => p.TruePositiveRate)];
        double area = 0;
        for (int i = 1; i < best.Length; i++)
            area += (1 - best[i].FalsePositiveRate) * (best[i].TruePositiveRate - best[i - 1].TruePositiveRate);
        return area;
    }

    /// <summary>Refuses a ground truth that leaves nothing to tell apart.</summary>
    /// <returns>The number of edges outside it.</returns>
    internal static int RequireBoth(int positives, int edges) => positives > 0 && positives < edges
        ? edges - positives
        : throw new GradpathException($"the circuit to compare with has {positives} of {edges} edges: there is nothing to tell apart.");
}
