namespace Gradpath.Tests.Support.Ops;

/// <summary>
/// A device with the operands of one operation on it. Everything that it hands out lives until it is disposed of, because an operation
/// sees addresses only.
/// </summary>
internal sealed class OpBench(Device device) : IDisposable
{
    private const int Tail = 5;

    private readonly List<IDisposable> _owned = [];

    public Device Device { get; } = device;

    /// <summary>
    /// Runs an operation on all the devices that must agree, twice each, requires the same bits every time and gives back what it left
    /// in the tensors that the operation names.
    /// </summary>
    public static double[][] Run(Func<OpBench, object[]> operation)
    {
        double[][]? first = null;
        foreach (Func<Device> open in OpDevices.All)
        {
            using var bench = new OpBench(open());
            for (int repeat = 0; repeat < 2; repeat++)
            {
                double[][] now = Array.ConvertAll(operation(bench), Values);
                first ??= now;
                for (int i = 0; i < now.Length; i++)
                {
                    Assert.True(
                        first[i].AsSpan().SequenceEqual(now[i]), $"output {i} differs on {bench.Device.Description}, repeat {repeat}");
                }
            }
        }
        return first!;
    }

    public Tensor Store(float[] values) => Own(Device.StoreTensor(values, values.Length));

    /// <summary>Room for results, with a few elements more than are written; all NaN.</summary>
    public Tensor Out(int length)
    {
        var values = new float[length + Tail];
        Array.Fill(values, float.NaN);
        return Store(values);
    }

    public DeviceArray<double> OutDoubles(int length)
    {
        var values = new double[length + Tail];
        Array.Fill(values, double.NaN);
        return Own(Device.Store<double>(values));
    }

    public DeviceArray<int> Integers(params int[] values) => Own(Device.Store<int>(values));

    public DeviceArray<double> Doubles(params double[] values) => Own(Device.Store<double>(values));

    public SequenceLayout Layout(int[] lengths, int copies = 1, bool lastQueryOnly = false, int[]? prefixes = null) =>
        Own(new SequenceLayout(Device, lengths, copies, lastQueryOnly, prefixes));

    public T Own<T>(T resource)
        where T : IDisposable
    {
        _owned.Add(resource);
        return resource;
    }

    public void Dispose()
    {
        foreach (IDisposable owned in _owned) owned.Dispose();
        Device.Dispose();
    }

    private static double[] Values(object output) => output switch
    {
        Tensor tensor => Wide(tensor.ToArray()),
        DeviceArray<double> array => array.ToArray(),
        _ => throw new ArgumentException("neither a tensor nor an array of doubles", nameof(output)),
    };

    private static double[] Wide(float[] values) => Array.ConvertAll(values, v => (double)v);
}
