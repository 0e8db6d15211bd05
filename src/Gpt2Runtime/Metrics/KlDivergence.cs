using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Metrics;

/// <summary>
/// value = KL(clean run || this run) = sum over the vocabulary of t_j (log t_j - log p_j), t the clean run's probabilities, p this run's;
/// d value / d z_j = p_j - t_j.
/// </summary>
internal sealed class KlDivergence() : Metric(
    "kl",
    new MetricTraits
    {
        Title = "KL divergence",
        Meaning = "KL(clean run, this run), summed over the vocabulary",
        MeasuresDistance = true,
    })
{
    /// <inheritdoc />
    internal override bool ReadsLogits => true;

    /// <inheritdoc />
    internal override MetricHead Head(Gpt2Weights weights, int items, int sequences) => new Divergences(weights, items, sequences);

    private sealed class Divergences : MetricHead
    {
        private readonly int _vocabulary;
        private readonly Tensor _clean;
        private Tensor? _reference;

        public Divergences(Gpt2Weights weights, int items, int sequences)
            : base(weights, sequences)
        {
            _vocabulary = weights.Config.Vocabulary;
            _clean = Own(Device.Allocate(items, _vocabulary));
        }

        public override Tensor Reference => _reference ?? base.Reference;

        public override void UseReference(Tensor logProbabilities, int items)
        {
            Items = items;
            _reference = logProbabilities;
        }

        public override void Evaluate(Tensor x, int rows, int cleanCopy)
        {
            Device.LogSoftmax(x, rows, _vocabulary);
            if (cleanCopy >= 0)
            {
                long block = (long)Items * _vocabulary;
                Device.CopyBlock(x, cleanCopy * block, _clean, 0, block);
                _reference = _clean;
            }
            Device.KlDivergence(x, Reference, Items, rows, _vocabulary, DeviceValues, null);
            DownloadValues(rows);

            // Rounding takes the divergence of a run from itself below 0, which no divergence is.
            for (int r = 0; r < rows; r++) Values[r] = Math.Max(Values[r], 0);
        }

        public override void Gradient(Tensor x, int rows, Tensor gradient) =>
            Device.KlDivergence(x, Reference, Items, rows, _vocabulary, DeviceValues, gradient);
    }
}
