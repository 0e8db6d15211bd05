using System.Runtime.InteropServices;

namespace Gradpath.Kernels.Tests;

/// <summary>Plans of memory, on every device: counted as it would be taken, and nothing else happens.</summary>
public sealed class PlanningTests
{
    [Fact]
    public void A_plan_counts_the_most_that_is_held_at_one_time() => OpBench.Run(bench =>
    {
        Device device = bench.Device;
        void Work()
        {
            using Tensor a = device.Allocate(100, 3);
            using (DeviceArray<double> b = device.Store<double>([1, 2, 3])) device.AllocateArray<byte>(7).Dispose();
            using Tensor c = device.StoreTensor([1, 2], 2);
            using SequenceLayout layout = new(device, [3, 4], 2);
        }
        long planned = device.PlannedBytes(Work);
        device.ResetPeak();
        long before = device.AllocatedBytes;
        Work();
        Assert.Equal(device.PeakBytes - before, planned);
        Assert.True(planned > 1200);
        return [];
    });

    [Fact]
    public void The_devices_counters_and_scopes_stay_as_they_are() => OpBench.Run(bench =>
    {
        Device device = bench.Device;
        using AllocationScope scope = new(device);
        Tensor held = device.AllocateZeros(5), freed = device.Allocate(7);
        (long Allocated, long Peak, long Reserved) before = (device.AllocatedBytes, device.PeakBytes, device.ReservedBytes);
        long planned = device.PlannedBytes(() =>
        {
            device.ResetPeak();
            using (AllocationScope inner = new(device)) device.Allocate(1000);
            device.Allocate(10);
            freed.Dispose();
        });
        Assert.Equal(4000, planned);
        Assert.Same(scope, device.Scope);
        Assert.Equal(
            (before.Allocated - 28, before.Peak, before.Reserved), (device.AllocatedBytes, device.PeakBytes, device.ReservedBytes));
        Assert.Equal(5, held.ToArray().Length);
        return [];
    });

    [Fact]
    public void Operations_check_their_operands_and_do_nothing() => OpBench.Run(bench =>
    {
        Device device = bench.Device;
        Tensor real = bench.Store([1, 2, 3, 4]);
        float[] downloaded = [9, 9, 9, 9];
        device.PlannedBytes(() =>
        {
            using Tensor planned = device.Allocate(2, 2), product = device.Allocate(2, 2);
            device.Fill(real, 7, 4);
            real.Upload([5, 6]);
            device.Gemm(real.AsMatrix(2, 2), planned.AsMatrix(), product.AsMatrix());
            device.CopyBlock(real, 0, planned, 0, 4);
            real.Download(downloaded);
            device.Synchronize();
            Assert.False(device.Replays);
            using RecordedPass slot = new();
            int runs = 0;
            for (int i = 0; i < 3; i++) device.Replay(slot, 0, _ => runs++);
            Assert.Equal((3, 0), (runs, slot.Runs));

            // Planned tensors have places of their own, so overlaps are seen.
            Assert.Throws<ArgumentException>(() => device.Fill(planned, 0, 5));
            Assert.Throws<ArgumentException>(() => device.Gemm(planned.AsMatrix(), real.AsMatrix(2, 2), planned.AsMatrix()));
            Assert.Throws<ArgumentException>(() => device.CopyBlock(planned, 0, planned.Slice(1, 3), 0, 2));
        });
        Assert.Equal([0, 0, 0, 0], downloaded);
        Assert.Equal([1, 2, 3, 4], real.ToArray());
        return [];
    });

    [Fact]
    public void What_was_planned_is_dead_when_the_plan_is_over() => OpBench.Run(bench =>
    {
        Device device = bench.Device;
        Tensor? whole = null, part = null;
        device.PlannedBytes(() =>
        {
            whole = device.Allocate(8);
            part = whole.Slice(2, 3);
        });
        Assert.Throws<ObjectDisposedException>(() => device.Fill(whole!, 0, 1));
        Assert.Throws<ObjectDisposedException>(() => part!.ToArray());
        whole!.Dispose();
        using Tensor real = device.Allocate(3);
        Assert.Throws<ObjectDisposedException>(() => device.PlannedBytes(() => device.Fill(whole, 0, 1)));
        device.Fill(real, 2, 3);
        Assert.Equal([2, 2, 2], real.ToArray());
        return [];
    });

    [Fact]
    public void A_plan_that_fails_ends() => OpBench.Run(bench =>
    {
        Device device = bench.Device;
        Tensor? planned = null;
        Assert.Throws<FormatException>(() => device.PlannedBytes(() =>
        {
            planned = device.Allocate(3);
            throw new FormatException();
        }));
        Assert.False(device.IsPlanning);
        Assert.Throws<ObjectDisposedException>(() => planned!.Upload([1]));
        Tensor real = bench.Store([3]);
        device.Fill(real, 4, 1);
        Assert.Equal([4], real.ToArray());
        return [];
    });

    [Fact]
    public void A_plan_within_a_plan_counts_for_itself() => OpBench.Run(bench =>
    {
        Device device = bench.Device;
        long inner = 0;
        long outer = device.PlannedBytes(() =>
        {
            using Tensor first = device.Allocate(10);
            inner = device.PlannedBytes(() => device.Allocate(100));
            using Tensor second = device.Allocate(20);
            device.Fill(first, 0, 10);
        });
        Assert.Equal((120, 400), (outer, inner));
        return [];
    });

    [Fact]
    public void The_host_fills_nothing_in_a_plan() => OpBench.Run(bench =>
    {
        Device device = bench.Device;
        long planned = device.PlannedBytes(() => device.Receive([3], _ => throw new FormatException()).Dispose());
        Assert.Equal(12, planned);
        return [];
    });

    [Fact]
    public void More_than_any_device_has_can_be_planned_quickly() => OpBench.Run(bench =>
    {
        Device device = bench.Device;
        long planned = 0;
        Patience.Within(5, () => planned = device.PlannedBytes(() =>
        {
            for (int i = 0; i < 20_000; i++) device.Allocate(1 << 20, 1 << 8);
        }));
        Assert.Equal(20_000L << 30, planned);
        return [];
    });
}
