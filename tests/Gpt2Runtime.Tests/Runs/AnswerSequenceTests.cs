using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Tests.Runs;

/// <summary>
/// Answers of several tokens: what a run makes of them, against the sum over tokens written out by hand and against float64 passes.
/// </summary>
public sealed class AnswerSequenceTests
{
    // Two right answers that begin alike, one wrong answer that begins like them, and one that does not.
    private static readonly int[][] s_right = [[3, 5, 1], [3, 2]];
    private static readonly int[][] s_wrong = [[3, 5, 4], [6]];

    public static TheoryData<string> Methods =>
        [.. AttributionMethods.All.Where(m => m.HasSign && !m.Takes(MethodSettings.EmbeddingPath)).Select(m => m.Name)];

    [Fact]
    public void The_metric_is_the_mean_log_probability_of_right_answers_minus_that_of_wrong_ones()
    {
        using OddModel model = OddModel.Make("untied, erf");
        PromptPair pair = Short(model);
        AttributionResult result = EdgeAttribution.Run(
            model.Weights, PromptSet.Of([pair], metric: BuiltInMetrics.LogProbability),
            new AttributionOptions { Method = AttributionMethods.Eap });
        Assert.Equal(Expected(model.Reference, pair.Clean), Assert.Single(result.CleanMetric), 1e-5);
        Assert.Equal(Expected(model.Reference, pair.Corrupted), Assert.Single(result.CorruptedMetric), 1e-5);
    }

    [Theory]
    [MemberData(nameof(Methods))]
    public void Scores_are_the_sums_over_the_answers_tokens(string name)
    {
        using OddModel model = OddModel.Make("head bias");
        PromptPair pair = Short(model);
        var options = new AttributionOptions { Method = AttributionMethods.Find(name) };
        EdgeScores together = EdgeAttribution.Score(model.Weights, PromptSet.Of([pair], metric: BuiltInMetrics.LogProbability), options);
        var sum = new double[together.Values.Length];
        foreach ((int[][] answers, double sign) in new[] { (s_right, 1.0), (s_wrong, -1.0) })
        {
            foreach (int[] answer in answers)
            {
                for (int t = 0; t < answer.Length; t++)
                {
                    PromptPair part = new([.. pair.Clean, .. answer[..t]], [.. pair.Corrupted, .. answer[..t]], [answer[t]], []);
                    EdgeScores scores = EdgeAttribution.Score(
                        model.Weights, PromptSet.Of([part], metric: BuiltInMetrics.LogProbability), options);
                    for (int i = 0; i < sum.Length; i++) sum[i] += sign / answers.Length * scores.Values[i];
                }
            }
        }
        double largest = sum.Max(Math.Abs);
        for (int i = 0; i < sum.Length; i++) Assert.Equal(sum[i], together.Values[i], 1e-5 * largest);
    }

    /// <summary>Scores that are sizes: each token counts by its own, whatever the others do.</summary>
    [Fact]
    public void Scores_without_a_sign_are_the_sums_of_the_tokens_sizes()
    {
        using OddModel model = OddModel.Make("head bias");
        PromptPair pair = Short(model);
        int[] answer = s_right[0];
        PromptPair whole = pair with { Answers = [answer[0]], WrongAnswers = [], Sequences = AnswerSequences.Where([answer], []) };
        var options = new AttributionOptions { Method = AttributionMethods.AtpStar };
        float[] Score(PromptPair item) =>
            EdgeAttribution.Score(model.Weights, PromptSet.Of([item], metric: BuiltInMetrics.LogProbability), options).Values.ToArray();
        float[] together = Score(whole);
        var sum = new double[together.Length];
        for (int t = 0; t < answer.Length; t++)
        {
            float[] part = Score(new PromptPair([.. pair.Clean, .. answer[..t]], [.. pair.Corrupted, .. answer[..t]], [answer[t]], []));
            for (int i = 0; i < sum.Length; i++) sum[i] += part[i];
        }
        double largest = sum.Max();
        Assert.True(largest > 0.1);
        for (int i = 0; i < sum.Length; i++) Assert.Equal(sum[i], together[i], 1e-5 * largest);
    }

    [Fact]
    public void An_item_counts_once_however_many_tokens_its_answers_have()
    {
        using OddModel model = OddModel.Make("untied, erf");
        PromptPair several = Short(model);
        PromptPair one = several with { Sequences = null, Answers = [3], WrongAnswers = [6] };
        var options = new AttributionOptions { Method = AttributionMethods.Eap };
        EdgeScores Score(params PromptPair[] pairs) =>
            EdgeAttribution.Score(model.Weights, PromptSet.Of(pairs, metric: BuiltInMetrics.LogProbability), options);
        EdgeScores both = Score(several, one), first = Score(several), second = Score(one);
        float largest = first.Values.ToArray().Concat(second.Values.ToArray()).Max(Math.Abs);
        for (int i = 0; i < both.Values.Length; i++)
            Assert.Equal((first.Values[i] + second.Values[i]) / 2, both.Values[i], 1e-5 * largest);
    }

