using Gradpath.Gpt2Runtime.Runs;
using MathNet.Numerics.Statistics;

namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary>
/// Ensembles of methods: the members score all prompts, each as it would alone, and the ranks of their scores over the edges are combined.
/// The size of an ensemble's score is what <see cref="EnsembleRule"/> says. Its sign is that of the sum of the scores of those members that
/// have signs, each divided by the member's own largest magnitude; 0 counts as positive. So selecting by |score| takes the edges that rank
/// high, and selecting by score those of them whose corruption hurts by the members' joint judgement.
/// </summary>
public static class Ensemble
{
    private const string Name = "ensemble";

    /// <summary>An ensemble as a method. It reads the options that a member reads, but records no path.</summary>
    /// <param name="members">At least two methods of the table, none of them twice, none of them an ensemble.</param>
    /// <param name="rule">How ranks are combined.</param>
    /// <returns>The method.</returns>
    /// <exception cref="OptionException">The members make no ensemble.</exception>
    public static AttributionMethod Of(IReadOnlyList<AttributionMethod> members, EnsembleRule rule = EnsembleRule.MeanRank)
    {
        ArgumentNullException.ThrowIfNull(members);
        if (members.FirstOrDefault(m => m.Members.Count > 0) is { } nested)
            throw new OptionException($"{Terms.EnsembleMembers.With(nested)}: an ensemble is no member of another");
        string names = string.Join(',', members);
        if (members.Count < 2) throw new OptionException($"{Terms.EnsembleMembers.With(names)}: an ensemble has at least two members");
        if (members.GroupBy(m => m.Name).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw new OptionException($"{Terms.EnsembleMembers.With(names)}: {twice.Key} appears twice");
        MethodSettings settings = members.Aggregate(MethodSettings.None, (all, m) => all | m.Settings) & ~MethodSettings.RecordPath;
        return new AttributionMethod(
            Name, Name, [], settings,
            points: "what its members, other methods, do; their scores' ranks are combined",
            passes: "those of its members",
            meaning: $"the {Describe(rule)} of the ranks that {string.Join(", ", members)} give the edge (0 to 1)",
            new MethodWork
            {
                Scorer = (run, s) => new EnsembleScores(run, s),
                Passes = s => Passes(members, s),
                SharesPrefixes = s => members.All(m => m.Work.SharesPrefixes(s)),
                NeedsFileOrder = s => members.Any(m => m.Work.NeedsFileOrder(s)),
                Unsigned = !members.Any(m => m.HasSign),

                // Ranks of a member whose scores are 0 but for rounding are noise.
                OnlyAtClean = members.Any(m => m.Work.OnlyAtClean),
            })
        {
            Members = members,
            Rule = rule,
            Saves = members.Any(m => m.Saves),
            ReadsCorrupted = members.Any(m => m.ReadsCorrupted),
        };
    }

    /// <summary>The ranks of scores by their size.</summary>
    /// <param name="scores">The scores of all edges; finite.</param>
    /// <returns>Per score its rank as <see cref="EnsembleRule"/> states it.</returns>
    internal static double[] Ranks(ReadOnlySpan<float> scores)
    {
        var sizes = new double[scores.Length];
        for (int i = 0; i < sizes.Length; i++) sizes[i] = Math.Abs(scores[i]);
        double[] ranks = ArrayStatistics.RanksInplace(sizes, RankDefinition.Average);
        for (int i = 0; i < ranks.Length; i++) ranks[i] /= ranks.Length;
        return ranks;
    }

    /// <summary>Combines the scores of members.</summary>
    /// <param name="rule">How ranks are combined.</param>
    /// <param name="members">Per member the scores of all edges, and whether they have a sign.</param>
    /// <returns>The ensemble's scores of the edges.</returns>
    internal static double[] Combine(EnsembleRule rule, IReadOnlyList<(float[] Scores, bool HasSign)> members)
    {
        double[][] ranks = [.. members.Select(m => Ranks(m.Scores))];
        (float[] Scores, double Scale)[] signed =
            [.. members.Where(m => m.HasSign).Select(m => (m.Scores, Scale: (double)m.Scores.Max(MathF.Abs))).Where(m => m.Scale > 0)];
        var combined = new double[ranks[0].Length];
        for (int i = 0; i < combined.Length; i++)
        {
            IEnumerable<double> own = ranks.Select(r => r[i]);
            double size = rule switch
            {
                EnsembleRule.Min => own.Min(),
                EnsembleRule.Max => own.Max(),
                EnsembleRule.Product => own.Aggregate(1.0, (product, rank) => product * rank),
                _ => own.Average(),
            };
            combined[i] = signed.Sum(m => m.Scores[i] / m.Scale) < 0 ? -size : size;
        }
        return combined;
    }

    /// <summary>Refuses an ablation that a member does not know: its scores would be of another.</summary>
    /// <param name="method">The method.</param>
    /// <param name="ablation">The ablation.</param>
    /// <exception cref="OptionException">A member of the method knows patching alone.</exception>
    internal static void RequireAblation(AttributionMethod method, Ablation ablation)
    {
        if (ablation == Ablation.Patching) return;
        AttributionMethod? other = method.Members.FirstOrDefault(m => m.ReadsCorrupted && !m.Takes(MethodSettings.Ablation));
        if (other is null) return;
        string takers = CanonicalNames.Choice(
            AttributionMethods.All.Where(m => m.Members.Count == 0 && m.Takes(MethodSettings.Ablation)).Select(m => m.Name));
        throw new OptionException(
            $"{Terms.Ablation.With(ablation)} does not apply to the member {other}; {takers} take it ({Terms.EnsembleMembers})");
    }

    private static string Describe(EnsembleRule rule) => rule switch
    {
        EnsembleRule.Min => "lowest",
        EnsembleRule.Max => "highest",
        EnsembleRule.Product => "product",
        _ => "mean",
    };

    private static PassCounts? Passes(IReadOnlyList<AttributionMethod> members, ScoringSettings settings)
    {
        PassCounts sum = new(0, 0);
        foreach (AttributionMethod member in members)
        {
            if (member.Work.Passes(settings) is not { } own) return null;
            sum = new PassCounts(sum.Forward + own.Forward, sum.Backward + own.Backward);
        }
        return sum;
    }
}
