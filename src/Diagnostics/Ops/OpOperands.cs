using Gradpath.Kernels;

namespace Gradpath.Diagnostics.Ops;

/// <summary>
/// Random operands of one call on one device. Outputs start as <see cref="Poison"/>, and guard elements of that value stand around every
/// operand, so that an element that was not written and one that should not have been are both seen.
/// </summary>
/// <param name="device">Where they are.</param>
/// <param name="seed">Decides shapes and values.</param>
/// <param name="magnitudes">Whether the values lose their signs.</param>
/// <param name="exact">Whether no operand is longer than the call needs.</param>
internal sealed class OpOperands(Device device, int seed, bool magnitudes = false, bool exact = false) : IDisposable
{
    /// <summary>What guards and unwritten outputs hold.</summary>
    public const float Poison = 1.5e30f;

    private const int Guard = 5;
    private const int LargestLead = 3;
    private const int LargeFactor = 6;

    private static readonly int[] s_edges =
    [
        1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 256, 257, 511, 512, 513, 1023, 1024, 1025,
    ];

    private readonly Random _random = new(seed);
    private readonly List<Func<double[]>> _operands = [];
    private readonly List<IDisposable> _owned = [];

    /// <summary>Where the operands are.</summary>
    public Device Device => device;

    /// <summary>An extent: 1 for seed 0, otherwise half the time one next to a power of two, half the time any.</summary>
    /// <param name="largest">The largest one for small cases.</param>
    /// <param name="growth">How much larger it may be for large cases.</param>
    /// <returns>At least 1.</returns>
    public int Extent(int largest, int growth = LargeFactor)
    {
        if (seed == 0) return 1;
        if (seed >= OpCatalog.LargeSeeds) largest *= growth;
        if (_random.Next(2) == 0) return _random.Next(1, largest + 1);
        return s_edges[_random.Next(s_edges.Count(e => e <= largest))];
    }

    /// <summary>Whether a coin shows heads.</summary>
    public bool Coin() => _random.Next(2) == 0;

    /// <summary>A number from 0 on.</summary>
    public int Below(int limit) => _random.Next(limit);

    /// <summary>
    /// Elements, rows or the like that an operand has beyond what is needed: a number from 0 on, or 0 where operands are exact.
    /// </summary>
    public int Spare(int limit)
    {
        int drawn = Below(limit);
        return exact ? 0 : drawn;
    }

    /// <summary>
    /// What is taken off an operand that is longer than the call needs by a known number: that number where operands are exact, else 0.
    /// </summary>
    public int Excess(int known) => exact ? known : 0;

    /// <summary>Different numbers below a limit, in no order.</summary>
    public int[] Distinct(int count, int limit)
    {
        int[] all = [.. Enumerable.Range(0, limit)];
        _random.Shuffle(all);
        return all[..count];
    }

    /// <summary>A tensor of random values.</summary>
    /// <param name="count">Number of elements.</param>
    /// <param name="spread">Largest distance from the centre.</param>
    /// <param name="centre">The centre.</param>
    /// <returns>The tensor.</returns>
    public Tensor Draw(long count, double spread = 1, double centre = 0) =>
        Store(count, () => (float)(centre + (spread * ((2 * _random.NextDouble()) - 1))));

    /// <summary>A tensor of few different values, so that many are equal.</summary>
    public Tensor DrawCoarse(long count) => Store(count, () => _random.Next(7) - 3);

    /// <summary>A tensor that holds one value.</summary>
    public Tensor Constant(long count, float value) => Store(count, () => value);

    /// <summary>A tensor for results.</summary>
    public Tensor Out(long count) => Constant(count, Poison);

    /// <summary>Rows of log-probabilities.</summary>
    public Tensor DrawLogProbabilities(int rows, int width)
    {
        double[] logits = new double[width];
        var values = new Queue<float>(rows * width);
        for (int r = 0; r < rows; r++)
        {
            for (int j = 0; j < width; j++) logits[j] = 6 * _random.NextDouble();
            double log = Math.Log(logits.Sum(Math.Exp));
            foreach (double logit in logits) values.Enqueue((float)(logit - log));
        }
        return Store((long)rows * width, values.Dequeue);
    }

    /// <summary>An array of integers.</summary>
    public DeviceArray<int> Integers(params int[] values) => Array(values, (int)0x5EED5EED, v => v);

    /// <summary>Room for integer results.</summary>
    public DeviceArray<int> OutIntegers(int count) => Integers([.. Enumerable.Repeat(0x5EED5EED, count)]);

    /// <summary>An array of float64 numbers.</summary>
    public DeviceArray<double> Doubles(params double[] values) => Array(values, Poison, v => v);

    /// <summary>An array of random float64 numbers.</summary>
    public DeviceArray<double> DrawDoubles(int count, double spread = 1, double centre = 0) =>
        Doubles([.. Enumerable.Range(0, count).Select(_ => centre + (spread * ((2 * _random.NextDouble()) - 1)))]);

    /// <summary>Room for float64 results.</summary>
    public DeviceArray<double> OutDoubles(int count) => Doubles([.. Enumerable.Repeat((double)Poison, count)]);

    /// <summary>An array of float32 numbers that is no tensor.</summary>
    public DeviceArray<float> Floats(params float[] values) => Array(values, Poison, v => v);

    /// <summary>Sequences of random lengths, some of them behind prefixes where those are asked for.</summary>
    public SequenceLayout Layout(int sequences, int longest, int copies = 1, bool lastQueryOnly = false, bool prefixes = false)
    {
        int[] lengths = [.. Enumerable.Range(0, sequences).Select(_ => Extent(longest, 2))];
        int[] before = prefixes ? [.. lengths.Select(_ => Coin() ? Extent(longest, 2) : 0)] : [];
        return Own(new SequenceLayout(device, lengths, copies, lastQueryOnly, before));
    }

    /// <summary>Keeps something until the operands are released.</summary>
    public T Own<T>(T resource)
        where T : IDisposable
    {
        _owned.Add(resource);
        return resource;
    }

    /// <summary>Every operand as it is now, guards included, in the order in which they were made.</summary>
    public double[][] All() => [.. _operands.Select(read => read())];

    /// <inheritdoc />
    public void Dispose()
    {
        foreach (IDisposable owned in _owned) owned.Dispose();
    }

    private Tensor Store(long count, Func<float> next)
    {
        int lead = seed % 2 == 1 ? _random.Next(LargestLead + 1) : 0;
        float[] values = new float[lead + count + Guard];
        System.Array.Fill(values, Poison);
        for (int i = 0; i < count; i++) values[lead + i] = magnitudes ? MathF.Abs(next()) : next();
        Tensor whole = Own(device.StoreTensor(values, values.Length));
        _operands.Add(() => System.Array.ConvertAll(whole.ToArray(), v => (double)v));
        return whole.Slice(lead, checked((int)count));
    }

    private DeviceArray<T> Array<T>(T[] values, T poison, Func<T, double> widen)
        where T : unmanaged
    {
        DeviceArray<T> whole = Own(device.Store<T>([.. values, .. Enumerable.Repeat(poison, Guard)]));
        _operands.Add(() => System.Array.ConvertAll(whole.ToArray(), v => widen(v)));
        return whole.Part(0, values.Length);
    }
}