    [Fact]
    public void Evaluation_and_searches_judge_the_sum()
    {
        using OddModel model = OddModel.Make("untied, erf");
        PromptPair[] pairs = [Short(model), Short(model) with { Sequences = null, Answers = [3], WrongAnswers = [6] }];
        PromptSet prompts = PromptSet.Of(pairs, metric: BuiltInMetrics.LogProbability);
        EvaluationResult result = CircuitEvaluation.Evaluate(model.Weights, prompts, [], new EvaluationOptions());
        Assert.Equal(2, result.Full.Metric.Length);
        Assert.Equal(Expected(model.Reference, pairs[0].Clean), result.Full.Metric[0], 1e-5);
        Assert.Equal(2, result.Full.Kl.Length);
        var acdc = (AcdcResult)CircuitSearches.Acdc.Search(
            model.Weights, prompts, new AcdcOptions { Threshold = 0, Metric = BuiltInMetrics.LogProbability });
        Assert.Equal(-result.Full.MeanMetric, acdc.Full, 1e-5);
    }

    [Fact]
    public void An_answer_is_accurate_where_each_of_its_tokens_is_the_most_probable_one()
    {
        using OddModel model = OddModel.Make("untied, erf");
        int[] prompt = Short(model).Clean;
        int[] likely = [Best(model.Reference, prompt)];
        likely = [.. likely, Best(model.Reference, [.. prompt, .. likely])];
        int unlikely = (likely[1] + 1) % model.Reference.Config.Vocabulary;
        bool?[] accurate = [.. CircuitEvaluation.Evaluate(
            model.Weights, PromptSet.Of([Of(likely), Of([likely[0], unlikely])], metric: BuiltInMetrics.LogProbability), [],
            new EvaluationOptions()).Full.Accurate];
        Assert.Equal([true, false], accurate);

        PromptPair Of(int[] answer) => new(prompt, [.. prompt[..^1], (prompt[^1] + 1) % model.Reference.Config.Vocabulary], [answer[0]], [])
        {
            Sequences = AnswerSequences.Where([answer], []),
        };
    }

    [Fact]
    public void What_cannot_be_judged_is_refused()
    {
        using OddModel model = OddModel.Make("untied, erf");
        string Message(PromptPair pair, Metric metric) => Assert.Throws<GradpathException>(
            () => CircuitEvaluation.Evaluate(model.Weights, PromptSet.Of([pair], metric: metric), [], new EvaluationOptions())).Message;
        PromptPair pair = Short(model);
        Assert.Contains(
            "which logit-diff cannot judge; use Metric log-prob", Message(pair, BuiltInMetrics.LogitDifference), StringComparison.Ordinal);
        PromptPair outside = pair with { Sequences = AnswerSequences.Where([[3, 99]], []) };
        Assert.Contains("outside the model's vocabulary", Message(outside, BuiltInMetrics.LogProbability), StringComparison.Ordinal);
        PromptPair longer = pair with { Sequences = AnswerSequences.Where([[1, 2, 3, 4, 5, 6, 7, 8, 9]], []) };
        Assert.Contains("longer than the model's 9 positions", Message(longer, BuiltInMetrics.LogProbability), StringComparison.Ordinal);
    }

    private static PromptPair Short(OddModel model)
    {
        int[] clean = [1, 2, 7 % model.Reference.Config.Vocabulary, 4], corrupted = [1, 5, 7 % model.Reference.Config.Vocabulary, 4];
        return new PromptPair(clean, corrupted, [.. s_right.Select(a => a[0])], [.. s_wrong.Select(a => a[0])])
        {
            Sequences = AnswerSequences.Where(s_right, s_wrong),
        };
    }

    private static double Expected(ReferenceModel model, int[] prompt) =>
        s_right.Average(a => LogProbability(model, prompt, a)) - s_wrong.Average(a => LogProbability(model, prompt, a));

    private static double LogProbability(ReferenceModel model, int[] prompt, int[] answer) => Enumerable.Range(0, answer.Length).Sum(t =>
    {
        double[] logits = Last(model, [.. prompt, .. answer[..t]]);
        return logits[answer[t]] - Math.Log(logits.Sum(Math.Exp));
    });

    private static int Best(ReferenceModel model, int[] prompt)
    {
        double[] logits = Last(model, prompt);
        return Array.IndexOf(logits, logits.Max());
    }

    private static double[] Last(ReferenceModel model, int[] tokens)
    {
        RealMatrix logits = ReferenceRun.Forward(model, model.Embed(tokens)).Logits.Value;
        return [.. Enumerable.Range(0, logits.Columns).Select(j => logits[logits.Rows - 1, j])];
    }
}
