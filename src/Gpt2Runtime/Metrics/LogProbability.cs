using Gradpath.Gpt2Runtime.Checkpoints;

namespace Gradpath.Gpt2Runtime.Metrics;

/// <summary>
/// value = mean over the answers a of log p_a - mean over the wrong answers w of log p_w, p = softmax of the logits, without the
/// second mean where there are no wrong answers; d value / d z_j = weight_j - W p_j with weight 1/n for each of n answers, -1/m for each of
/// m wrong ones, and W their sum. An answer of several tokens has the sum of its tokens' log-probabilities.
/// </summary>
internal sealed class LogProbability() : Metric(
    "log-prob",
    new MetricTraits
    {
        Title = "log-probability",
        Meaning = "mean log-probability of the answers, minus that of the wrong answers where there are any",
        NeedsAnswers = true,
    })
{
    /// <inheritdoc />
    internal override bool ReadsLogits => true;

    /// <inheritdoc />
    internal override bool JudgesSequences => true;

    /// <inheritdoc />
    internal override MetricHead Head(Gpt2Weights weights, int items, int sequences) =>
        new FunctionHead(Name, Judge, weights, items, sequences);

    private static double Judge(ReadOnlySpan<float> logits, ReadOnlySpan<float> clean, PromptPair pair, Span<float> gradient)
    {
        double most = double.NegativeInfinity, sum = 0;
        foreach (float logit in logits) most = Math.Max(most, logit);
        foreach (float logit in logits) sum += Math.Exp(logit - most);
        double log = most + Math.Log(sum), value = 0, total = 0;
        int answers = pair.Answers.Length + pair.WrongAnswers.Length;
        for (int a = 0; a < answers; a++)
        {
            (int token, double weight) = Weighted(pair, a);
            value += weight * (logits[token] - log);
            total += weight;
        }
        if (gradient.IsEmpty) return value;
        for (int j = 0; j < gradient.Length; j++) gradient[j] = (float)(-total * Math.Exp(logits[j] - log));
        for (int a = 0; a < answers; a++)
        {
            (int token, double weight) = Weighted(pair, a);
            gradient[token] += (float)weight;
        }
        return value;
    }

    private static (int Token, double Weight) Weighted(PromptPair pair, int answer)
    {
        int right = pair.Answers.Length;
        int token = answer < right ? pair.Answers[answer] : pair.WrongAnswers[answer - right];
        if (pair.AnswerWeights is { } weights) return (token, weights[answer]);
        return (token, answer < right ? 1.0 / right : -1.0 / pair.WrongAnswers.Length);
    }
}
