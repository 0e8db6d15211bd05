using System.Text;
using Gradpath.Kernels.Cuda.Driver;
using static Gradpath.PtxEmulator.Tests.PtxRun;

namespace Gradpath.PtxEmulator.Tests;

/// <summary>Work is done at the latest moment that CUDA allows, so host code that counts on an earlier one is found out.</summary>
public sealed unsafe class DeferredTests : IDisposable
{
    private static readonly byte[] s_copy = Encoding.ASCII.GetBytes(
        Kernel("ld.global.b32 %r1, [%rd0]; add.u32 %r1, %r1, 1; st.global.b32 [%rd1], %r1;"));

    private EmulatedDriver _driver = null!;
    private nint _stream, _function, _from, _to;

    public static TheoryData<bool> Both => [false, true];

    public void Dispose() => _driver?.Dispose();

    private void Open(bool deferred)
    {
        _driver = new EmulatedDriver(new EmulatorOptions { Deferred = deferred });
        _driver.CreateContext(0);
        _stream = _driver.CreateStream();
        _function = _driver.GetFunction(_driver.LoadModule("test.ptx", s_copy), "kernel");
        (_from, _to) = (_driver.Allocate(4), _driver.Allocate(4));
    }

    private void AddOne() => Launch(_driver, _function, 1, 1, 0, _stream, _from, _to);

    private int Download()
    {
        int value;
        _driver.CopyToHost((nint)(&value), _to, 4, _stream);
        _driver.Synchronize(_stream);
        return value;
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void Correct_code_gets_the_same(bool deferred)
    {
        Open(deferred);
        int value = 41;
        _driver.CopyToDevice(_from, (nint)(&value), 4, _stream);
        value = 0; // pageable: it has been read
        AddOne();
        Assert.Equal(deferred ? 2 : 0, _driver.Pending);
        Assert.Equal(42, Download());
        Assert.Equal(0, _driver.Pending);
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void A_download_is_there_once_it_was_waited_for(bool deferred)
    {
        Open(deferred);
        _driver.FillBytes(_to, 0, 4, _stream);
        int value = 5;
        _driver.CopyToHost((nint)(&value), _to, 4, _stream);
        Assert.Equal(deferred ? -1 : 0, value);
        _driver.Synchronize(_stream);
        Assert.Equal(0, value);
    }

    [Theory]
    [InlineData(false, 41)]
    [InlineData(true, 99)]
    public void Page_locked_memory_that_is_used_again_too_early_shows(bool deferred, int expected)
    {
        Open(deferred);
        var pinned = (int*)_driver.AllocatePinned(4);
        *pinned = 40;
        _driver.CopyToDevice(_from, (nint)pinned, 4, _stream);
        *pinned = 98;
        AddOne();
        Assert.Equal(expected, Download());
        _driver.FreePinned((nint)pinned);
    }

    [Theory]
    [InlineData(false, 41)]
    [InlineData(true, 0)] // all ones, and one
    public void Page_locked_memory_that_is_freed_too_early_shows(bool deferred, int expected)
    {
        Open(deferred);
        var pinned = (int*)_driver.AllocatePinned(4);
        *pinned = 40;
        _driver.CopyToDevice(_from, (nint)pinned, 4, _stream);
        _driver.FreePinned((nint)pinned);
        AddOne();
        Assert.Equal(expected, Download());
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void An_event_waits_for_what_came_before_it(bool deferred)
    {
        Open(deferred);
        nint first = _driver.CreateEvent(), second = _driver.CreateEvent();
        _driver.SynchronizeEvent(first); // never recorded: nothing to wait for
        var pinned = (int*)_driver.AllocatePinned(4);
        *pinned = 40;
        _driver.CopyToDevice(_from, (nint)pinned, 4, _stream);
        _driver.RecordEvent(first, _stream);
        AddOne();
        _driver.RecordEvent(second, _stream);
        Action ask = () => _driver.ElapsedMilliseconds(first, second);
        if (deferred) Assert.Equal(CudaResult.NotReady, Assert.Throws<CudaException>(ask).Result);
        _driver.SynchronizeEvent(first);
        Assert.Equal(deferred ? 2 : 0, _driver.Pending);
        *pinned = 98; // its copy is done
        Assert.Equal(41, Download());
        Assert.True(_driver.ElapsedMilliseconds(first, second) >= 0);
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void Another_stream_is_not_waited_for(bool deferred)
    {
        Open(deferred);
        nint other = _driver.CreateStream();
        _driver.FillBytes(_from, 0, 4, other);
        _driver.FillBytes(_to, 0, 4, _stream);
        AddOne();
        if (!deferred)
        {
            Assert.Equal(1, Download());
            return;
        }
        CudaException fault = Assert.Throws<CudaException>(() => Download());
        Assert.Contains("never written", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void A_kernels_fault_shows_at_the_next_wait(bool deferred)
    {
        Open(deferred);
        AddOne(); // its input was never written
        Action next = () => _driver.FillBytes(_to, 0, 4, _stream);
        if (deferred) next();
        else Assert.Equal(CudaResult.LaunchFailed, Assert.Throws<CudaException>(next).Result);
        CudaException fault = Assert.Throws<CudaException>(() => _driver.Synchronize(_stream));
        Assert.Equal((CudaResult.LaunchFailed, "cuStreamSynchronize"), (fault.Result, fault.Call));
        Assert.Throws<CudaException>(() => _driver.Allocate(4));
    }

    /// <summary>A graph's copies read page-locked memory when they run, launch after launch.</summary>
    [Theory]
    [InlineData(false, 11, 12)]
    [InlineData(true, 12, 12)]
    public void Graphs_run_when_they_are_waited_for(bool deferred, int first, int second)
    {
        Open(deferred);
        nint kept = _driver.Allocate(4);
        var pinned = (int*)_driver.AllocatePinned(4);
        _driver.BeginCapture(_stream);
        _driver.CopyToDevice(_from, (nint)pinned, 4, _stream);
        AddOne();
        nint graph = _driver.EndCapture(_stream);
        *pinned = 10;
        _driver.LaunchGraph(graph, _stream);
        _driver.CopyOnDevice(kept, _to, 4, _stream);
        *pinned = 11; // too early
        _driver.LaunchGraph(graph, _stream);
        _driver.DestroyGraph(graph);
        Assert.Equal(deferred ? 5 : 0, _driver.Pending);
        Assert.Equal(second, Download());
        _driver.CopyOnDevice(_to, kept, 4, _stream);
        Assert.Equal(first, Download());
    }

    [Fact]
    public void Freeing_device_memory_waits()
    {
        Open(deferred: true);
        _driver.FillBytes(_from, 0, 4, _stream);
        AddOne();
        _driver.Free(_from);
        Assert.Equal(0, _driver.Pending);
        Assert.Equal(1, Download());
    }

    [Fact]
    public void What_is_left_at_the_end_is_let_go()
    {
        Open(deferred: true);
        nint pinned = _driver.AllocatePinned(4);
        _driver.CopyToDevice(_from, pinned, 4, _stream);
        _driver.FreePinned(pinned);
        _driver.Dispose();
        Assert.Equal((0, 0), (_driver.Pending, _driver.LivePinned));
    }
}
