using Gradpath.PtxEmulator.Compile;
using Gradpath.PtxEmulator.Memory;
using Gradpath.PtxEmulator.Ptx;

namespace Gradpath.PtxEmulator.Execution;

/// <summary>
/// Counts traffic as warps make it. Lanes run one after another, so the n-th run of an instruction by each lane since the warp last
/// stopped is taken to be one access of the warp; where lanes branch apart this pairs accesses that the hardware would not.
/// </summary>
internal sealed unsafe partial class Worker
{
    private List<ulong>[][]? _trace;
    private readonly List<int> _traced = [];
    private bool[] _isTraced = [];
    private KernelStatistics? _statistics;

    private void BeginTrace(LaunchContext launch)
    {
        _statistics = launch.Statistics is null ? null : new KernelStatistics { Name = launch.Kernel.Name };
        _trace = launch.Statistics is null ? null : new List<ulong>[launch.Kernel.MemoryInstructions.Length][];
        _isTraced = new bool[launch.Kernel.MemoryInstructions.Length];
        _traced.Clear();
    }

    /// <summary>Notes an access of the running thread.</summary>
    public void Record(Frame* frame, ulong address, int instruction)
    {
        if (_trace is null) return;
        List<ulong>[]? lanes = _trace[instruction];
        if (lanes is null)
        {
            _trace[instruction] = lanes = new List<ulong>[Lanes];
            for (int lane = 0; lane < Lanes; lane++) lanes[lane] = [];
        }
        if (!_isTraced[instruction])
        {
            _isTraced[instruction] = true;
            _traced.Add(instruction);
        }
        lanes[frame->Lane].Add(address);
    }

    private void RecordLoadMatrix(Collective collective, Frame* frame, ulong address)
    {
        if (_trace is null) return;
        int index = Array.FindIndex(_launch.Kernel.MemoryInstructions, m => m.Instruction == collective.Instruction);
        Record(frame, address, index);
    }

    private void CountMatrix(Collective collective)
    {
        if (_statistics is null) return;
        int depth = collective.Mode.StartsWith("m16n8k16", StringComparison.Ordinal)
            ? 16
            : collective.Mode.StartsWith("m16n8k8", StringComparison.Ordinal) ? 8 : 4;
        _statistics.MatrixFlops += 2L * 16 * 8 * depth;
    }

    /// <summary>Adds what this worker counted to the launch's statistics.</summary>
    public void AddTo(KernelStatistics statistics)
    {
        if (_statistics is not null) statistics.Add(_statistics);
    }

    // The warp has stopped: takes the accesses noted since it went on.
    private void EndTrace()
    {
        if (_trace is null || _traced.Count == 0) return;
        Span<ulong> addresses = stackalloc ulong[Lanes];
        foreach (int index in _traced)
        {
            List<ulong>[] lanes = _trace[index];
            MemoryInstruction instruction = _launch.Kernel.MemoryInstructions[index];
            int most = lanes.Max(l => l.Count);
            for (int k = 0; k < most; k++)
            {
                int count = 0;
                foreach (List<ulong> lane in lanes)
                {
                    if (lane.Count > k) addresses[count++] = lane[k];
                }
                CountAccess(instruction, addresses[..count]);
            }
            foreach (List<ulong> lane in lanes) lane.Clear();
            _isTraced[index] = false;
        }
        _traced.Clear();
    }

    private void CountAccess(MemoryInstruction instruction, Span<ulong> addresses)
    {
        ulong shared = Arena.SharedAddress(window);
        bool isShared = instruction.Space == Space.Shared
            || (instruction.Space == Space.Generic && addresses[0] - shared < (ulong)Arena.SharedWindow);
        if (isShared)
        {
            // A phase serves 128 bytes: 32 lanes of 4 bytes, 16 of 8, 8 of 16.
            int phase = Math.Min(Lanes, 128 / instruction.Bytes);
            for (int start = 0; start < addresses.Length; start += phase)
            {
                _statistics!.SharedRequests++;
                _statistics.SharedConflicts += Traffic.BankTurns(addresses[start..Math.Min(start + phase, addresses.Length)],
                    instruction.Bytes) - 1;
            }
            return;
        }
        long bytes = (long)addresses.Length * instruction.Bytes, sectors = Traffic.Sectors(addresses, instruction.Bytes);
        _statistics!.GlobalRequests++;
        if (instruction.Store)
        {
            _statistics.GlobalBytesWritten += bytes;
            _statistics.GlobalSectorsWritten += sectors;
        }
        else
        {
            _statistics.GlobalBytesRead += bytes;
            _statistics.GlobalSectorsRead += sectors;
        }
    }
}
