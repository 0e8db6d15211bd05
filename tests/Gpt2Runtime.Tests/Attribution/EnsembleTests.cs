using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Tests.Attribution;

/// <summary>What ensembles make of their members' scores.</summary>
public sealed class EnsembleTests
{
    [Fact]
    public void Ranks_are_shares_of_the_edges_and_ties_share_theirs()
    {
        Assert.Equal([0.5, 1, 0.125, 0.75, 0.3125, 0.3125, 0.875, 0.625], Ensemble.Ranks([2, -9, 0, 4, 1, -1, 5, -3]));
        Assert.Equal([0.5, 0.5, 0.5, 1], Ensemble.Ranks([0, 0, 0, 5]));
        Assert.Equal([1.0], Ensemble.Ranks([0]));
    }

    /// <summary>Ranks of the first member: 1/4, 1/2, 3/4, 1; of the second: 1, 3/4, 1/2, 1/4.</summary>
    [Theory]
    [InlineData(EnsembleRule.MeanRank, 0.625, -0.625, 0.625, -0.625)]
    [InlineData(EnsembleRule.Min, 0.25, -0.5, 0.5, -0.25)]
    [InlineData(EnsembleRule.Max, 1.0, -0.75, 0.75, -1.0)]
    [InlineData(EnsembleRule.Product, 0.25, -0.375, 0.375, -0.25)]
    public void Rules_combine_ranks_and_the_sign_is_that_of_the_joint_scores(EnsembleRule rule, params double[] expected)
    {
        // In units of each member's largest: 0.1 + 1, -0.2 + 0.1, 0.3 + 0.05, -1 - 0.01.
        float[] first = [0.1f, -0.2f, 0.3f, -1], second = [100, 10, 5, -1];
        Assert.Equal(expected, Ensemble.Combine(rule, [(first, true), (second, true)]));

        // A member without a sign decides none, and where none has one all are positive.
        float[] sizes = [100, 10, 5, 1];
        Assert.Equal([1, -1, 1, -1], Ensemble.Combine(rule, [(first, true), (sizes, false)]).Select(double.Sign));
        Assert.All(Ensemble.Combine(rule, [(sizes, false), (first, false)]), s => Assert.True(s > 0));
        Assert.All(Ensemble.Combine(rule, [(new float[4], true), (new float[4], true)]), s => Assert.True(s > 0));
    }

    [Fact]
    public void The_result_is_that_of_the_members_own_runs()
    {
        using OddModel model = OddModel.Make("untied, erf");
        AttributionMethod[] members = [AttributionMethods.EapIg, AttributionMethods.Exact, AttributionMethods.Magnitude];
        AttributionResult together = model.Score(model.Mixed, new() { Method = Ensemble.Of(members, EnsembleRule.Product), Steps = 3 });
        ComputationGraph graph = together.Scores.Graph;
        (float[], bool)[] alone = [.. members.Select(m =>
        {
            EdgeScores own = model.Score(model.Mixed, new() { Method = m, Steps = m.Takes(MethodSettings.Steps) ? 3 : null }).Scores;
            return ((float[])[.. graph.Edges.Select(e => own[e.Row, e.Column])], m.HasSign);
        })];
        double[] expected = Ensemble.Combine(EnsembleRule.Product, alone);
        double[] actual = [.. graph.Edges.Select(e => (double)together.Scores[e.Row, e.Column])];
        for (int e = 0; e < expected.Length; e++)
            Assert.Equal(expected[e], actual[e], EngineModels.Allowed(AttributionMethods.Ensemble, 0, expected.Length));
        Provenance p = together.Scores.Provenance!;
        Assert.Equal("ensemble", p.Method);
        Assert.Equal("""{"of":"eap-ig,exact,magnitude","by":"product","steps":3,"ig-points":"left"}""", p.Options.ToJsonString());
        Assert.Equal(Provenance.LossSign, p.Sign);
        Assert.NotEmpty(together.CleanMetric);
    }

    [Fact]
    public void What_an_ensemble_is_follows_from_its_members()
    {
        AttributionMethod plain = Ensemble.Of([AttributionMethods.Magnitude, AttributionMethods.Random]);
        Assert.Equal((false, false, true, false), (plain.HasMetric, plain.HasSign, plain.Takes(MethodSettings.Seed), plain.Saves));
        AttributionMethod sizes = Ensemble.Of([AttributionMethods.AtpStar, AttributionMethods.Magnitude]);
        Assert.Equal((true, false, true), (sizes.HasMetric, sizes.HasSign, sizes.VanishesFor(BuiltInMetrics.KlDivergence)));
        AttributionMethod slow = Ensemble.Of([AttributionMethods.Eap, AttributionMethods.Exact], EnsembleRule.Max);
        Assert.Equal((true, true, true, false), (slow.HasMetric, slow.HasSign, slow.Saves, slow.ScoresItems));
        Assert.Null(slow.CountPasses(new AttributionOptions { Method = slow }));
        Assert.False(Ensemble.Of([AttributionMethods.InformationFlowRoutes, AttributionMethods.Random]).ReadsCorrupted);
    }

    [Fact]
    public void Members_that_make_no_ensemble_are_refused()
    {
        Refused("at least two", AttributionMethods.Eap);
        Refused("eap appears twice", AttributionMethods.Eap, AttributionMethods.EapIg, AttributionMethods.Eap);
        Refused("no member of another", AttributionMethods.Eap, AttributionMethods.Ensemble);
        AttributionOptions options = new()
        {
            Method = Ensemble.Of([AttributionMethods.Eap, AttributionMethods.EapIg]),
            Ablation = Ablation.Zero,
        };
        string message = Assert.Throws<OptionException>(() => options.Method.Scorer(options)).Message;
        Assert.Contains("member eap-ig", message, StringComparison.Ordinal);
        AttributionMethod both = Ensemble.Of([AttributionMethods.Eap, AttributionMethods.InformationFlowRoutes]);
        Assert.NotNull(both.Scorer(new() { Method = both, Ablation = Ablation.Zero }));

        static void Refused(string part, params AttributionMethod[] members) =>
            Assert.Contains(part, Assert.Throws<OptionException>(() => Ensemble.Of(members)).Message, StringComparison.Ordinal);
    }
}
