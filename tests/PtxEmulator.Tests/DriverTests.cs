using System.Runtime.InteropServices;
using System.Text;
using Gradpath.Kernels.Cuda.Driver;
using static Gradpath.PtxEmulator.Tests.PtxRun;

namespace Gradpath.PtxEmulator.Tests;

/// <summary>The driver's calls: their order, their errors, what is counted and what can be made to fail.</summary>
public sealed unsafe class DriverTests : IDisposable
{
    // y[i] = 2 y[i] + x[i], one thread each.
    private static readonly string Step = Kernel(
        "mul.wide.u32 %rd2, %r0, 4; add.s64 %rd3, %rd0, %rd2; add.s64 %rd4, %rd1, %rd2; ld.global.u32 %r1, [%rd3]; ld.global.u32 %r2, "
            + "[%rd4]; mad.lo.u32 %r3, %r2, 2, %r1; st.global.u32 [%rd4], %r3;");

    private readonly EmulatedDriver _driver = new(new EmulatorOptions { MemoryLimit = 1 << 20 });
    private readonly nint _context, _stream;

    public DriverTests()
    {
        _context = _driver.CreateContext(0);
        _stream = _driver.CreateStream();
    }

    public void Dispose() => _driver.Dispose();

    private nint Load(string ptx) => _driver.GetFunction(_driver.LoadModule("test.ptx", Encoding.ASCII.GetBytes(ptx)), "kernel");

    private nint Upload(params uint[] values)
    {
        nint memory = _driver.Allocate(4 * values.Length);
        fixed (uint* first = values) _driver.CopyToDevice(memory, (nint)first, 4 * values.Length, _stream);
        return memory;
    }

    private uint[] Download(nint memory, int count)
    {
        uint[] values = new uint[count];
        fixed (uint* first = values) _driver.CopyToHost((nint)first, memory, 4 * count, _stream);
        _driver.Synchronize(_stream);
        return values;
    }

