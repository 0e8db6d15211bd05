using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Metrics;

/// <summary>
/// value = mean over the answers a of z_a - mean over the wrong answers w of z_w, z the logits = U x + b.
///
/// So value = x . n + c with n = mean U_a - mean U_w, c = mean b_a - mean b_w, both per item: no logits are made, and n is the derivative
/// by x.
/// </summary>
internal sealed class LogitDifference() : Metric(
    "logit-diff",
    new MetricTraits
    {
        Title = "logit difference",
        Meaning = "mean logit of the answers minus mean logit of the wrong answers",
        NeedsAnswers = true,
        NeedsWrongAnswers = true,
        PositiveIsRight = true,
    })
{
    /// <inheritdoc />
    internal override bool ReadsLogits => false;

    /// <inheritdoc />
    internal override MetricHead Head(Gpt2Weights weights, int items, int sequences) => new Directions(weights, LossSign, items, sequences);

    private sealed class Directions : MetricHead
    {
        private readonly int _d;
        private readonly AnswerTable _answers;
        private readonly Tensor _directions;
        private readonly Tensor _lossDirections;
        private readonly int _lossSign;
        private readonly Tensor? _biasSums;
        private float[] _biasDifference = [];

        public Directions(Gpt2Weights weights, int lossSign, int items, int sequences)
            : base(weights, sequences)
        {
            _lossSign = lossSign;
            _d = weights.Config.Width;
            _answers = Own(new AnswerTable(Device, mean: true));
            _directions = Own(Device.Allocate(items, _d));
            _lossDirections = Own(Device.Allocate(items, _d));
            if (weights.UnembeddingBias is not null) _biasSums = Own(Device.Allocate(items, 1));
        }

        public override Tensor LossDirections => _lossDirections;

        public override void SetItems(IReadOnlyList<PromptPair> pairs, int[]? numbers)
        {
            base.SetItems(pairs, numbers);
            _answers.Set(pairs);
            Device.WeightedRowSums(Weights.Unembedding, _answers.Answers, Items, _d, _directions);
            Device.Combine(_lossSign, _directions, 0, _directions, (long)Items * _d, _lossDirections);
            if (_biasDifference.Length != Items) _biasDifference = new float[Items];
            if (_biasSums is null) return;
            Device.WeightedRowSums(Weights.UnembeddingBias!, _answers.Answers, Items, 1, _biasSums);
            _biasSums.Download(_biasDifference);
        }

        public override void Evaluate(Tensor x, int rows, int cleanCopy)
        {
            Device.RowDots(x, _directions, Items, rows, _d, DeviceValues);
            DownloadValues(rows);
            for (int r = 0; r < rows; r++) Values[r] += _biasDifference[r % Items];
        }

        public override void Gradient(Tensor x, int rows, Tensor gradient)
        {
            long block = (long)Items * _d;
            for (int first = 0; first < rows; first += Items) Device.CopyBlock(_directions, 0, gradient, (long)first * _d, block);
        }
    }
}
