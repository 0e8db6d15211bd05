using Gradpath.Kernels;
using Gradpath.Kernels.Circuits;
using Gradpath.Kernels.Cuda;
using Gradpath.PtxEmulator;
using Xunit.Abstractions;

namespace Gradpath.Cuda.Tests;

/// <summary>
/// What the tile kernels move, as the emulated GPU counts it: global memory in whole sectors and not a byte twice within a block, shared
/// memory without bank conflicts. (The writes of asynchronous copies into shared memory are not counted.)
/// </summary>
public sealed class GemmTrafficTests(ITestOutputHelper output)
{
    private const int Depth = 64;

    [Theory]
    [MemberData(nameof(GemmTests.Tiles), MemberType = typeof(GemmTests))]
    public void A_tile_reads_its_operands_once_in_whole_sectors_without_bank_conflicts(int arithmetic, int index)
    {
        GemmTile tile = GemmTile.Of((GemmArithmetic)arithmetic)[index];
        foreach ((bool transposeA, bool transposeB) in ((bool, bool)[])[(false, false), (false, true), (true, false)])
        {
            KernelStatistics counted = Run(tile, transposeA, transposeB, Depth);
            long operands = (long)(tile.Rows + tile.Columns) * Depth * sizeof(float);
            long result = (long)tile.Rows * tile.Columns * sizeof(float);
            Assert.Equal((operands, operands), (counted.GlobalBytesRead, counted.GlobalSectorsRead * 32));
            Assert.Equal((result, result), (counted.GlobalBytesWritten, counted.GlobalSectorsWritten * 32));
            Assert.True(counted.SharedRequests > 0);
            Assert.Equal(0, counted.SharedConflicts);
            long more = Run(tile, transposeA, transposeB, 2 * Depth).Instructions - counted.Instructions;
            string layout = (transposeA ? ", A transposed" : "") + (transposeB ? ", B transposed" : "");
            output.WriteLine($"{counted.Name}{layout}: {more / tile.Threads / (Depth / 32)} instructions a thread for 32 k");
        }
    }

    [Theory]
    [InlineData(8, 0)]
    [InlineData(24, 0)]
    [InlineData(40, 0)]
    [InlineData(64, 0)]
    [InlineData(80, 32)] // of 8,768 requests, all after the loop, on the tile's way out
    public void The_edge_contraction_reads_its_operands_once_in_whole_sectors(int readers, int conflicts)
    {
        const int writers = 64, length = 512;
        using var driver = new EmulatedDriver(new EmulatorOptions { Races = false, Count = true });
        using CudaDevice device = new(driver, 0);
        using Tensor delta = device.AllocateZeros(writers, length), gradients = device.AllocateZeros(readers, length);
        using DeviceArray<double> scores = device.AllocateZeroArray<double>(writers * readers);
        device.ContractEdges(delta, writers, gradients, readers, length, new ScoreBlock(scores, readers, 0));
        device.Synchronize();

        KernelStatistics counted = driver.Statistics[$"contractEdges{readers}"];
        long operands = (long)(writers + readers) * length * sizeof(float), partials = (long)writers * readers * sizeof(float);
        Assert.Equal((operands, operands), (counted.GlobalBytesRead, counted.GlobalSectorsRead * 32));
        Assert.Equal((partials, partials), (counted.GlobalBytesWritten, counted.GlobalSectorsWritten * 32));
        Assert.Equal(conflicts, counted.SharedConflicts);
    }

    private static KernelStatistics Run(GemmTile tile, bool transposeA, bool transposeB, int depth)
    {
        using var driver = new EmulatedDriver(new EmulatorOptions { Races = false, Count = true });
        using CudaDevice device = new(driver, 0) { Arithmetic = tile.Arithmetic, ForcedPlan = shape => GemmPlan.Split(tile, shape.K, 1) };
        using Tensor a = transposeA ? device.AllocateZeros(depth, tile.Rows) : device.AllocateZeros(tile.Rows, depth);
        using Tensor b = transposeB ? device.AllocateZeros(tile.Columns, depth) : device.AllocateZeros(depth, tile.Columns);
        using Tensor c = device.Allocate(tile.Rows, tile.Columns);
        device.Gemm(transposeA ? a.AsMatrix().T : a.AsMatrix(), transposeB ? b.AsMatrix().T : b.AsMatrix(), c.AsMatrix());
        device.Synchronize();
        return driver.Statistics[tile.KernelName(transposeB)];
    }
}
