using Gradpath.Kernels.Cpu;

namespace Gradpath.Kernels.Tests;

/// <summary>Runs alone, because it looks at the allocations of the whole process.</summary>
[CollectionDefinition(nameof(GemmAllocationTests), DisableParallelization = true)]
[Collection(nameof(GemmAllocationTests))]
public sealed class GemmAllocationTests
{
    [Fact]
    public void A_product_allocates_nothing_on_any_thread()
    {
        using CpuDevice device = new(4);
        using Tensor a = device.Allocate(48, 256), b = device.Allocate(256, 256), c = device.Allocate(48, 256), bias = device.Allocate(256);
        Action[] products =
        [
            () => device.Gemm(a.AsMatrix(), b.AsMatrix(), c.AsMatrix(), new GemmOptions(Bias: bias)),
            () => device.Gemm(a.AsMatrix(), b.AsMatrix().T, c.AsMatrix(), new GemmOptions(Accumulate: true)),
            () => device.Gemm(a.AsMatrix(16, 256), b.AsMatrix().T, c.AsMatrix(16, 256)),
            () => device.Gemm(a.AsMatrix(24, 64), b.AsMatrix(64, 256), c.AsMatrix(24, 256), new GemmOptions(Batch: 2, StepA: 24 * 64, StepC: 24 * 256)),
            () => device.Gemm(a.AsMatrix(2, 4), b.AsMatrix(4, 3), c.AsMatrix(2, 3)),
        ];
        foreach (Action product in products) product();
        Thread.Sleep(50);
        foreach (Action product in products)
        {
            long beforeHere = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < 20; i++) product();
            Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - beforeHere);

            // The test runner's own threads allocate now and then; the product would do so every time. One product is short enough to fall
            // between two of theirs, also without vector instructions.
            long least = long.MaxValue;
            for (int attempt = 0; attempt < 100 && least > 0; attempt++)
            {
                long before = GC.GetTotalAllocatedBytes(precise: true);
                product();
                least = Math.Min(least, GC.GetTotalAllocatedBytes(precise: true) - before);
            }
            Assert.Equal(0, least);
        }
    }
}
