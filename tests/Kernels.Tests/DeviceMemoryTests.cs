using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Gradpath.Kernels.Cpu;

namespace Gradpath.Kernels.Tests;

public sealed class DeviceMemoryTests
{
    [Fact]
    public void Bytes_are_counted_while_they_are_held_and_the_peak_is_remembered()
    {
        using var device = new CpuDevice(1);
        Assert.Equal(0, device.AllocatedBytes);
        Tensor tensor = device.Allocate(3, 5);
        Assert.Equal(60, device.AllocatedBytes);
        DeviceArray<double> array = device.AllocateArray<double>(7);
        Assert.Equal(116, device.AllocatedBytes);
        tensor.Dispose();
        tensor.Dispose();
        Assert.Equal(56, device.AllocatedBytes);
        Assert.Equal(116, device.PeakBytes);
        device.ResetPeak();
        Assert.Equal(56, device.PeakBytes);
        array.Dispose();
        Assert.Equal(0, device.AllocatedBytes);
        Assert.Equal(56, device.PeakBytes);
    }

    [Fact]
    public void A_layout_gives_back_all_that_it_took()
    {
        using var device = new CpuDevice(1);
        new SequenceLayout(device, [3, 4], copies: 2).Dispose();
        Assert.Equal(0, device.AllocatedBytes);
        Assert.True(device.PeakBytes > 0);
    }

    [Fact]
    public void Memory_is_aligned_and_zero_where_it_has_to_be()
    {
        using var device = new CpuDevice(1);
        for (int i = 0; i < 20; i++)
        {
            using Tensor tensor = device.AllocateZeros(1 + (17 * i)), other = device.Allocate(1 + (17 * i));
            Assert.Equal(0, tensor.Address % 64);
            Assert.Equal(0, other.Address % 64);
            Assert.All(other.ToArray(), v => Assert.True(float.IsNaN(v), "tests fill what nobody has cleared"));
            Assert.All(tensor.ToArray(), v => Assert.Equal(0, v));
            device.Fill(tensor, 1, tensor.Length);
        }
    }

    [Fact]
    public void What_nobody_disposed_of_is_released_in_the_end()
    {
        using var device = new CpuDevice(1);
        Forget(device);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        Assert.Equal(0, device.AllocatedBytes);
    }

    [Fact]
    public void The_host_fills_a_tensor_in_its_place()
    {
        using var device = new CpuDevice(1);
        float[] host = [1, 2, 3, 4, 5, 6];
        nint told = 0;
        using (Tensor tensor = device.Receive([2, 3], to => Marshal.Copy(host, 0, told = to, host.Length)))
        {
            Assert.Equal(told, tensor.Address);
            Assert.Equal(host, tensor.ToArray());
            Assert.Equal(24, device.AllocatedBytes);
        }
        Assert.Equal(0, device.AllocatedBytes);
    }

    [Fact]
    public void A_tensor_that_the_host_cannot_fill_is_freed()
    {
        using var device = new CpuDevice(1);
        Assert.Throws<FormatException>(() => device.Receive([2, 3], _ => throw new FormatException()));
        Assert.Equal(0, device.AllocatedBytes);
    }

    [Fact]
    public void Copies_beyond_an_array_are_refused()
    {
        using var device = new CpuDevice(1);
        using DeviceArray<int> array = device.Store<int>([1, 2, 3]);
        Assert.Throws<ArgumentException>(() => array.Upload([1, 2, 3, 4]));
        Assert.Throws<ArgumentException>(() => array.Download(new int[4]));
        array.Upload([9]);
        int[] two = new int[2];
        array.Download(two);
        Assert.Equal([9, 2], two);
    }

    [Fact]
    public void Values_must_fill_their_shape()
    {
        using var device = new CpuDevice(1);
        Assert.Throws<ArgumentOutOfRangeException>(() => device.StoreTensor([1, 2, 3], 2, 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => device.Allocate(2, -1));
        Assert.Throws<OverflowException>(() => device.Allocate(int.MaxValue, int.MaxValue, int.MaxValue));
        Assert.Equal(0, device.AllocatedBytes);
    }

    [Fact]
    public void Nothing_can_be_allocated_too()
    {
        using var device = new CpuDevice(1);
        using Tensor tensor = device.Allocate(0, 4);
        using DeviceArray<int> array = device.Store<int>([]);
        Assert.Empty(tensor.ToArray());
        Assert.Empty(array.ToArray());
    }

    [Fact]
    public void The_device_says_what_it_is()
    {
        using var device = new CpuDevice(3);
        Assert.Equal("cpu", device.Name);
        Assert.Contains("3 threads", device.Description, StringComparison.Ordinal);
        Assert.Equal(3, device.Workers);
        Assert.True(device.FreeMemory > 0);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Forget(CpuDevice device)
    {
        device.Allocate(4);
        Assert.Equal(16, device.AllocatedBytes);
    }
}
