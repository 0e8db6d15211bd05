using System.Runtime.InteropServices;
using Gradpath.Cuda.Tests.Driver;
using Gradpath.Kernels;
using Gradpath.Kernels.Cuda;
using Gradpath.Kernels.Cuda.Driver;

namespace Gradpath.Cuda.Tests;

/// <summary>The device's memory: kept for reuse, zeroed, given back, and never lost.</summary>
public sealed class MemoryTests
{
    private readonly WatchedDriver _driver = new(new HostDriver());

    [Theory]
    [InlineData(0, 512)]
    [InlineData(1, 512)]
    [InlineData(513, 1024)]
    [InlineData(4096, 4096)]
    [InlineData(4097, 4608)]
    [InlineData(1 << 20, 1 << 20)]
    [InlineData((1 << 20) + 1, (1 << 20) + (1 << 17))]
    [InlineData(5L << 30, 5L << 30)]
    public void Blocks_waste_at_most_an_eighth(long bytes, long block) => Assert.Equal(block, MemoryPool.BlockSize(bytes));

    [Fact]
    public void Every_request_fits_its_block_and_the_block_itself()
    {
        var random = new Random(1);
        for (int i = 0; i < 10000; i++)
        {
            long bytes = random.NextInt64(1L << random.Next(1, 40));
            long block = MemoryPool.BlockSize(bytes);
            Assert.InRange(bytes, 0, block);
            Assert.True(block <= 512 || block - bytes <= Math.Max(512, bytes / 8), $"{bytes} in {block}");
            Assert.Equal(block, MemoryPool.BlockSize(block));
        }
    }

    [Fact]
    public void Freed_memory_is_given_out_again_as_zeros()
    {
        using var device = new CudaDevice(_driver, 0);
        nint first;
        using (Tensor tensor = device.StoreTensor([1, 2, 3], 3))
        {
            first = tensor.Address;
        }
        using Tensor next = device.AllocateZeros(5);
        Assert.Equal(first, next.Address);
        Assert.Equal(new float[5], next.ToArray());
        Assert.Equal(1, _driver.Calls("Allocate"));
        Assert.Equal(0, _driver.Calls("Free"));
        using Tensor other = device.Allocate(3);
        Assert.NotEqual(first, other.Address);
    }

    [Fact]
    public void Without_the_cache_every_size_is_exact_and_every_free_reaches_the_driver()
    {
        using var device = new CudaDevice(_driver, 0, new CudaOptions { CacheMemory = false });
        Tensor a = device.Allocate(3);
        using DeviceArray<double> b = device.AllocateArray<double>(5);
        using Tensor empty = device.Allocate(0, 7);
        Assert.Equal([4, 12, 40], _driver.LiveSizes.Order());
        Assert.Equal(52, device.AllocatedBytes);
        a.Dispose();
        a.Dispose();
        Assert.Equal(1, _driver.Calls("Free"));
        Assert.Equal([4, 40], _driver.LiveSizes.Order());
        Assert.Equal(40, device.AllocatedBytes);
    }

    [Fact]
    public void Disposing_frees_everything_and_later_disposals_are_harmless()
    {
        Tensor kept;
        using (var device = new CudaDevice(_driver, 0))
        {
            kept = device.StoreTensor([1], 1);
            device.Allocate(100).Dispose();
            Assert.NotEmpty(_driver.Live);
        }
        Assert.Empty(_driver.Live);
        kept.Dispose();
        Assert.Throws<ObjectDisposedException>(() => kept.Device.Allocate(1));
    }

