using Gradpath.Cuda.Tests.Driver;
using Gradpath.Kernels;
using Gradpath.Kernels.Cuda;
using Gradpath.Kernels.Cuda.Driver;

namespace Gradpath.Cuda.Tests;

/// <summary>Passes that repeat: direct, recorded, replayed; and what may not be part of one.</summary>
public sealed class ReplayTests
{
    private readonly WatchedDriver _driver = new(new HostDriver());

    [Fact]
    public void The_second_run_is_recorded_and_later_ones_are_one_launch()
    {
        using var device = new CudaDevice(_driver, 0);
        using Bench bench = new(device);
        using var slot = new RecordedPass { Repeats = true };
        for (int i = 0; i < 5; i++) device.Replay(slot, bench, static b => b.Run());
        Assert.Equal(2, _driver.Calls("Launch"));
        Assert.Equal(2, _driver.Calls("RecordLaunch"));
        Assert.Equal(4, _driver.Calls("LaunchGraph"));
        Assert.Equal(2, bench.Runs);
        slot.Dispose();
        Assert.DoesNotContain(_driver.Live, l => l.StartsWith("graph", StringComparison.Ordinal));
        device.Replay(slot, bench, static b => b.Run());
        Assert.Equal(4, _driver.Calls("Launch"));
    }

    [Fact]
    public void Without_a_slot_or_without_graphs_every_run_is_direct()
    {
        using (var device = new CudaDevice(_driver, 0, new CudaOptions { Graphs = false }))
        {
            Assert.False(device.Replays);
            using Bench bench = new(device);
            using var slot = new RecordedPass { Repeats = true };
            for (int i = 0; i < 3; i++) device.Replay(slot, bench, static b => b.Run());
        }
        using (var device = new CudaDevice(_driver, 0))
        {
            Assert.True(device.Replays);
            using Bench bench = new(device);
            for (int i = 0; i < 3; i++) device.Replay(null, bench, static b => b.Run());
        }
        Assert.Equal(12, _driver.Calls("Launch"));
        Assert.Equal(0, _driver.Calls("BeginCapture"));
        Assert.Empty(_driver.Live);
    }

    [Fact]
    public void A_pass_of_which_nobody_knows_that_it_repeats_is_recorded_once_it_has()
    {
        using var device = new CudaDevice(_driver, 0);
        using Bench bench = new(device);
        using RecordedPass slot = new();
        for (int i = 1; i <= 3; i++) device.Replay(slot, bench, static b => b.Run());
        Assert.Equal(0, _driver.Calls("BeginCapture"));
        for (int i = 0; i < 2; i++) device.Replay(slot, bench, static b => b.Run());
        Assert.Equal((1, 2), (_driver.Calls("BeginCapture"), _driver.Calls("LaunchGraph")));
    }

    [Fact]
    public void A_pass_within_a_pass_is_part_of_it()
    {
        using var device = new CudaDevice(_driver, 0);
        using Bench bench = new(device);
        using RecordedPass outer = new() { Repeats = true }, inner = new() { Repeats = true };
        for (int i = 0; i < 3; i++)
        {
            device.Replay(outer, (device, bench, inner), static s => s.device.Replay(s.inner, s.bench, static b => b.Run()));
        }
        Assert.Equal(1, _driver.Calls("BeginCapture"));
        Assert.Equal(2, _driver.Calls("LaunchGraph"));
    }

    [Theory]
    [InlineData("an allocation")]
    [InlineData("an upload")]
    [InlineData("a download")]
    [InlineData("waiting for the GPU")]
    public void What_cannot_be_recorded_is_refused_by_name(string what)
    {
        using var device = new CudaDevice(_driver, 0, new CudaOptions { CacheMemory = false });
        using Bench bench = new(device);
        using var slot = new RecordedPass { Repeats = true };
        void Pass(Bench b)
        {
            b.Run();
            if (what == "an allocation") device.Allocate(3).Dispose();
            if (what == "an upload") b.Data.Upload([1f]);
            if (what == "a download") b.Data.Download(new float[1]);
            if (what == "waiting for the GPU") device.Synchronize();
        }
        device.Replay(slot, bench, Pass);
        var e = Assert.Throws<InvalidOperationException>(() => device.Replay(slot, bench, Pass));
        Assert.StartsWith($"{what} cannot be part of a recorded pass", e.Message, StringComparison.Ordinal);
        Assert.Equal(1, _driver.Calls("EndCapture"));
        Assert.DoesNotContain(_driver.Live, l => l.StartsWith("graph", StringComparison.Ordinal));

        // The device goes on as if nothing had been.
        device.Allocate(3).Dispose();
        device.Synchronize();
    }

