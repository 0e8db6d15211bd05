using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Positions;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Tests.Positions;

/// <summary>Scores of edges between spans: against a float64 reference, and their sums against plain scores.</summary>
public sealed class PositionalScoresTests
{
    public static TheoryData<string, string> Methods
    {
        get
        {
            var cases = new TheoryData<string, string>();
            foreach (string model in OddModel.Names)
            {
                foreach (AttributionMethod method in AttributionMethods.All.Where(m => m.ScoresPositions)) cases.Add(model, method.Name);
            }
            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Methods))]
    public void The_sum_over_spans_is_the_plain_score(string name, string methodName)
    {
        AttributionMethod method = AttributionMethods.Find(methodName);
        using OddModel model = OddModel.Make(name);
        PromptPair[] pairs = [.. SharedPrefixes(model.Mixed).Select(PositionalPrompts.Named)];
        var options = new AttributionOptions
        {
            Method = method,
            Steps = method.Takes(MethodSettings.Steps) ? 3 : null,
            BatchSize = 4,
            Positions = PositionMode.Spans,
        };
        float[] plain = model.Score(pairs, options with { Positions = null }).Edges();
        AttributionResult result = model.Score(pairs, options);
        PositionalScores scores = result.Positional!;
        double[] sums = new double[plain.Length];
        foreach (PositionalEdge edge in scores.Graph.Edges) sums[(edge.Row * scores.Graph.Graph.Readers) + edge.Column] += scores[edge];
        float size = plain.Max(Math.Abs);
        Assert.True(size > 0);
        Assert.True(scores.Graph.Pairs.Count > scores.Graph.Spans.Count);
        for (int i = 0; i < plain.Length; i++)
        {
            Assert.Equal(plain[i], sums[i], 2e-5 * size);
            Assert.Equal(plain[i], result.Edges()[i], 2e-5 * size);
        }
    }

    [Theory]
    [InlineData("relu, unscaled attention", "eap")]
    [InlineData("untied, erf", "eap")]
    [InlineData("head bias", "eap-ig")]
    [InlineData("one head", "eap-ig")]
    [InlineData("head bias", "relp")]
    [InlineData("untied, erf", "gim")]
    public void Scores_equal_the_reference(string name, string methodName)
    {
        AttributionMethod method = AttributionMethods.Find(methodName);
        using OddModel model = OddModel.Make(name);
        PromptPair[] pairs = [.. SharedPrefixes(model.Mixed).Select(PositionalPrompts.Named)];
        int steps = method.Takes(MethodSettings.Steps) ? 3 : 1;
        PositionalScores scores = model.Score(pairs, new AttributionOptions
        {
            Method = method,
            Steps = steps > 1 ? steps : null,
            Positions = PositionMode.Spans,
        }).Positional!;
        PositionalGraph graph = scores.Graph;
        var expected = new Dictionary<PositionalEdge, double>();
        ReferenceRules? rules = methodName switch { "relp" => ReferenceRules.Relp, "gim" => ReferenceRules.Gim, _ => null };
        foreach (ReferenceItem item in ReferenceItem.Prepare(model.Reference, pairs, ReferenceAblation.Patching))
        {
            var reference = new ReferencePositions(
                model.Reference, PositionalPrompts.SpansOf(item.Pair, graph), graph.Spans.Count);
            for (int k = 0; k < steps; k++)
            {
                double share = methodName == "eap-ig" ? (double)k / steps : 1;
                RealMatrix point = RealMatrix.Interpolate(item.CorruptedEmbedding, item.CleanEmbedding, share);
                item.DifferentiateLoss(reference.Forward(point, rules: rules), scores.MetricOf());
                reference.AddProducts(item.Delta, 1.0 / (steps * pairs.Length), (u, s, v, t, product) =>
                {
                    var edge = new PositionalEdge(u, s, v, t);
                    expected[edge] = expected.GetValueOrDefault(edge) + product;
                });
            }
        }
        double size = expected.Values.Max(Math.Abs);
        Assert.True(size > 0);
        foreach (PositionalEdge edge in graph.Edges) Assert.Equal(expected.GetValueOrDefault(edge), scores[edge], 2e-5 * size);
        foreach ((PositionalEdge edge, double value) in expected)
        {
            // Later positions are not seen, so pairs that do not exist have nothing.
            if (!graph.IsEdge(edge)) Assert.Equal(0, value);
        }
    }

    [Fact]
    public void Answers_of_several_tokens_belong_to_the_last_span()
    {
        using OddModel model = OddModel.Make("head bias");
        PromptPair[] pairs = [.. model.Equal.Select(p => PositionalPrompts.Named(p) with
        {
            Answers = [3],
            WrongAnswers = [6],
            Sequences = AnswerSequences.Where([[3, 5, 1], [3, 2]], [[6]]),
        })];
        var options = new AttributionOptions { Method = AttributionMethods.Eap, Positions = PositionMode.Spans };
        AttributionResult Score(AttributionOptions o) => EdgeAttribution.Run(
            model.Weights, PromptSet.Of(pairs, metric: BuiltInMetrics.LogProbability), o);
        float[] plain = Score(options with { Positions = null }).Edges();
        PositionalScores scores = Score(options).Positional!;
        int logits = scores.Graph.Graph.LogitsColumn;
        double[] sums = new double[plain.Length];
        foreach (PositionalEdge edge in scores.Graph.Edges) sums[(edge.Row * scores.Graph.Graph.Readers) + edge.Column] += scores[edge];
        for (int i = 0; i < plain.Length; i++) Assert.Equal(plain[i], sums[i], 2e-5 * plain.Max(Math.Abs));
        Assert.All(
            scores.Graph.Edges.Where(e => e.Column == logits && scores[e] != 0),
            e => Assert.Equal("end", scores.Graph.Spans[e.From]));
    }

    [Fact]
    public void Every_token_may_be_a_span()
    {
        using OddModel model = OddModel.Make("head bias");
        var options = new AttributionOptions { Method = AttributionMethods.Eap, Positions = PositionMode.Tokens };
        PositionalScores scores = model.Score(model.Equal, options).Positional!;
        Assert.Equal(["0", "1", "2", "3", "4"], scores.Graph.Spans);
        Assert.Equal(5 + 10, scores.Graph.Pairs.Count);
        GradpathException error = Assert.Throws<GradpathException>(() => model.Score(model.Mixed, options));
        Assert.Contains("it takes prompts of one length", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Other_methods_refuse()
    {
        foreach (AttributionMethod method in AttributionMethods.All.Where(m => !m.ScoresPositions))
        {
            OptionException error = Assert.Throws<OptionException>(() => AttributionChecks.CheckOptions(
                new AttributionOptions { Method = method, Positions = PositionMode.Spans }));
            Assert.Contains($"does not apply to {method.Name}; eap, eap-ig, ceap", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Unfit_spans_are_refused_by_name_and_row()
    {
        using OddModel model = OddModel.Make("head bias");
        PromptPair[] pairs = [.. model.Equal.Select(PositionalPrompts.Named)];
        void Refused(string expected, params TokenSpan[] second)
        {
            PromptPair[] changed = [pairs[0], pairs[1] with { Spans = second }, .. pairs[2..]];
            GradpathException error = Assert.Throws<GradpathException>(
                () => model.Score(changed, new AttributionOptions { Positions = PositionMode.Spans }));
            Assert.Contains(expected, error.Message, StringComparison.Ordinal);
            Assert.Contains("item 2", error.Message, StringComparison.Ordinal);
        }
        Refused("names no spans");
        Refused("All prompts need the same", new TokenSpan("a", 0, 2));
        Refused("is [3, 6); the clean prompt has 5 tokens", new TokenSpan("a", 0, 2), new TokenSpan("end", 3, 6));
        Refused("share the token 1", new TokenSpan("a", 0, 2), new TokenSpan("end", 1, 5));
    }

    private static PromptPair[] SharedPrefixes(PromptPair[] pairs) => Attribution.SharedPrefixTests.WithPrefixes(pairs);
}
