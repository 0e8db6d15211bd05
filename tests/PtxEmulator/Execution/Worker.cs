using System.Runtime.InteropServices;
using Gradpath.Kernels.Cuda.Driver;
using Gradpath.PtxEmulator.Compile;
using Gradpath.PtxEmulator.Memory;

namespace Gradpath.PtxEmulator.Execution;

/// <summary>
/// Runs blocks, one at a time, on one host thread. A thread runs until it ends or meets others; a warp's lanes run one after another,
/// then what they meet for is done; when all warps wait, the barrier they wait at opens.
/// </summary>
internal sealed unsafe partial class Worker(Arena arena, int window) : IDisposable
{
    private const int Lanes = 32, Ready = -3;
    private const long Turn = 1 << 20;
    private readonly int[] _status = new int[1024];
    private readonly ulong* _times = (ulong*)NativeMemory.AllocZeroed(1 + (2 * Lanes), sizeof(ulong));
    private byte* _frames, _parameters;
    private nuint _frameCapacity, _parameterCapacity;
    private LaunchContext _launch = null!;
    private ThreadCode _code = null!;
    private int _threads, _frameBytes, _live;
    private ulong _clock;
    private bool _yielded;

    /// <summary>The thread that runs, for reports.</summary>
    public int CurrentThread { get; private set; }

    /// <summary>Instructions that the threads of all blocks ran since <see cref="Begin"/>.</summary>
    public long Instructions { get; private set; }

    // Time of the block's last barrier at 0, from 1 on of each warp's last bar.warp.sync, then of each warp's last meeting.
    private ulong* BarrierTime => _times;

    private ulong* WarpTime(int warp) => _times + 1 + warp;

    private ulong* MeetTime(int warp) => _times + 1 + Lanes + warp;

    private Frame* FrameOf(int thread) => (Frame*)(_frames + ((long)thread * _frameBytes));

    /// <summary>Makes ready for the blocks of a launch.</summary>
    public void Begin(LaunchContext launch)
    {
        _launch = launch;
        _code = launch.Kernel.Code.Value;
        _threads = launch.Threads;
        _frameBytes = launch.Kernel.FrameBytes;
        Instructions = 0;
        nuint bytes = (nuint)((long)_threads * _frameBytes);
        if (bytes > _frameCapacity)
        {
            NativeMemory.AlignedFree(_frames);
            _frames = (byte*)NativeMemory.AlignedAlloc(_frameCapacity = bytes, 64);
        }
        if ((nuint)launch.Arguments.Length > _parameterCapacity)
        {
            NativeMemory.AlignedFree(_parameters);
            _parameters = (byte*)NativeMemory.AlignedAlloc(_parameterCapacity = (nuint)launch.Arguments.Length, 16);
        }
        launch.Arguments.CopyTo(new Span<byte>(_parameters, launch.Arguments.Length));
        ForgetOrders(launch: true);
        BeginTrace(launch);
    }

    /// <summary>Runs one block.</summary>
    /// <exception cref="FaultException">A thread did what it must not.</exception>
    public void Run(long block)
    {
        Prepare(block);
        int warps = (_threads + Lanes - 1) / Lanes;
        while (true)
        {
            bool ran = _yielded = false;
            for (int warp = 0; warp < warps; warp++) ran |= RunWarp(warp);
            if (_live == 0) break;
            if (_launch.Kernel.IsAsynchronous) ran = GoOn(ran);
            if (!ran && !OpenBarriers() && !Land()) throw Stuck();
        }
        if (_launch.Kernel.IsAsynchronous) EndAsynchronous();
        for (int thread = 0; thread < _threads; thread++) Instructions += FrameOf(thread)->Instructions;
    }

