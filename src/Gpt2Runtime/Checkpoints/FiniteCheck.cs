using System.Numerics;
using System.Runtime.InteropServices;

namespace Gradpath.Gpt2Runtime.Checkpoints;

/// <summary>Finds NaN and infinity among many numbers.</summary>
internal static class FiniteCheck
{
    private const uint Magnitude = 0x7FFF_FFFF;
    private const uint Infinity = 0x7F80_0000;

    /// <summary>The first number that is not finite.</summary>
    /// <param name="values">The numbers.</param>
    /// <returns>Its index, or -1 where all are finite.</returns>
    public static int IndexOfFirst(ReadOnlySpan<float> values) => AllFinite(values) ? -1 : Search(values);

    // Without the sign, the bits of NaN and infinity are the largest ones.
    private static bool AllFinite(ReadOnlySpan<float> values)
    {
        ReadOnlySpan<uint> bits = MemoryMarshal.Cast<float, uint>(values);
        Vector<uint> largest = Vector<uint>.Zero;
        Vector<uint> magnitude = new(Magnitude);
        int i = 0;
        for (; i <= bits.Length - Vector<uint>.Count; i += Vector<uint>.Count)
            largest = Vector.Max(largest, new Vector<uint>(bits[i..]) & magnitude);
        if (Vector.GreaterThanOrEqualAny(largest, new Vector<uint>(Infinity))) return false;
        for (; i < bits.Length; i++)
        {
            if ((bits[i] & Magnitude) >= Infinity) return false;
        }
        return true;
    }

    private static int Search(ReadOnlySpan<float> values)
    {
        for (int i = 0; i < values.Length; i++)
        {
            if (!float.IsFinite(values[i])) return i;
        }
        return -1;
    }
}
