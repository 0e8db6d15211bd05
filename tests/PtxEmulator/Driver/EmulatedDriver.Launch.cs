using Gradpath.Kernels.Cuda.Driver;
using Gradpath.PtxEmulator.Compile;
using Gradpath.PtxEmulator.Execution;
using Gradpath.PtxEmulator.Memory;
using Gradpath.PtxEmulator.Ptx;

namespace Gradpath.PtxEmulator;

/// <summary>Launches.</summary>
internal sealed unsafe partial class EmulatedDriver
{
    private readonly List<Worker> _workers = [];
    private readonly Dictionary<string, KernelStatistics> _statistics = [];
    private readonly HashSet<(string Kernel, int Threads, int SharedBytes)> _shapes = [];
    private ulong _launchNumber;
    private long _launches;

    /// <summary>Name of the kernel whose next launch fails.</summary>
    public string? FailNextLaunch { get; set; }

    /// <summary>How many kernels were launched; may be read from any thread.</summary>
    public long Launches => Interlocked.Read(ref _launches);

    /// <summary>What was launched, by the kernels' names. Traffic is counted only where the options ask for it.</summary>
    public IReadOnlyDictionary<string, KernelStatistics> Statistics => _statistics;

    /// <summary>Every kernel that was launched, with the threads and the dynamic shared memory of its blocks.</summary>
    public IReadOnlyCollection<(string Kernel, int Threads, int SharedBytes)> Shapes => _shapes;

    public void Launch(nint function, Grid grid, int threads, int sharedBytes, nint stream, ReadOnlySpan<nint> arguments)
    {
        const string call = "cuLaunchKernel";
        Check(call);
        Function launched = Get(_functions, function, call);
        CompiledKernel kernel = launched.Kernel;
        if (grid.X < 1 || grid.Y is < 1 or > 65535 || grid.Z is < 1 or > 65535)
            throw new CudaException(call, CudaResult.InvalidValue, $"'{kernel.Name}': a grid of {grid.X} x {grid.Y} x {grid.Z} blocks");
        if (threads is < 1 or > 1024)
            throw new CudaException(call, CudaResult.InvalidValue, $"'{kernel.Name}': a block of {threads} threads");
        if (threads > kernel.Ptx.MaxThreads)
            throw new CudaException(
                call, CudaResult.LaunchOutOfResources, $"'{kernel.Name}' was compiled for {kernel.Ptx.MaxThreads} threads, not {threads}");
        if (sharedBytes < 0 || sharedBytes + kernel.StaticSharedBytes > launched.AllowedSharedBytes)
        {
            throw new CudaException(call, CudaResult.InvalidValue,
                $"'{kernel.Name}': {sharedBytes} bytes of dynamic and {kernel.StaticSharedBytes} of static shared memory; allowed are "
                + $"{launched.AllowedSharedBytes}");
        }
        if (_options.Resources && LaunchRoom.Missing(kernel, _options, threads, sharedBytes) is { } missing)
            throw new CudaException(call, CudaResult.LaunchOutOfResources, missing);
        if (arguments.Length != kernel.Ptx.Parameters.Count)
        {
            throw new CudaException(call, CudaResult.InvalidValue,
                $"'{kernel.Name}' has {kernel.Ptx.Parameters.Count} parameters, {arguments.Length} are given");
        }
        byte[] block = new byte[kernel.ParameterBytes];
        for (int i = 0; i < arguments.Length; i++)
        {
            PtxVariable parameter = kernel.Ptx.Parameters[i];
            new ReadOnlySpan<byte>((void*)arguments[i], parameter.Bytes).CopyTo(block.AsSpan(parameter.Offset));
        }
        _shapes.Add((kernel.Name, threads, sharedBytes));
        Queue(call, stream, () => Run(launched, grid, threads, sharedBytes, block));
    }

    private void Run(Function function, Grid grid, int threads, int sharedBytes, byte[] arguments)
    {
        CompiledKernel kernel = function.Kernel;
        Interlocked.Increment(ref _launches);
        if (FailNextLaunch == kernel.Name)
        {
            FailNextLaunch = null;
            Fail(CudaResult.LaunchFailed, $"kernel {kernel.Name}: the launch was made to fail");
            return;
        }
        if (_options.DryRun) return;
        if (!_statistics.TryGetValue(kernel.Name, out KernelStatistics? statistics))
            _statistics.Add(kernel.Name, statistics = new KernelStatistics { Name = kernel.Name });
        var launch = new LaunchContext(kernel, grid, threads, sharedBytes, arguments, function.Module.Variables, NextNumber(), _arena!,
            _options, _options.Count ? statistics : null);
        int workers = (int)Math.Min(launch.Blocks, _options.Races ? 1 : Math.Clamp(_options.HostThreads, 1, Arena.Windows));
        while (_workers.Count < workers) _workers.Add(new Worker(_arena!, _workers.Count));
        long next = -1;
        if (workers == 1) Work(0);
        else Parallel.For(0, workers, new ParallelOptions { MaxDegreeOfParallelism = workers }, Work);
        statistics.Launches++;
        statistics.Blocks += launch.Blocks;
        statistics.Threads = threads;
        statistics.DynamicSharedBytes = sharedBytes;
        for (int i = 0; i < workers; i++)
        {
            statistics.Instructions += _workers[i].Instructions;
            if (launch.Statistics is not null) _workers[i].AddTo(statistics);
        }

        void Work(int index)
        {
            Worker worker = _workers[index];
            worker.Begin(launch);
            long block;
            while ((block = Interlocked.Increment(ref next)) < launch.Blocks)
            {
                try
                {
                    worker.Run(block);
                }
                catch (FaultException fault)
                {
                    Interlocked.Exchange(ref next, launch.Blocks);
                    lock (_statistics) Fail(fault.Result, Report(function, launch, worker, block, fault));
                    return;
                }
            }
        }
    }

    // Stamps have room for 2047 launches; then all begin anew.
    private ulong NextNumber()
    {
        if (_options.Races && ++_launchNumber > Races.LastLaunch)
        {
            _arena!.ClearStamps(Arena.GlobalStart, _allocations!.Used);
            _launchNumber = 1;
        }
        return _launchNumber;
    }

    private string Report(Function function, LaunchContext launch, Worker worker, long block, FaultException fault)
    {
        long x = block % launch.Grid.X, y = block / launch.Grid.X % launch.Grid.Y, z = block / launch.Grid.X / launch.Grid.Y;
        List<Instruction> line = launch.Kernel.Ptx.Instructions.FindAll(i => i.Line == fault.Line);
        Instruction? instruction = line.Count == 0 ? null : line[0];
        // In a kernel of inline assembly several may share a line; which of them it was the words tell.
        string texts = string.Join("; ", line.Take(4).Select(i => i.Text)) + (line.Count > 4 ? "; .." : "");
        string place = instruction is null
            ? ""
            : $" line {fault.Line} ({texts}{(instruction.Source is { } source ? $", {source}" : "")})";
        string more = "";
        if (fault.Address >= Arena.Base + Arena.GlobalStart) more = $"; {_allocations!.Describe(fault.Address)}";
        else if (fault.Unwritten) more = worker.CopyUnderWay(fault.Address);
        int thread = fault.Thread >= 0 ? fault.Thread : worker.CurrentThread;
        return $"kernel {launch.Kernel.Name}, {function.Module.Name}{place}, block ({x}, {y}, {z}), thread {thread}: {fault.Message}{more}";
    }
}
