using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Metrics;

/// <summary>
/// value = sum over the answers a of p_a - sum over the wrong answers w of p_w, p = softmax of the logits;
/// d value / d z_j = p_j (weight_j - value), weight 1 for answers and -1 for wrong ones.
/// </summary>
internal sealed class ProbabilityDifference() : Metric(
    "prob-diff",
    new MetricTraits
    {
        Title = "probability difference",
        Meaning = "sum of the answers' probabilities minus sum of the wrong answers'",
        NeedsAnswers = true,
        NeedsWrongAnswers = true,
        PositiveIsRight = true,
    })
{
    /// <inheritdoc />
    internal override bool ReadsLogits => true;

    /// <inheritdoc />
    internal override MetricHead Head(Gpt2Weights weights, int items, int sequences) => new Sums(weights, sequences);

    private sealed class Sums : MetricHead
    {
        private readonly int _vocabulary;
        private readonly AnswerTable _answers;

        public Sums(Gpt2Weights weights, int sequences)
            : base(weights, sequences)
        {
            _vocabulary = weights.Config.Vocabulary;
            _answers = Own(new AnswerTable(Device, mean: false));
        }

        public override void SetItems(IReadOnlyList<PromptPair> pairs, int[]? numbers)
        {
            base.SetItems(pairs, numbers);
            _answers.Set(pairs);
        }

        public override void Evaluate(Tensor x, int rows, int cleanCopy)
        {
            Device.LogSoftmax(x, rows, _vocabulary);
            Device.ProbabilityDifference(x, _answers.Answers, Items, rows, _vocabulary, DeviceValues, null);
            DownloadValues(rows);
        }

        public override void Gradient(Tensor x, int rows, Tensor gradient) =>
            Device.ProbabilityDifference(x, _answers.Answers, Items, rows, _vocabulary, DeviceValues, gradient);
    }
}
