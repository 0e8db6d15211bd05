using Gradpath.Kernels;
using Gradpath.Kernels.Checks;
using Gradpath.Kernels.Circuits;
using Gradpath.Kernels.Cuda;

namespace Gradpath.PtxEmulator.Survey;

/// <summary>A kernel at one representative shape: the widths of GPT-2 small with few rows.</summary>
/// <param name="Kernel">The entry point that is counted.</param>
/// <param name="Shape">The shape in words.</param>
/// <param name="LeastBytes">Bytes that it reads and writes if every element goes over the memory bus once.</param>
/// <param name="Run">Calls the op that launches it.</param>
internal sealed record KernelCase(string Kernel, string Shape, double LeastBytes, Action<KernelOperands> Run);

/// <summary>Operands of a case; they live until it is over.</summary>
internal sealed class KernelOperands(CudaDevice device) : IDisposable
{
    // Even, so that tensors start where accesses of four floats are possible.
    private readonly OpOperands _operands = new(device, 2);

    public CudaDevice Device => device;

    public Tensor Floats(long count) => _operands.Draw(count);

    public Tensor Positive(long count) => _operands.Draw(count, 0.3, 1);

    public Tensor Rows(int rows) => Floats((long)rows * KernelCases.Width);

    public DeviceArray<double> Doubles(int count) => _operands.Doubles([.. Enumerable.Repeat(1.0, count)]);

    public DeviceArray<int> Integers(IEnumerable<int> values) => _operands.Integers([.. values]);

    public SequenceLayout Layout(int[] lengths, bool lastQueryOnly = false) => _operands.Own(new SequenceLayout(device, lengths, 1, lastQueryOnly));

    /// <summary>Two tokens for each item, one wanted and one not.</summary>
    public AnswerTokens Answers(int items) => _operands.Own(new AnswerTokens(
        device.Store<int>([.. Enumerable.Range(0, items + 1).Select(i => 2 * i)]),
        device.Store<int>([.. Enumerable.Range(0, 2 * items)]),
        device.Store<float>([.. Enumerable.Range(0, 2 * items).Select(i => i % 2 == 0 ? 1f : -1f)])));

    /// <summary>Edges that belong to gates in equal shares.</summary>
    public MaskLayout Masks(int edges, int gates) => new(
        edges,
        Integers(Enumerable.Range(0, edges)),
        gates,
        Integers(Enumerable.Range(0, edges).Select(e => (int)((long)e * gates / edges))),
        Integers(Enumerable.Range(0, gates + 1).Select(g => (int)((((long)g * edges) + gates - 1) / gates))),
        edges);

    public void Dispose() => _operands.Dispose();
}