    [Fact]
    public void An_array_that_is_disposed_within_a_pass_is_freed_after_it()
    {
        using var device = new CudaDevice(_driver, 0, new CudaOptions { CacheMemory = false });
        using Bench bench = new(device);
        using var slot = new RecordedPass { Repeats = true };
        device.Replay(slot, bench, static b => b.Run());
        Tensor other = device.Allocate(7);
        int during = -1;
        device.Replay(slot, bench, b =>
        {
            b.Run();
            other.Dispose();
            during = _driver.Calls("Free");
        });
        Assert.Equal(0, during);
        device.Synchronize();
        Assert.Equal(1, _driver.Calls("Free"));
    }

    [Theory]
    [InlineData("BeginCapture")]
    [InlineData("RecordLaunch")]
    [InlineData("EndCapture")]
    [InlineData("LaunchGraph")]
    public void A_failure_on_the_way_is_reported_and_nothing_is_lost(string call)
    {
        using (var device = new CudaDevice(_driver, 0))
        {
            using Bench bench = new(device);
            using var slot = new RecordedPass { Repeats = true };
            device.Replay(slot, bench, static b => b.Run());
            _driver.Fault = (name, _) => name == call ? CudaResult.StreamCaptureInvalidated : null;
            var e = Assert.Throws<DeviceException>(() => device.Replay(slot, bench, static b => b.Run()));
            Assert.Contains("an earlier error ended the recording (CUDA error 901)", e.Message, StringComparison.Ordinal);
            _driver.Fault = null;
            device.Replay(slot, bench, static b => b.Run());
            device.Synchronize();
        }
        Assert.Empty(_driver.Live);
    }

    [Fact]
    public void Recordings_die_with_the_device()
    {
        var slot = new RecordedPass { Repeats = true };
        using (var device = new CudaDevice(_driver, 0))
        {
            using Bench bench = new(device);
            for (int i = 0; i < 3; i++) device.Replay(slot, bench, static b => b.Run());
        }
        Assert.Empty(_driver.Live);
        slot.Dispose();
    }

    [Fact]
    public void Time_is_taken_between_two_events_that_are_given_back()
    {
        using var device = new CudaDevice(_driver, 0);
        using Bench bench = new(device);
        Assert.Equal(1e-3 / 4, device.Time(bench.Run, 4), 1e-9);
        Assert.Equal(4, bench.Runs);
        Assert.Equal(2, _driver.Calls("RecordEvent"));
        _driver.Fault = (call, _) => call == "SynchronizeEvent" ? CudaResult.NotReady : null;
        Assert.Throws<DeviceException>(() => device.Time(bench.Run, 1));
        _driver.Fault = null;
        Assert.DoesNotContain(_driver.Live, l => l.StartsWith("event", StringComparison.Ordinal));
    }

    private sealed class Bench(CudaDevice device) : IDisposable
    {
        private readonly Tensor _vector = device.Allocate(4);
        private readonly Tensor _moments = device.Allocate(2, 2);
        private readonly Tensor _normed = device.Allocate(2, 4);

        public Tensor Data { get; } = device.Allocate(2, 4);

        public int Runs { get; private set; }

        public void Run()
        {
            Runs++;
            for (int i = 0; i < 2; i++)
            {
                device.LayerNorm(Data, _vector, _vector, 1e-5f, 2, 4, _moments.Slice(0, 2), _moments.Slice(2, 2), _normed);
            }
        }

        public void Dispose()
        {
            _vector.Dispose();
            _moments.Dispose();
            _normed.Dispose();
            Data.Dispose();
        }
    }
}
