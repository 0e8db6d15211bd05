using static Gradpath.Kernels.KernelConstants;

namespace Gradpath.Kernels.Cuda;

// Loops that measure the machine: no ops, and nothing but bench and the self-test calls them.
public sealed partial class CudaDevice
{
    private const string RateFile = "Bench";

    private readonly Dictionary<string, Kernel> _rates = [];

    /// <summary>Words of 16 bytes that each thread of a grid reads or copies at a time.</summary>
    /// <param name="blocks">Blocks of the grid.</param>
    /// <returns>What the number of words must be a multiple of.</returns>
    internal static long RateWords(int blocks) => (long)blocks * RateThreads * RateUnroll;

    /// <summary>Runs a loop on every thread.</summary>
    /// <param name="loop">The loop.</param>
    /// <param name="results">A number for each thread.</param>
    /// <param name="blocks">Blocks of <see cref="RateThreads"/> threads.</param>
    /// <param name="steps">Steps of the loop.</param>
    internal void RunRateLoop(RateLoop loop, Tensor results, int blocks, int steps)
    {
        Require(results, (long)blocks * RateThreads);
        Launch(Rate(loop.Kernel), (blocks, 1, 1), RateThreads, 0, results.Address, steps);
    }

    /// <summary>Reads memory past the first-level cache.</summary>
    /// <param name="from">What is read.</param>
    /// <param name="words">Words of 16 bytes, a multiple of <see cref="RateWords"/>.</param>
    /// <param name="rounds">How often.</param>
    /// <param name="results">The sum of each thread.</param>
    /// <param name="blocks">Blocks.</param>
    internal void RunRateRead(Tensor from, long words, int rounds, Tensor results, int blocks)
    {
        RequireWords(from, words, blocks);
        Require(results, (long)blocks * RateThreads);
        Launch(Rate("rateRead"), (blocks, 1, 1), RateThreads, 0, from.Address, words, rounds, results.Address);
    }

    /// <summary>Writes memory.</summary>
    /// <param name="to">What is written.</param>
    /// <param name="words">Words of 16 bytes.</param>
    /// <param name="value">With what.</param>
    /// <param name="blocks">Blocks.</param>
    internal void RunRateWrite(Tensor to, long words, float value, int blocks)
    {
        Require(to, 4 * words);
        Launch(Rate("rateWrite"), (blocks, 1, 1), RateThreads, 0, to.Address, words, value);
    }

    /// <summary>Copies memory.</summary>
    /// <param name="from">From where.</param>
    /// <param name="to">To where.</param>
    /// <param name="words">Words of 16 bytes, a multiple of <see cref="RateWords"/>.</param>
    /// <param name="blocks">Blocks.</param>
    internal void RunRateCopy(Tensor from, Tensor to, long words, int blocks)
    {
        RequireWords(from, words, blocks);
        Require(to, 4 * words);
        Launch(Rate("rateCopy"), (blocks, 1, 1), RateThreads, 0, to.Address, from.Address, words);
    }

    /// <summary>A launch that adds one to a number.</summary>
    /// <param name="counter">The number.</param>
    internal void RunRateNothing(Tensor counter)
    {
        Require(counter, 1);
        Launch(Rate("rateNothing"), (1, 1, 1), Warp, 0, counter.Address);
    }

    private Kernel Rate(string name)
    {
        if (_rates.TryGetValue(name, out Kernel? kernel)) return kernel;
        kernel = Load(ref kernel, RateFile, name);
        _rates.Add(name, kernel);
        return kernel;
    }

    private static void Require(Tensor tensor, long elements) => ArgumentOutOfRangeException.ThrowIfLessThan(tensor.Length, elements);

    private static void RequireWords(Tensor from, long words, int blocks)
    {
        Require(from, 4 * words);
        if (words % RateWords(blocks) == 0) return;
        throw new ArgumentException($"{words} words are no multiple of {RateWords(blocks)}", nameof(words));
    }
}
