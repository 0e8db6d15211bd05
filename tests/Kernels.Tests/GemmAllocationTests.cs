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
        using Tensor a = device.Allocate(160, 768), b = device.Allocate(768, 768), c = device.Allocate(160, 768), bias = device.Allocate(768);
        Multiply();
        Thread.Sleep(50);
        long before = GC.GetTotalAllocatedBytes(precise: true);
        long beforeHere = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 20; i++) Multiply();
        long here = GC.GetAllocatedBytesForCurrentThread() - beforeHere;
        long everywhere = GC.GetTotalAllocatedBytes(precise: true) - before;
        Assert.Equal(0, here);
        Assert.True(everywhere < 4096, $"{everywhere} bytes were allocated in the whole process");

        void Multiply()
        {
            device.Gemm(a.AsMatrix(), b.AsMatrix(), c.AsMatrix(), new GemmOptions(Bias: bias));
            device.Gemm(a.AsMatrix(), b.AsMatrix().T, c.AsMatrix(), new GemmOptions(Accumulate: true));
            device.Gemm(a.AsMatrix(16, 768), b.AsMatrix().T, c.AsMatrix(16, 768));
            device.Gemm(a.AsMatrix(160, 64), b.AsMatrix(64, 768), c.AsMatrix(), new GemmOptions(Batch: 1));
            device.Gemm(a.AsMatrix(2, 4), b.AsMatrix(4, 3), c.AsMatrix(2, 3));
        }
    }
}