    private void Prepare(long block)
    {
        (int x, int y, int z) = (
            (int)(block % _launch.Grid.X), (int)(block / _launch.Grid.X % _launch.Grid.Y), (int)(block / _launch.Grid.X / _launch.Grid.Y));
        int sharedBytes = _launch.SharedBytes, localBytes = _launch.Kernel.LocalBytes, localStride = (localBytes + 15) / 16 * 16;
        ulong shared = Arena.SharedAddress(window), local = Arena.LocalAddress(window);
        if (sharedBytes > 0) arena.Open(shared, sharedBytes);
        if (localBytes > 0) arena.Open(local, (long)localStride * _threads);
        // Registers hold nothing at first: all ones are NaN and -1, which show up in results.
        NativeMemory.Fill(_frames, (nuint)((long)_threads * _frameBytes), 0xFF);
        _clock = 1;
        for (int i = 0; i <= 2 * Lanes; i++) _times[i] = 1;
        if (_launch.Kernel.IsAsynchronous && _launch.Options.Races) WatchShared(shared, sharedBytes);
        else Unwatch();
        for (int thread = 0; thread < _threads; thread++)
        {
            *FrameOf(thread) = new Frame
            {
                Data = arena.Data,
                State = arena.State,
                Stamps = _launch.Options.Races ? arena.Stamps : null,
                SharedBase = shared,
                LocalBase = local + ((ulong)thread * (ulong)localStride),
                ModuleBase = _launch.ModuleBase,
                Parameters = _parameters,
                BarrierTime = BarrierTime,
                WarpTime = WarpTime(thread / Lanes),
                MeetTime = MeetTime(thread / Lanes),
                Identity = (_launch.Number << Races.LaunchShift) | (((ulong)block & 65535) << Races.BlockShift) | (
                    (ulong)thread << Races.ThreadShift),
                YieldAt = Turn,
                DynamicSharedBytes = _launch.DynamicSharedBytes,
                SharedBytes = sharedBytes,
                LocalBytes = localBytes,
                TidX = thread,
                NTidX = _threads,
                NTidY = 1,
                NTidZ = 1,
                CtaX = x,
                CtaY = y,
                CtaZ = z,
                NCtaX = _launch.Grid.X,
                NCtaY = _launch.Grid.Y,
                NCtaZ = _launch.Grid.Z,
                Watch = _orders is null ? null : _orders.State,
                Lane = thread % Lanes,
                Warp = thread / Lanes,
                Thread = thread,
            };
            _status[thread] = Ready;
        }
        _live = _threads;
        ForgetOrders(launch: false);
        ClearCopies();
        if (_launch.Kernel.IsAsynchronous) BeginAsynchronous();
    }

    private bool RunWarp(int warp)
    {
        int first = warp * Lanes, end = Math.Min(first + Lanes, _threads);
        bool any = false;
        while (true)
        {
            bool ran = false;
            for (int thread = first; thread < end; thread++)
            {
                if (_status[thread] != Ready) continue;
                ran = true;
                RunThread(thread);
            }
            if (!ran) return any;
            any = true;
            EndTrace();
            if (!Meet(warp, first, end)) return true;
        }
    }

    private void RunThread(int thread)
    {
        CurrentThread = thread;
        Frame* frame = FrameOf(thread);
        int result = _code(frame, this);
        if (result >= 0)
        {
            _status[thread] = result;
        }
        else if (result == CompiledKernel.Exited)
        {
            _status[thread] = CompiledKernel.Exited;
            _live--;
            FinishCopies(frame);
            if (_launch.Kernel.IsAsynchronous) FinishBulkStores(frame);
        }
        else
        {
            if (frame->Instructions > _launch.Options.InstructionLimit)
            {
                throw new FaultException(
                    CudaResult.LaunchTimeout, 0, $"the thread has run {frame->Instructions} instructions and does not end");
            }
            frame->YieldAt = frame->Instructions + Turn;
            _yielded = true;
        }
    }

    private void Tick()
    {
        _clock++;
        if (_clock < Races.LastTime) return;
        // The clock does not fit into stamps any longer: from here on this block is not watched for races.
        _clock = Races.LastTime;
        for (int thread = 0; thread < _threads; thread++) FrameOf(thread)->Stamps = null;
    }

    public void Dispose()
    {
        _watch?.Dispose();
        NativeMemory.AlignedFree(_frames);
        NativeMemory.AlignedFree(_parameters);
        NativeMemory.Free(_times);
        _frames = _parameters = null;
    }
}
