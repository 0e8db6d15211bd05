using static Gradpath.Kernels.KernelConstants;

namespace Gradpath.Kernels.Circuits;

/// <summary>
/// Philox 4x32 with ten rounds (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"): random numbers that are a function
/// of a counter and a key, so that every element and every step has its own, on any device and in any order.
/// </summary>
internal static class Philox
{
    /// <summary>Four random words.</summary>
    /// <param name="counter0">Word 0 of the counter.</param>
    /// <param name="counter1">Word 1 of the counter.</param>
    /// <param name="counter2">Word 2 of the counter.</param>
    /// <param name="counter3">Word 3 of the counter.</param>
    /// <param name="key">The key: word 0 is its low half.</param>
    /// <returns>Words 0 to 3.</returns>
    public static (uint Word0, uint Word1, uint Word2, uint Word3) Generate(
        uint counter0, uint counter1, uint counter2, uint counter3, ulong key)
    {
        uint keyA = (uint)key;
        uint keyB = (uint)(key >> 32);
        for (int round = 0; round < PhiloxRounds; round++)
        {
            ulong productA = (ulong)PhiloxMultiplierA * counter0;
            ulong productB = (ulong)PhiloxMultiplierB * counter2;
            (counter0, counter1, counter2, counter3) = (
                (uint)(productB >> 32) ^ counter1 ^ keyA, (uint)productB, (uint)(productA >> 32) ^ counter3 ^ keyB, (uint)productA);
            keyA += PhiloxKeyStepA;
            keyB += PhiloxKeyStepB;
        }
        return (counter0, counter1, counter2, counter3);
    }

    /// <summary>
    /// A number in (0, 1) for an element at a step: word 0 of counter (element, step, 0, 0), plus one half, times 2^-32. Exact in float64.
    /// </summary>
    /// <param name="element">The element.</param>
    /// <param name="step">The step.</param>
    /// <param name="seed">The key.</param>
    /// <returns>The number.</returns>
    public static double Uniform(uint element, uint step, ulong seed) =>
        (Generate(element, step, 0, 0, seed).Word0 + 0.5) * (1.0 / 4294967296.0);
}
