namespace Gradpath.Gpt2Runtime;

/// <summary>
/// The SplitMix64 generator (Steele, Lea and Flood, 2014): state += 0x9E3779B97F4A7C15, then a mix of the state. Its numbers depend on
/// the seed alone, on every machine and every .NET version, which System.Random does not promise.
/// </summary>
internal sealed class SplitMix64(ulong seed)
{
    private ulong _state = seed;

    /// <summary>The next 64 random bits.</summary>
    public ulong Next()
    {
        var z = _state += 0x9E3779B97F4A7C15UL;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }

    /// <summary>A number from 0 to bound - 1, each equally likely (draws that would favour small numbers are dropped).</summary>
    public int Below(int bound)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bound, 1);
        var size = (ulong)bound;
        var whole = ulong.MaxValue - (ulong.MaxValue % size);
        ulong value;
        do
            value = Next();
        while (value >= whole);
        return (int)(value % size);
    }

    /// <summary>
    /// A float32 between 0 and 1, neither of them: one of the 2^23 midpoints of equal steps, each equally likely and exact.
    /// </summary>
    public float NextUniform() => ((Next() >> 41) + 0.5f) * (1f / (1 << 23));

    /// <summary>Puts elements into an order that is drawn, each equally likely (Fisher and Yates).</summary>
    public void Shuffle<T>(Span<T> items)
    {
        for (var i = items.Length - 1; i > 0; i--)
        {
            var other = Below(i + 1);
            (items[i], items[other]) = (items[other], items[i]);
        }
    }

    /// <summary>Draws elements without replacement: they come to the front, in the order in which they are drawn.</summary>
    public void Draw<T>(Span<T> items, int count)
    {
        for (var i = 0; i < count; i++)
        {
            var at = i + Below(items.Length - i);
            (items[i], items[at]) = (items[at], items[i]);
        }
    }

    /// <summary>One element of a list.</summary>
    public T Pick<T>(IReadOnlyList<T> list) => list[Below(list.Count)];

    /// <summary>Two different elements of a list of at least two.</summary>
    public (T First, T Second) PickTwo<T>(IReadOnlyList<T> list)
    {
        var first = Below(list.Count);
        var second = Below(list.Count - 1);
        return (list[first], list[second < first ? second : second + 1]);
    }
}
