using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Kernels;
using Gradpath.Kernels.Cpu;

namespace Gradpath.Gpt2Runtime.Tests.Attribution;

/// <summary>
/// The smallest path that can be walked by hand, on the device's own operations: G(s) = s, L(s) = s^2 / 2, clean 0, corrupted 2.5, five
/// unit steps. It overshoots and turns back: 1, 2, 3, 2, 3.
/// </summary>
public sealed class EmbeddingPathOracleTests
{
    [Fact]
    public void The_path_by_hand_is_the_path_by_device()
    {
        using var device = new CpuDevice(1);
        using var layout = new SequenceLayout(device, [1]);
        using Tensor gamma = device.AllocateZeros(1, 1), target = device.StoreTensor([2.5f], 1, 1), gradient = device.Allocate(1, 1);
        using DeviceArray<double> squares = device.AllocateArray<double>(1), steps = device.Store<double>([1]);
        var visited = new List<float>();
        for (int j = 0; j < 5; j++)
        {
            device.Combine(2, gamma, -2, target, 1, gradient);
            device.SequenceDots(gradient, gradient, layout, 1, squares);
            device.PathStep(gamma, gradient, squares, steps, wholeBatchNorm: false, layout, 1);
            visited.Add(gamma.ToArray()[0]);
        }
        Assert.Equal([1, 2, 3, 2, 3], visited);

        // L'(s) = s, so the mean gradient is the mean point; delta is 2.5.
        Assert.Equal(5.5, 2.5 * visited.Average(), 1e-6);
    }
}
