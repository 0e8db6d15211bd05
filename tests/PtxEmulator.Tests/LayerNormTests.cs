using Gradpath.Kernels;
using Gradpath.Kernels.Cuda;

namespace Gradpath.PtxEmulator.Tests;

public sealed class LayerNormTests
{
    [Theory]
    [InlineData(3, 64)]
    [InlineData(2, 200)]
    public void The_forward_pass_on_the_emulated_GPU_is_that_of_float64(int rows, int width)
    {
        using var driver = new EmulatedDriver();
        using var device = new CudaDevice(driver, 0);
        var random = new Random(7);
        float[] x = Values(random, rows * width), gain = Values(random, width), shift = Values(random, width);
        using Tensor dx = Upload(device, x), dGain = Upload(device, gain), dShift = Upload(device, shift);
        using Tensor mean = device.Allocate(rows), rstd = device.Allocate(rows), y = device.Allocate(rows, width);
        device.LayerNorm(dx, dGain, dShift, 1e-5f, rows, width, mean, rstd, y);
        float[] result = new float[rows * width];
        device.Download<float>(y, result);
        for (int row = 0; row < rows; row++)
        {
            double m = 0, v = 0;
            for (int d = 0; d < width; d++) m += x[(row * width) + d] / (double)width;
            for (int d = 0; d < width; d++) v += Math.Pow(x[(row * width) + d] - m, 2) / width;
            for (int d = 0; d < width; d++)
            {
                double expected = ((x[(row * width) + d] - m) / Math.Sqrt(v + 1e-5) * gain[d]) + shift[d];
                Assert.Equal(expected, result[(row * width) + d], 2e-6 * Math.Max(1, Math.Abs(expected)));
            }
        }
        Assert.Equal(1, driver.Statistics["layerNorm"].Launches);
    }

    [Fact]
    public void Traffic_is_that_of_whole_sectors_read_and_one_pass_written()
    {
        const int Rows = 3, Width = 256;
        using var driver = new EmulatedDriver(new EmulatorOptions { Count = true });
        using var device = new CudaDevice(driver, 0);
        float[] zeros = new float[Rows * Width];
        using Tensor x = Upload(device, zeros), gain = Upload(device, zeros[..Width]), shift = Upload(device, zeros[..Width]);
        using Tensor mean = device.Allocate(Rows), rstd = device.Allocate(Rows), y = device.Allocate(Rows, Width);
        device.LayerNorm(x, gain, shift, 1e-5f, Rows, Width, mean, rstd, y);
        device.Synchronize();
        KernelStatistics counted = driver.Statistics["layerNorm"];
        // The input is read once to thrice, as the kernel keeps it or not; gain and shift once.
        Assert.Contains(counted.GlobalBytesRead, Enumerable.Range(1, 3).Select(passes => 4L * Rows * Width * (passes + 2)));
        Assert.Equal(4L * Rows * (Width + 2), counted.GlobalBytesWritten);
        // Rows lie side by side, so reads take as many sectors as there are bytes for; mean and rstd a whole one for each.
        Assert.Equal(counted.GlobalBytesRead / 32, counted.GlobalSectorsRead);
        Assert.Equal((4L * Rows * Width / 32) + (2 * Rows), counted.GlobalSectorsWritten);
        Assert.Equal(0, counted.SharedConflicts);
    }

    private static float[] Values(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => (random.NextSingle() * 2) - 1)];

    private static Tensor Upload(CudaDevice device, float[] values)
    {
        Tensor tensor = device.Allocate(values.Length);
        device.Upload<float>(values, tensor);
        return tensor;
    }
}