    [Fact]
    public void The_finaliser_leaves_the_freeing_to_the_devices_thread()
    {
        using var device = new CudaDevice(_driver, 0, new CudaOptions { CacheMemory = false });
        Forget(device);
        int before = _driver.Calls("Free");
        GC.Collect();
        GC.WaitForPendingFinalizers();
        Assert.Equal(before, _driver.Calls("Free"));
        Assert.Equal(0, device.AllocatedBytes);
        device.Synchronize();
        Assert.Equal(before + 10, _driver.Calls("Free"));
        Assert.Empty(_driver.LiveSizes);

        [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
        static void Forget(CudaDevice device)
        {
            for (int i = 0; i < 10; i++) device.Allocate(100);
        }
    }

    [Fact]
    public void Before_it_runs_out_it_gives_back_what_it_kept()
    {
        using var device = new CudaDevice(_driver, 0);
        device.Allocate(1000).Dispose();
        bool full = true;
        _driver.Fault = (call, _) =>
        {
            bool fails = full && call == "Allocate";
            if (fails) full = false;
            return fails ? CudaResult.OutOfMemory : null;
        };
        using Tensor tensor = device.Allocate(100_000);
        Assert.Equal(1, _driver.Calls("Free"));
        Assert.Single(_driver.LiveSizes);
    }

    [Fact]
    public void Running_out_names_the_size_and_what_helps()
    {
        using var device = new CudaDevice(_driver, 0);
        using Tensor held = device.Allocate(1 << 20);
        _driver.Fault = (call, _) => call == "Allocate" ? CudaResult.OutOfMemory : null;
        var e = Assert.Throws<DeviceException>(() => device.Allocate(3 << 20));
        Assert.Equal("cuda:0 has no room for 12.0 MiB: 512.0 GiB of 1024.0 GiB are free, 4.0 MiB are in this run's use", e.Message);
        Assert.True(e.IsOutOfMemory);
        Assert.Equal(4 << 20, device.AllocatedBytes);
        _driver.Fault = null;
        using Tensor after = device.Allocate(3 << 20);
    }

    [Fact]
    public void A_plan_asks_nothing_of_the_driver_also_where_the_gpu_is_full()
    {
        using var device = new CudaDevice(_driver, 0);
        using Tensor held = device.StoreTensor([1, 2, 3], 3);
        _driver.Fault = (_, _) => CudaResult.OutOfMemory;
        long planned = device.PlannedBytes(() =>
        {
            using Tensor large = device.StoreTensor(new float[3 << 10], 3, 1 << 10);
            device.LayerNorm(
                large, large.Slice(0, 4), large.Slice(0, 4), 0, 3, 4, device.Allocate(3), device.Allocate(3), device.Allocate(3, 4));
            held.Upload(large.ToArray().AsSpan(0, 3));
        });
        _driver.Fault = null;
        Assert.Equal((12 << 10) + 24 + 48, planned);
        Assert.Equal([1, 2, 3], held.ToArray());
    }

    [Fact]
    public void An_upload_that_fails_leaves_nothing_behind()
    {
        using var device = new CudaDevice(_driver, 0, new CudaOptions { CacheMemory = false });
        _driver.Fault = (call, _) => call == "CopyToDevice" ? CudaResult.InvalidValue : null;
        Assert.Throws<DeviceException>(() => device.StoreTensor([1, 2], 2));
        Assert.Throws<DeviceException>(() => device.Store<int>([1, 2]));
        Assert.Throws<DeviceException>(() => ReceivedFrom(device, new float[2 << 20]));
        _driver.Fault = null;
        Assert.Empty(_driver.LiveSizes);
        Assert.Equal(0, device.AllocatedBytes);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(1000)]
    [InlineData((16 << 18) - 1)]
    [InlineData((3 * (16 << 18)) + 17)]
    public void Adopted_memory_arrives_whole_through_the_staging(int length)
    {
        using var device = new CudaDevice(_driver, 0);
        float[] values = [.. Enumerable.Range(0, length).Select(i => (float)i)];
        using Tensor tensor = ReceivedFrom(device, values);
        Assert.Equal(values, tensor.ToArray());
        int chunks = length * 4 < 1 << 20 ? 1 : (length + (16 << 18) - 1) / (16 << 18);
        Assert.Equal(chunks, _driver.Calls("CopyToDevice"));
        Assert.Equal(length * 4 < 1 << 20 ? 0 : 2, _driver.Calls("AllocatePinned"));
    }

    [Fact]
    public void A_buffer_is_filled_again_only_after_its_copy_is_done()
    {
        var order = new List<string>();
        _driver.Fault = (call, _) =>
        {
            if (call is "CopyToDevice" or "RecordEvent" or "SynchronizeEvent") order.Add(call[0..1]);
            return null;
        };
        using var device = new CudaDevice(_driver, 0);
        using Tensor tensor = ReceivedFrom(device, new float[5 * (16 << 18)]);
        Assert.Equal("SCRSCRSCRSCRSCR", string.Concat(order));
    }

    [Fact]
    public void Staging_that_cannot_be_allocated_leaves_nothing_behind()
    {
        using var device = new CudaDevice(_driver, 0, new CudaOptions { CacheMemory = false });
        string[] before = [.. _driver.Live];
        _driver.Fault = (call, count) => call == "CreateEvent" && count == 1 ? CudaResult.OutOfMemory : null;
        Assert.Throws<DeviceException>(() => ReceivedFrom(device, new float[1 << 20]));
        _driver.Fault = null;
        Assert.Equal(before, _driver.Live);
    }

    [Fact]
    public void A_scope_frees_what_is_left_in_it()
    {
        using var device = new CudaDevice(_driver, 0, new CudaOptions { CacheMemory = false });
        using Tensor outside = device.Allocate(1);
        using (new AllocationScope(device))
        {
            device.Allocate(10);
            using Tensor disposed = device.Allocate(20);
            outside.Dispose();
            using (new AllocationScope(device)) device.Allocate(30);
            Assert.Equal([40, 80], _driver.LiveSizes.Order());
            using (var inner = new AllocationScope(device))
            {
                device.Allocate(40);
                inner.Keep();
            }
            Assert.Equal([40, 80, 160], _driver.LiveSizes.Order());
        }
        Assert.Empty(_driver.LiveSizes);
        Tensor kept;
        using (var scope = new AllocationScope(device))
        {
            kept = device.Allocate(5);
            scope.Keep();
        }
        Assert.Equal([20L], _driver.LiveSizes);
        kept.Dispose();
        Assert.Empty(_driver.LiveSizes);
    }

    private static Tensor ReceivedFrom(CudaDevice device, float[] values) =>
        device.Receive([values.Length], to => Marshal.Copy(values, 0, to, values.Length));
}
