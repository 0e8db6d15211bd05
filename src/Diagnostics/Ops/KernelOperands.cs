using Gradpath.Kernels;
using Gradpath.Kernels.Circuits;
using Gradpath.Kernels.Cuda;

namespace Gradpath.Diagnostics.Ops;

/// <summary>Operands of a kernel's case; they live until it is over.</summary>
/// <param name="device">Where they are.</param>
internal sealed class KernelOperands(CudaDevice device) : IDisposable
{
    // Even, so that tensors start where accesses of four floats are possible.
    private readonly OpOperands _operands = new(device, 2);

    /// <summary>Where the operands are.</summary>
    public CudaDevice Device => device;

    /// <summary>Random numbers around 0.</summary>
    public Tensor Floats(long count) => _operands.Draw(count);

    /// <summary>Random numbers around 1.</summary>
    public Tensor Positive(long count) => _operands.Draw(count, 0.3, 1);

    /// <summary>Rows of the residual stream.</summary>
    public Tensor Rows(int rows) => Floats((long)rows * Counted.Width);

    /// <summary>Logits of all items.</summary>
    public Tensor Logits() => Floats(Counted.Items * Counted.Vocabulary);

    /// <summary>Ones.</summary>
    public DeviceArray<double> Doubles(int count) => _operands.Doubles([.. Enumerable.Repeat(1.0, count)]);

    /// <summary>An array of integers.</summary>
    public DeviceArray<int> Integers(IEnumerable<int> values) => _operands.Integers([.. values]);

    /// <summary>Sequences.</summary>
    public SequenceLayout Layout(int[] lengths, bool lastQueryOnly = false) =>
        _operands.Own(new SequenceLayout(device, lengths, 1, lastQueryOnly));

    /// <summary>Two tokens for each item, one wanted and one not.</summary>
    public AnswerTokens Answers(int items) => new(
        Integers(Enumerable.Range(0, items + 1).Select(i => 2 * i)),
        Integers(Enumerable.Range(0, 2 * items)),
        _operands.Floats([.. Enumerable.Range(0, 2 * items).Select(i => i % 2 == 0 ? 1f : -1f)]),
        2 * items);

    /// <summary>Edges that belong to gates in equal shares.</summary>
    public MaskLayout Masks() => new(
        Counted.Edges,
        Integers(Enumerable.Range(0, Counted.Edges)),
        Counted.Gates,
        Integers(Enumerable.Range(0, Counted.Edges).Select(e => e * Counted.Gates / Counted.Edges)),
        Integers(Enumerable.Range(0, Counted.Gates + 1).Select(g => ((g * Counted.Edges) + Counted.Gates - 1) / Counted.Gates)),
        Counted.Edges);

    /// <summary>Keeps something until the case is over.</summary>
    public void Own(IDisposable resource) => _operands.Own(resource);

    /// <inheritdoc />
    public void Dispose() => _operands.Dispose();
}
