using Gradpath.Kernels;

namespace Gradpath.Diagnostics.Ops;

/// <summary>Operands for timing: random values, because what a processor can run at depends on how many bits change.</summary>
/// <param name="device">Where they are.</param>
internal sealed class WorkOperands(Device device) : IDisposable
{
    private const int Block = 1 << 18;

    private readonly List<IDisposable> _owned = [];
    private readonly Random _random = new(1);
    private float[]? _values;

    /// <summary>Where the operands are.</summary>
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

    /// <summary>An array of one float64 number.</summary>
    public DeviceArray<double> Doubles(int count, double value = 0)
    {
        double[] values = new double[count];
        Array.Fill(values, value);
        return Own(device.Store<double>(values));
    }

    /// <summary>An array of integers.</summary>
    public DeviceArray<int> Integers(IEnumerable<int> values) => Own(device.Store<int>([.. values]));

    /// <summary>An array of zeros.</summary>
    public DeviceArray<int> Integers(int count) => Own(device.AllocateArray<int>(count));

    /// <summary>Sequences of one length.</summary>
    public SequenceLayout Layout(int sequences, int length, int copies = 1) =>
        Own(new SequenceLayout(device, [.. Enumerable.Repeat(length, sequences)], copies));

    /// <summary>Two tokens for each item, one wanted and one not.</summary>
    public AnswerTokens Answers(int items) => new(
        Integers(Enumerable.Range(0, items + 1).Select(i => 2 * i)),
        Integers(Enumerable.Range(0, 2 * items)),
        Own(device.Store<float>([.. Enumerable.Range(0, 2 * items).Select(i => i % 2 == 0 ? 1f : -1f)])),
        2 * items);

    /// <summary>Tells the device of a factor B that does not change, as a model's weights are.</summary>
    public void Factor(in Matrix b)
    {
        if (device.PrepareFactors([b]) is { } factors) Own(factors);
    }

    /// <summary>Keeps something until the operands are released.</summary>
    public T Own<T>(T resource)
        where T : IDisposable
    {
        _owned.Add(resource);
        return resource;
    }

    /// <inheritdoc />
    public void Dispose()
    {
        foreach (IDisposable owned in _owned) owned.Dispose();
    }
}
