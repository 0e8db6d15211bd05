using Gradpath.Diagnostics.Ops;
using Gradpath.Kernels;
using Gradpath.Kernels.Cuda;
using static Gradpath.Kernels.KernelConstants;

namespace Gradpath.Diagnostics.SelfTest;

/// <summary>The kernels that measure the machine do what they are counted for: each leaves a result that is known beforehand.</summary>
internal static class RateChecks
{
    private const int Blocks = 2, Steps = 8, Rounds = 3;

    /// <summary>All of them.</summary>
    public static IEnumerable<ForcedPlan> All =>
    [
        .. RateLoop.All.Select(loop => Check(
            loop.Kernel,
            [.. Enumerable.Range(0, Blocks * RateThreads).Select(i => (double)loop.Result(i % RateThreads, Steps))],
            (gpu, x) =>
            {
                Tensor results = x.Floats(Blocks * RateThreads);
                gpu.RunRateLoop(loop, results, Blocks, Steps);
                return results;
            })),
        Check("rateRead", [.. Enumerable.Range(0, Blocks * RateThreads).Select(SumOf)], (gpu, x) =>
        {
            Tensor from = x.Own(gpu.StoreTensor(Values(), Values().Length)), results = x.Floats(Blocks * RateThreads);
            gpu.RunRateRead(from, Words, Rounds, results, Blocks);
            return results;
        }),
        Check("rateWrite", [.. Enumerable.Repeat(2.5, 4 * (int)Words)], (gpu, x) =>
        {
            Tensor to = x.Floats(4 * (int)Words);
            gpu.RunRateWrite(to, Words, 2.5f, Blocks);
            return to;
        }),
        Check("rateCopy", [.. Values().Select(v => (double)v)], (gpu, x) =>
        {
            Tensor from = x.Own(gpu.StoreTensor(Values(), Values().Length)), to = x.Floats(4 * (int)Words);
            gpu.RunRateCopy(from, to, Words, Blocks);
            return to;
        }),
        Check("rateNothing", [5.0], (gpu, x) =>
        {
            Tensor counter = x.Own(gpu.StoreTensor([2f], 1));
            for (int i = 0; i < 3; i++) gpu.RunRateNothing(counter);
            return counter;
        }),
    ];

    private static long Words => 2 * CudaDevice.RateWords(Blocks);

    // Small whole numbers, whose sums are exact.
    private static float[] Values() => [.. Enumerable.Range(0, 4 * (int)Words).Select(i => (float)(i % 61))];

    private static double SumOf(int thread)
    {
        double sum = 0;
        for (long word = thread; word < Words; word += Blocks * RateThreads)
            for (int i = 0; i < 4; i++) sum += ((4 * word) + i) % 61;
        return Rounds * sum;
    }

    private static ForcedPlan Check(string kernel, double[] expected, Func<CudaDevice, Operands, Tensor> run) => new(
        kernel, GemmArithmetic.Ffma, [new PlanVariant(null, new OpCheck("Bench", kernel, 0, (device, _) => [Run(device, expected, run)]))]);

    private static double[] Run(Device device, double[] expected, Func<CudaDevice, Operands, Tensor> run)
    {
        if (device is not CudaDevice gpu) return expected;
        using Operands operands = new(gpu);
        Tensor result = run(gpu, operands);
        float[] values = new float[expected.Length];
        gpu.Download(result, values);
        return [.. values.Select(v => (double)v)];
    }

    private sealed class Operands(CudaDevice gpu) : IDisposable
    {
        private readonly List<IDisposable> _owned = [];

        public Tensor Floats(int count) => Own(gpu.Allocate(count));

        public Tensor Own(Tensor tensor)
        {
            _owned.Add(tensor);
            return tensor;
        }

        public void Dispose()
        {
            foreach (IDisposable owned in _owned) owned.Dispose();
        }
    }
}
