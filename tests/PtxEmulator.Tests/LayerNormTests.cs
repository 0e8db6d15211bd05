using Gradpath.Kernels;
using Gradpath.Kernels.Cuda;

namespace Gradpath.PtxEmulator.Tests;

public class LayerNormTests
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

    private static float[] Values(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => (random.NextSingle() * 2) - 1)];

    private static Tensor Upload(CudaDevice device, float[] values)
    {
        Tensor tensor = device.Allocate(values.Length);
        device.Upload<float>(values, tensor);
        return tensor;
    }
}
