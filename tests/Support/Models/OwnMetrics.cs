using Gradpath.Gpt2Runtime.Metrics;

namespace Gradpath.Tests.Support.Models;

/// <summary>Metrics as a program would write them: two that the library has too, and some that it has not.</summary>
internal static class OwnMetrics
{
    private static readonly MetricTraits s_compares = new() { NeedsAnswers = true, NeedsWrongAnswers = true, PositiveIsRight = true };

    /// <summary>Mean logit of the answers minus mean logit of the wrong answers.</summary>
    public static Metric LogitDifference { get; } = Metric.Of("own-logit-diff", s_compares, Difference);

    /// <summary>KL(clean run || this run).</summary>
    public static Metric KlDivergence { get; } = Metric.Of(
        "own-kl",
        new MetricTraits { MeasuresDistance = true },
        (logits, clean, _, gradient) =>
        {
            double[] p = Probabilities(logits), t = Probabilities(clean);
            double value = 0;
            for (int v = 0; v < p.Length; v++)
            {
                value += t[v] * Math.Log(t[v] / p[v]);
                if (!gradient.IsEmpty) gradient[v] = (float)(p[v] - t[v]);
            }
            return value;
        });

    /// <summary>The logit difference times itself.</summary>
    public static Metric SquaredLogitDifference { get; } = Metric.Of("squared-logit-diff", s_compares, (logits, clean, pair, gradient) =>
    {
        double difference = Difference(logits, clean, pair, gradient);
        foreach (ref float slope in gradient) slope *= (float)(2 * difference);
        return difference * difference;
    });

    /// <summary>The first answer's logit minus the largest of the other tokens'.</summary>
    public static Metric Margin { get; } = Metric.Of(
        "margin",
        new MetricTraits { NeedsAnswers = true, PositiveIsRight = true },
        (logits, _, pair, gradient) =>
        {
            int answer = pair.Answers[0];
            int best = answer == 0 ? 1 : 0;
            for (int v = 0; v < logits.Length; v++)
            {
                if (v != answer && logits[v] > logits[best]) best = v;
            }
            if (!gradient.IsEmpty) (gradient[answer], gradient[best]) = (1, -1);
            return (double)logits[answer] - logits[best];
        });

    /// <summary>Those that the library has too, with the library's.</summary>
    public static IEnumerable<(Metric Own, Metric BuiltIn)> Twins =>
        [(LogitDifference, BuiltInMetrics.LogitDifference), (KlDivergence, BuiltInMetrics.KlDivergence)];

    /// <summary>All of them.</summary>
    public static IEnumerable<Metric> All => [LogitDifference, KlDivergence, SquaredLogitDifference, Margin];

    private static double Difference(ReadOnlySpan<float> logits, ReadOnlySpan<float> clean, PromptPair pair, Span<float> gradient)
    {
        double value = 0;
        foreach (int token in pair.Answers) value += Add(token, 1.0 / pair.Answers.Length, logits, gradient);
        foreach (int token in pair.WrongAnswers) value += Add(token, -1.0 / pair.WrongAnswers.Length, logits, gradient);
        return value;

        static double Add(int token, double weight, ReadOnlySpan<float> logits, Span<float> gradient)
        {
            if (!gradient.IsEmpty) gradient[token] += (float)weight;
            return weight * logits[token];
        }
    }

    private static double[] Probabilities(ReadOnlySpan<float> logits)
    {
        var p = new double[logits.Length];
        double sum = 0;
        for (int v = 0; v < p.Length; v++) sum += p[v] = Math.Exp(logits[v]);
        for (int v = 0; v < p.Length; v++) p[v] /= sum;
        return p;
    }
}
