using Gradpath.Kernels;

namespace Gradpath.Host.Bench;

/// <summary>One op at one shape, with what it has to do at least.</summary>
/// <param name="Op">The method of <see cref="Device"/>, and after a comma what is special about the call.</param>
/// <param name="Shape">The shape in words.</param>
/// <param name="Flops">Additions and multiplications of one call; a root, an exponential and the like count as one.</param>
/// <param name="Bytes">Bytes that one call reads and writes if every element goes over the memory bus once.</param>
/// <param name="Prepare">Makes operands and gives back the call.</param>
internal sealed record OpWork(string Op, string Shape, double Flops, double Bytes, Func<OpWorkOperands, Action> Prepare);

/// <summary>Operands for timing: random values, because what a processor can run at depends on how many bits change.</summary>
internal sealed class OpWorkOperands(Device device) : IDisposable
{
    private const int Block = 1 << 18;

    private readonly List<IDisposable> _owned = [];
    private readonly Random _random = new(1);
    private float[]? _values;

    public Device Device => device;

    /// <summary>A tensor of numbers from 0 to 1.</summary>
    public Tensor Tensor(params int[] shape)
    {
        _values ??= [.. Enumerable.Range(0, Block).Select(_ => _random.NextSingle())];
        Tensor tensor = Own(device.Allocate(shape));
        for (long done = 0; done < tensor.Length; done += Block)
        {
            int count = (int)Math.Min(Block, tensor.Length - done);
            device.Upload<float>(_values.AsSpan(0, count), tensor.Slice(done, count));
        }
        return tensor;
    }

    public DeviceArray<double> Doubles(int count, double value = 0)
    {
        double[] values = new double[count];
        Array.Fill(values, value);
        return Own(device.Store<double>(values));
    }

    public DeviceArray<int> Integers(IEnumerable<int> values) => Own(device.Store<int>([.. values]));

    public DeviceArray<int> Integers(int count) => Own(device.AllocateArray<int>(count));

    public SequenceLayout Layout(int sequences, int length, int copies = 1) =>
        Own(new SequenceLayout(device, [.. Enumerable.Repeat(length, sequences)], copies));

    public AnswerTokens Answers(int items) => Own(new AnswerTokens(
        device.Store<int>([.. Enumerable.Range(0, items + 1).Select(i => 2 * i)]),
        device.Store<int>([.. Enumerable.Range(0, 2 * items)]),
        device.Store<float>([.. Enumerable.Range(0, 2 * items).Select(i => i % 2 == 0 ? 1f : -1f)])));

    public T Own<T>(T resource)
        where T : IDisposable
    {
        _owned.Add(resource);
        return resource;
    }

    public void Dispose()
    {
        foreach (IDisposable owned in _owned) owned.Dispose();
    }
}
