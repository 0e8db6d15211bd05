using Gradpath.Kernels.Cpu;

namespace Gradpath.Kernels.Tests;

/// <summary>
/// What a product allocates, thread by thread. Other threads of the process, such as the test runner's, are not looked at.
/// </summary>
public sealed class GemmAllocationTests
{
    private const int Workers = 4;

    [Fact]
    public void A_product_allocates_nothing_on_any_thread()
    {
        using CpuDevice device = new(Workers);
        using Tensor a = device.Allocate(48, 256), b = device.Allocate(256, 256), c = device.Allocate(48, 256), bias = device.Allocate(256);
        Action[] products =
        [
            () => device.Gemm(a.AsMatrix(), b.AsMatrix(), c.AsMatrix(), new GemmOptions(Bias: bias)),
            () => device.Gemm(a.AsMatrix(), b.AsMatrix().T, c.AsMatrix(), new GemmOptions(Accumulate: true)),
            () => device.Gemm(a.AsMatrix(16, 256), b.AsMatrix().T, c.AsMatrix(16, 256)),
            () => device.Gemm(
                a.AsMatrix(24, 64), b.AsMatrix(64, 256), c.AsMatrix(24, 256), new GemmOptions(Batch: 2, StepA: 24 * 64, StepC: 24 * 256)),
            () => device.Gemm(a.AsMatrix(2, 4), b.AsMatrix(4, 3), c.AsMatrix(2, 3)),
        ];
        long[] before = new long[Workers], after = new long[Workers];
        foreach (Action product in products)
        {
            for (int warm = 0; warm < 20; warm++) product();
            Meet(device, before);
            for (int i = 0; i < 20; i++) product();
            Meet(device, after);
            Assert.Equal(before, after);
        }
    }

    /// <summary>That the test above can fail: a job whose parts allocate is seen, on each thread.</summary>
    [Fact]
    public void What_a_part_allocates_shows_on_its_thread()
    {
        using CpuDevice device = new(Workers);
        long[] first = new long[Workers], second = new long[Workers], third = new long[Workers];

        // What is compiled at a first call allocates on its own.
        Meet(device, first);
        Meet(device, first);
        Meet(device, second, bytes: 100);
        Meet(device, third);
        Assert.Equal(first, second);
        Assert.All(second.Zip(third), pair => Assert.True(pair.Second >= pair.First + 100));
    }

    // Each thread of the device writes down what it has allocated so far, and then allocates some bytes.
    private static unsafe void Meet(CpuDevice device, long[] allocated, int bytes = 0)
    {
        int arrived = 0;
        fixed (long* slots = allocated)
        {
            MeetingJob job = new() { Arrived = &arrived, Allocated = slots, Bytes = bytes };
            device.Pool.Run(ref job, Workers);
        }
    }

    // A part ends when all have begun, so no thread gets two.
    private unsafe struct MeetingJob : IParallelJob
    {
        public int* Arrived;
        public long* Allocated;
        public int Bytes;

        public readonly void Execute(int part, int worker)
        {
            Allocated[worker] = GC.GetAllocatedBytesForCurrentThread();
            if (Bytes > 0) GC.KeepAlive(new byte[Bytes]);
            Interlocked.Increment(ref *Arrived);
            SpinWait wait = default;
            while (Volatile.Read(ref *Arrived) < Workers) wait.SpinOnce(sleep1Threshold: -1);
        }
    }
}
