using Gradpath.Kernels;
using Gradpath.Kernels.Circuits;
using Gradpath.Kernels.Cuda;
using Gradpath.Kernels.Tests;
using Gradpath.PtxEmulator;

namespace Gradpath.Cuda.Tests;

/// <summary>The edge contraction on the emulated GPU against float64, with every kernel, in one turn and in several.</summary>
public sealed class EdgeContractionTests
{
    [Theory]
    [InlineData(3, 1, 64)]
    [InlineData(70, 7, 1000)]
    [InlineData(5, 12, 1033)]
    [InlineData(65, 24, 300)]
    [InlineData(66, 37, 1201)]
    [InlineData(13, 61, 515)]
    [InlineData(40, 76, 640)]
    [InlineData(9, 85, 100)]
    public void Sums_of_every_writer_and_reader(int writers, int readers, int length)
    {
        foreach (GemmArithmetic arithmetic in (GemmArithmetic[])[GemmArithmetic.Tf32x3, GemmArithmetic.Ffma])
        {
            double[] expected = Expected(writers, readers, length, out double[] sizes);
            double[] result = Contract(writers, readers, length, arithmetic, CudaDevice.PartialsBytes);
            for (int i = 0; i < result.Length; i++)
            {
                Assert.True(
                    Math.Abs(result[i] - expected[i]) <= 1e-6 * sizes[i], $"{arithmetic}: element {i} is {result[i]}, not {expected[i]}");
            }
        }
    }

    // Room for every slice, for two, for a part of the writers only, and for one writer and a part of the readers.
    [Theory]
    [InlineData(70, 9, 1500, CudaDevice.PartialsBytes)]
    [InlineData(70, 9, 1500, 2 * 70 * 12 * sizeof(float))]
    [InlineData(70, 9, 1500, 20 * 12 * sizeof(float))]
    [InlineData(2, 9, 600, 4 * sizeof(float))]
    public void Sums_that_outgrow_the_workspace_are_made_in_turns(int writers, int readers, int length, long limit)
    {
        double[] expected = Expected(writers, readers, length, out double[] sizes);
        double[] result = Contract(writers, readers, length, GemmArithmetic.Tf32x3, limit);
        Assert.Equal(result, Contract(writers, readers, length, GemmArithmetic.Tf32x3, limit));
        for (int i = 0; i < result.Length; i++)
        {
            Assert.True(Math.Abs(result[i] - expected[i]) <= 1e-6 * sizes[i], $"element {i} is {result[i]}, not {expected[i]}");
        }
    }

    [Fact]
    public void Slices_fill_a_GPU_within_bounds()
    {
        Assert.Equal(736, CudaDevice.SliceLength(157, 37, 245_760));
        Assert.Equal(512, CudaDevice.SliceLength(10, 1, 768));
        Assert.Equal(4096, CudaDevice.SliceLength(1249, 76, 3_276_800));
    }

    private static double[] Expected(int writers, int readers, int length, out double[] sizes)
    {
        (float[] delta, float[] gradients) = Operands(writers, readers, length);
        double[] sums = Scores(writers, readers);
        sizes = new double[sums.Length];
        for (int u = 0; u < writers; u++)
        {
            for (int v = 0; v < readers; v++)
            {
                int cell = (u * Stride(readers)) + First + v;
                for (int i = 0; i < length; i++)
                {
                    double product = (double)delta[(u * length) + i] * gradients[(v * length) + i];
                    sums[cell] += product;
                    sizes[cell] += Math.Abs(product);
                }
            }
        }
        return sums;
    }

    private static double[] Contract(int writers, int readers, int length, GemmArithmetic arithmetic, long limit)
    {
        using CudaDevice device = new(new EmulatedDriver(), 0) { Arithmetic = arithmetic, PartialsLimit = limit };
        (float[] delta, float[] gradients) = Operands(writers, readers, length);
        double[] result = Scores(writers, readers);
        using Tensor d = device.StoreTensor(delta, writers, length), g = device.StoreTensor(gradients, readers, length);
        using DeviceArray<double> scores = device.AllocateArray<double>(result.Length);
        device.Upload<double>(result, scores);
        device.ContractEdges(d, writers, g, readers, length, new ScoreBlock(scores, Stride(readers), First));
        device.Download(scores, result);
        return result;
    }

    private const int First = 3;

    private static int Stride(int readers) => readers + 5;

    // What was there before: a different number everywhere, so that a write beside the readers' columns shows.
    private static double[] Scores(int writers, int readers) => [.. Enumerable.Range(0, writers * Stride(readers)).Select(i => i / 7.0)];

    private static (float[] Delta, float[] Gradients) Operands(int writers, int readers, int length) =>
        (Numbers.Draw(1, writers * length), Numbers.Draw(2, readers * length));
}
