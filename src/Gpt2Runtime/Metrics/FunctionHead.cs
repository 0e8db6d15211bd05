using System.Globalization;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Metrics;

/// <summary>
/// The head of a metric that is a function: logits come to the host row by row, and gradients go back. Where memory is only planned there
/// are no logits, and the function is not called.
/// </summary>
internal sealed class FunctionHead : MetricHead
{
    private readonly string _name;
    private readonly MetricFunction _function;
    private readonly int _vocabulary;
    private readonly Tensor _row;
    private readonly float[][] _clean;
    private readonly float[] _logits;
    private readonly float[] _gradient;
    private IReadOnlyList<PromptPair> _pairs = [];
    private int[]? _numbers;

    /// <summary>Allocates.</summary>
    /// <param name="name">The metric's name, for messages.</param>
    /// <param name="function">The metric.</param>
    /// <param name="weights">The weights of the model, on the device that computes.</param>
    /// <param name="items">Prompts of the largest batch.</param>
    /// <param name="sequences">Prompts of all copies of the largest pass.</param>
    public FunctionHead(string name, MetricFunction function, Gpt2Weights weights, int items, int sequences)
        : base(weights, sequences)
    {
        _name = name;
        _function = function;
        _vocabulary = weights.Config.Vocabulary;
        _row = Own(Device.Allocate(_vocabulary));
        _clean = [.. Enumerable.Range(0, items).Select(_ => new float[_vocabulary])];
        _logits = new float[_vocabulary];
        _gradient = new float[_vocabulary];
    }

    /// <inheritdoc />
    public override void SetItems(IReadOnlyList<PromptPair> pairs, int[]? numbers)
    {
        base.SetItems(pairs, numbers);
        _pairs = pairs;
        _numbers = numbers;
    }

    /// <inheritdoc />
    public override void Evaluate(Tensor x, int rows, int cleanCopy)
    {
        if (Device.IsPlanning) return;
        for (int i = 0; cleanCopy >= 0 && i < Items; i++) Download(x, (cleanCopy * Items) + i, _clean[i]);
        for (int r = 0; r < rows; r++)
        {
            Download(x, r, _logits);
            double value = Call(r % Items, []);
            if (!double.IsFinite(value)) throw NotANumber(r % Items, "value", value);
            Values[r] = value;
        }
    }

    /// <inheritdoc />
    public override void Gradient(Tensor x, int rows, Tensor gradient)
    {
        if (Device.IsPlanning) return;
        for (int r = 0; r < rows; r++)
        {
            Download(x, r, _logits);
            Array.Clear(_gradient);
            Call(r % Items, _gradient);
            foreach (float slope in _gradient)
            {
                if (!float.IsFinite(slope)) throw NotANumber(r % Items, "gradient", slope);
            }
            _row.Upload(_gradient);
            Device.CopyBlock(_row, 0, gradient, (long)r * _vocabulary, _vocabulary);
        }
    }

    private double Call(int item, Span<float> gradient) => _function(_logits, _clean[item], _pairs[item], gradient);

    private void Download(Tensor x, int row, Span<float> target)
    {
        Device.CopyBlock(x, (long)row * _vocabulary, _row, 0, _vocabulary);
        _row.Download(target);
    }

    private GradpathException NotANumber(int item, string what, double value)
    {
        string name = _pairs[item].NameAt((_numbers?[item] ?? item) + 1);
        return new GradpathException(string.Create(
            CultureInfo.InvariantCulture, $"{name}: the metric {_name} gives a {what} of {value}; it must be a finite number"));
    }
}