    private static void Fails(CudaResult result, string words, Action call)
    {
        CudaException e = Assert.Throws<CudaException>(call);
        Assert.Equal(result, e.Result);
        Assert.Contains(words, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_graph_does_what_the_recorded_calls_do_with_the_arguments_of_then()
    {
        nint step = Load(Step), x = Upload(1, 2, 3), y = Upload(0, 0, 0), direct = Upload(0, 0, 0);
        for (int i = 0; i < 6; i++) Launch(_driver, step, 1, 3, 0, _stream, x, direct);
        _driver.BeginCapture(_stream);
        nint argument = y;
        nint* arguments = stackalloc nint[2];
        nint first = x;
        (arguments[0], arguments[1]) = ((nint)(&first), (nint)(&argument));
        _driver.Launch(step, 1, 3, 0, _stream, new ReadOnlySpan<nint>(arguments, 2));
        _driver.Launch(step, 1, 3, 0, _stream, new ReadOnlySpan<nint>(arguments, 2));
        nint graph = _driver.EndCapture(_stream);
        argument = 0;
        Assert.Equal([0u, 0, 0], Download(y, 3));
        for (int i = 0; i < 3; i++) _driver.LaunchGraph(graph, _stream);
        Assert.Equal(Download(direct, 3), Download(y, 3));
        Assert.Equal(1, _driver.LiveGraphs);
        _driver.DestroyGraph(graph);
        Assert.Equal(0, _driver.LiveGraphs);
        Fails(CudaResult.InvalidHandle, "cuGraphLaunch", () => _driver.LaunchGraph(graph, _stream));
    }

    [Fact]
    public void Fills_and_copies_are_recorded_too()
    {
        nint y = Upload(1, 2, 3), other = Upload(7, 8, 9);
        nint pinned = _driver.AllocatePinned(12);
        _driver.BeginCapture(_stream);
        _driver.CopyOnDevice(y, other, 8, _stream);
        _driver.FillBytes(y + 8, 1, 4, _stream);
        _driver.CopyToHost(pinned, y, 12, _stream);
        nint graph = _driver.EndCapture(_stream);
        _driver.LaunchGraph(graph, _stream);
        _driver.Synchronize(_stream);
        Assert.Equal([7u, 8, 0x01010101], new Span<uint>((void*)pinned, 3).ToArray());
        _driver.FreePinned(pinned);
        Assert.Equal(0, _driver.LivePinned);
    }

    [Fact]
    public void Calls_that_wait_or_allocate_break_a_recording()
    {
        Action[] calls =
        [
            () => _driver.Allocate(16), () => _driver.Synchronize(_stream), () => _driver.BeginCapture(_stream),
            () => _driver.LoadModule("x", default), () => _driver.AllocatePinned(16), () => _driver.Free(16),
        ];
        foreach (Action call in calls)
        {
            _driver.BeginCapture(_stream);
            Fails(CudaResult.StreamCaptureUnsupported, "recorded", call);
            Fails(CudaResult.StreamCaptureInvalidated, "cuStreamEndCapture", () => _driver.EndCapture(_stream));
        }
        nint memory = Upload(1);
        _driver.BeginCapture(_stream);
        Fails(CudaResult.StreamCaptureUnsupported, "page-locked", () => Upload0(memory));
        _driver.DestroyGraph(_driver.EndCapture(_stream));

        void Upload0(nint target)
        {
            uint value = 1;
            _driver.CopyToDevice(target, (nint)(&value), 4, _stream);
        }
    }

    [Fact]
    public void After_a_fault_every_call_tells_of_it()
    {
        nint bad = Load(Kernel("st.global.u32 [%rd1+64], %r0;")), x = Upload(1);
        Launch(_driver, bad, 1, 1, 0, _stream, x, x);
        Fails(CudaResult.IllegalAddress, "cuStreamSynchronize: ", () => _driver.Synchronize(_stream));
        Fails(CudaResult.IllegalAddress, "kernel kernel, test.ptx", () => _driver.Allocate(16));
        Fails(CudaResult.IllegalAddress, "out-of-bounds", () => Download(x, 1));
    }

    [Fact]
    public void Stale_addresses_are_found()
    {
        nint x = Upload(1, 2, 3), y = Upload(1, 2, 3), step = Load(Step);
        _driver.Free(x);
        Fails(CudaResult.InvalidValue, "double free", () => _driver.Free(x));
        Fails(CudaResult.InvalidValue, "not the start of an allocation", () => _driver.Free(y + 4));
        Fails(CudaResult.InvalidValue, "use after free", () => _driver.FillBytes(x, 0, 4, _stream));
        Assert.NotEqual(x, _driver.Allocate(12));
        Launch(_driver, step, 1, 1, 0, _stream, x, y);
        Fails(CudaResult.IllegalAddress, "use after free: it lies 0 bytes into an allocation of 12 bytes that was freed", () =>
            _driver.Synchronize(_stream));
    }

    [Fact]
    public void Copies_keep_to_their_allocations_and_to_what_was_written()
    {
        nint x = Upload(1, 2, 3), fresh = _driver.Allocate(12);
        Fails(CudaResult.InvalidValue, "16 bytes at", () => _driver.FillBytes(x, 0, 16, _stream));
        Fails(CudaResult.InvalidValue, "cuMemcpyDtoDAsync", () => _driver.CopyOnDevice(x + 8, fresh, 8, _stream));
        Fails(CudaResult.InvalidValue, "overlap", () => _driver.CopyOnDevice(x + 4, x, 8, _stream));
        _driver.CopyOnDevice(fresh, x, 8, _stream);
        Fails(CudaResult.InvalidValue, "byte 8 of 12 was never written", () => Download(fresh, 3));
        Assert.Equal([1u, 2], Download(fresh, 2));
    }

    [Fact]
    public void Launches_that_the_hardware_refuses_are_refused()
    {
        nint step = Load(Step), x = Upload(1);
        Fails(CudaResult.InvalidValue, "1025 threads", () => Launch(_driver, step, 1, 1025, 0, _stream, x, x));
        Fails(CudaResult.InvalidValue, "70000", () => Launch(_driver, step, (1, 70000), 1, 0, _stream, x, x));
        Fails(CudaResult.InvalidValue, "has 2 parameters, 1 are given", () => Launch(_driver, step, 1, 1, 0, _stream, x));
        Fails(CudaResult.InvalidValue, "allowed are 49152", () => Launch(_driver, step, 1, 1, 50000, _stream, x, x));
        Fails(CudaResult.InvalidHandle, "stream", () => Launch(_driver, step, 1, 1, 0, 12345, x, x));
        _driver.AllowSharedMemory(step, 100_000);
        Launch(_driver, step, 1, 1, 50000, _stream, x, x);
        Fails(CudaResult.InvalidValue, "the most are 232448", () => _driver.AllowSharedMemory(step, 300_000));
        nint small = Load(Step.Replace("{\n", ".maxntid 64, 1, 1\n{\n", StringComparison.Ordinal));
        Fails(CudaResult.LaunchOutOfResources, "compiled for 64 threads", () => Launch(_driver, small, 1, 65, 0, _stream, x, x));
        Assert.Equal(64, _driver.DescribeFunction(small).MaxThreads);
    }

    [Fact]
    public void What_is_not_freed_is_counted()
    {
        Assert.Equal((0, 1, 0, 0), (_driver.LiveAllocations, _driver.LiveStreams, _driver.LiveEvents, _driver.LiveModules));
        nint x = Upload(1, 2), module = _driver.LoadModule("test.ptx", Encoding.ASCII.GetBytes(Step)), e = _driver.CreateEvent();
        Assert.Equal((1, 8, 1, 1), (_driver.LiveAllocations, (int)_driver.LiveBytes, _driver.LiveEvents, _driver.LiveModules));
        Assert.Equal(((1 << 20) - 8, 1 << 20), _driver.MemoryInfo());
        _driver.Free(x);
        _driver.UnloadModule(module);
        _driver.DestroyEvent(e);
        _driver.DestroyStream(_stream);
        Assert.Equal((0, 0, 0, 0), (_driver.LiveAllocations, _driver.LiveStreams, _driver.LiveEvents, _driver.LiveModules));
        Assert.Equal(8, _driver.PeakBytes);
        Fails(CudaResult.InvalidHandle, "cuEventDestroy", () => _driver.DestroyEvent(e));
        Fails(CudaResult.InvalidHandle, "cuModuleUnload", () => _driver.UnloadModule(module));
    }

    [Fact]
    public void Failures_can_be_asked_for()
    {
        _driver.FailNextAllocation = true;
        Fails(CudaResult.OutOfMemory, "16 bytes", () => _driver.Allocate(16));
        _driver.Allocate(16);
        _driver.FailAllocationsAbove = 1000;
        Fails(CudaResult.OutOfMemory, "1001 bytes", () => _driver.Allocate(1001));
        _driver.FailAllocationsAbove = long.MaxValue;
        Fails(CudaResult.OutOfMemory, "bytes", () => _driver.Allocate(1 << 20));
        _driver.FailNextModule = "ptxas: no";
        Fails(CudaResult.InvalidPtx, "test.ptx: ptxas: no", () => Load(Step));
        nint step = Load(Step), x = Upload(1);
        _driver.FailNextLaunch = "kernel";
        Launch(_driver, step, 1, 1, 0, _stream, x, x);
        Fails(CudaResult.LaunchFailed, "kernel kernel", () => _driver.Synchronize(_stream));
    }

    [Fact]
    public void Events_tell_the_time_between_them()
    {
        nint start = _driver.CreateEvent(), end = _driver.CreateEvent();
        Fails(CudaResult.InvalidHandle, "not recorded", () => _driver.ElapsedMilliseconds(start, end));
        _driver.RecordEvent(start, _stream);
        Thread.Sleep(5);
        _driver.RecordEvent(end, _stream);
        _driver.SynchronizeEvent(end);
        Assert.InRange(_driver.ElapsedMilliseconds(start, end), 4f, 60000f);
    }

    [Fact]
    public void A_context_is_current_on_the_threads_that_made_it_so()
    {
        Exception? without = null, with = null;
        var thread = new Thread(() =>
        {
            without = Record.Exception(() => _driver.Allocate(4));
            _driver.MakeCurrent(_context);
            with = Record.Exception(() => _driver.Allocate(4));
        });
        thread.Start();
        thread.Join();
        Assert.Equal(CudaResult.InvalidContext, Assert.IsType<CudaException>(without).Result);
        Assert.Null(with);
        _driver.ReleaseContext(0, _context);
        Fails(CudaResult.InvalidContext, "cuMemAlloc", () => _driver.Allocate(4));
        Fails(CudaResult.InvalidDevice, "device 3 of 1", () => _driver.CreateContext(3));
    }

    [Fact]
    public void Variables_of_a_module_hold_their_initial_content()
    {
        const string outside = """
            .const .align 4 .b8 table[8] = {1, 0, 0, 0, 2};
            .global .align 4 .u32 counter = 5;
            .global .align 8 .f64 zero[2];
            """;
        const string body = """
            ld.const.u32 %r1, [table+4]; ld.global.u32 %r2, [counter]; mov.u64 %rd2, zero; ld.global.f64 %d1, [%rd2+8];
            cvt.rzi.u32.f64 %r5, %d1; add.u32 %r3, %r1, %r2; add.u32 %r3, %r3, %r5; st.global.u32 [%rd1], %r3;
            """;
        byte[] result = Run(Kernel(body, outside: outside), [], 4);
        Assert.Equal(7, result[0]);
    }

    [Fact]
    public void Blocks_on_several_host_threads_do_what_blocks_one_after_another_do()
    {
        string ptx = Kernel("mov.u32 %r1, %ctaid.x; mad.lo.u32 %r2, %r1, 32, %r0; mul.wide.u32 %rd2, %r2, 4; add.s64 %rd3, %rd1, %rd2; "
            + "mul.lo.u32 %r3, %r2, %r2; st.global.u32 [%rd3], %r3; red.global.add.u32 [%rd1+65536], 1;");
        byte[] one = Run(ptx, [], 65540, 32, grid: 512, options: new EmulatorOptions { HostThreads = 1, Races = false });
        Assert.Equal(one, Run(ptx, [], 65540, 32, grid: 512, options: new EmulatorOptions { HostThreads = 4, Races = false }));
        Assert.Equal(one, Run(ptx, [], 65540, 32, grid: 512));
        Assert.Equal(512 * 32, MemoryMarshal.Read<int>(one.AsSpan(65536)));
    }
}
