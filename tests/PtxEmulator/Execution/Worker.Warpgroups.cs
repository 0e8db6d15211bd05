using Gradpath.Kernels.Cuda.Driver;
using Gradpath.PtxEmulator.Compile;
using Gradpath.PtxEmulator.Ptx;

namespace Gradpath.PtxEmulator.Execution;

/// <summary>
/// What the warps of a warpgroup do together. A product is made when its group is waited for: until then its sums are what they were, and
/// its operands must stay what they are.
/// </summary>
internal sealed unsafe partial class Worker
{
    private const int WarpgroupThreads = 128;

    private readonly record struct FlyingProduct(Collective Collective, ulong A, ulong B, bool Adds, int Group);

    private sealed class WarpgroupState
    {
        public List<FlyingProduct> Products { get; } = [];

        /// <summary>The group that is being filled, from 1.</summary>
        public int Group { get; set; } = 1;

        public int Registers { get; set; }

        public int Agent { get; init; }
    }

    private readonly List<WarpgroupState> _warpgroups = [];

    // Registers of a thread at the launch, which setmaxnreg trades with; 0 where the code does not bound them.
    private int LaunchRegisters => LaunchRoom.Bound(_launch.Kernel.Ptx);

    private void BeginWarpgroups()
    {
        _warpgroups.Clear();
        for (int first = 0; first + WarpgroupThreads <= _threads; first += WarpgroupThreads)
        {
            int number = first / WarpgroupThreads;
            _warpgroups.Add(new WarpgroupState
            {
                Registers = LaunchRegisters,
                Agent = _orders?.Add($"wgmma of warpgroup {number}", "nothing orders this behind its wgmma.wait_group", 0) ?? 0,
            });
        }
    }

    // Does what all four warps of a warpgroup have come to; false if there is nothing.
    private bool MeetWarpgroups()
    {
        bool done = false;
        for (int first = 0; first < _threads; first += WarpgroupThreads)
        {
            int at = _status[first];
            if (at < 0 || !_launch.Kernel.Collectives[at].OfWarpgroup) continue;
            if (first + WarpgroupThreads > _threads) throw Fault(first, "a warpgroup is four warps, and the block's last has fewer");
            bool all = true;
            for (int thread = first; all && thread < first + WarpgroupThreads; thread++) all = _status[thread] == at;
            if (!all || !DoWarpgroup(_launch.Kernel.Collectives[at], first)) continue;
            for (int thread = first; thread < first + WarpgroupThreads; thread++) _status[thread] = Ready;
            done = true;
        }
        return done;
    }

    private bool DoWarpgroup(Collective collective, int first)
    {
        WarpgroupState state = _warpgroups[first / WarpgroupThreads];
        switch (collective.Kind)
        {
            case CollectiveKind.WarpgroupFence:
                _orders?.MeetReads(Warpgroup(first));
                break;
            case CollectiveKind.WarpgroupCommit:
                state.Group++;
                break;
            case CollectiveKind.WarpgroupWait:
                WaitForProducts(state, first, state.Group - 1 - collective.Number);
                break;
            case CollectiveKind.WarpgroupRegisters:
                return SetRegisters(collective, state, first);
            default:
                BeginProduct(collective, state, first);
                break;
        }
        return true;
    }

    private void BeginProduct(Collective collective, WarpgroupState state, int first)
    {
        WarpgroupProduct product = collective.Product!;
        Frame* frame = FrameOf(first);
        if (product.Unfenced is { } register)
            throw Fault(first, $"wgmma.fence is missing: '{register}' may have been touched since the last one, or there was none");
        ulong a = *(ulong*)frame->Exchange, b = *(ulong*)(frame->Exchange + 2);
        uint adds = frame->Exchange[4];
        bool inMemory = product.Factors.Length == 0;
        for (int thread = first + 1; thread < first + WarpgroupThreads; thread++)
        {
            Frame* other = FrameOf(thread);
            if ((inMemory && *(ulong*)other->Exchange != a) || *(ulong*)(other->Exchange + 2) != b || other->Exchange[4] != adds)
                throw Fault(thread, $"the operands of wgmma are not those of thread {first} of the warpgroup");
        }
        foreach (FlyingProduct flying in state.Products)
        {
            WarpgroupProduct other = flying.Collective.Product!;
            if (product.Factors.Intersect(other.Sums).Any() || product.Sums.Intersect(other.Factors).Any())
                throw Fault(first, $"wgmma reads or writes as sums what the product of line {Line(flying)} has as factors, or the reverse");
        }
        if (inMemory) ReadMatrix(collective, state, first, "A", a, product.OfA, product.TransposeA);
        ReadMatrix(collective, state, first, "B", b, product.OfB, product.TransposeB);
        state.Products.Add(new(collective, a, b, adds != 0, state.Group));
        if (_statistics is not null) _statistics.MatrixFlops += 2L * WarpgroupProduct.Rows * product.Width * product.Depth;
    }

    private static int Line(FlyingProduct product) => product.Collective.Instruction.Line;

    private void ReadMatrix(
        Collective collective, WarpgroupState state, int first, string name, ulong bits, (int Lines, int Pieces) size, bool transposed)
    {
        var descriptor = new MatrixDescriptor(bits);
        int line = collective.Instruction.Line;
        CurrentThread = first;
        if (descriptor.Wrong(size.Lines, size.Pieces, transposed) is { } wrong)
            throw Wrong(line, $"misaligned descriptor of {name}: {wrong}", CudaResult.MisalignedAddress);
        (int Writer, uint Clock, int How) known = default;
        for (int row = 0; row < size.Lines; row++)
        {
            for (int piece = 0; piece < size.Pieces; piece++)
            {
                ulong address = descriptor.Piece(row, piece, transposed);
                ReadAsync(FrameOf(first), WarpgroupThreads, state.Agent, (uint)state.Group, address, line, ref known);
            }
        }
    }

    private void WaitForProducts(WarpgroupState state, int first, int done)
    {
        Frame* frame = FrameOf(first);
        foreach (FlyingProduct flying in state.Products)
        {
            if (flying.Group > done) break;
            flying.Collective.Product!.Multiply((byte*)frame, _frameBytes, arena.Host(frame->SharedBase), flying.A, flying.B, flying.Adds,
                _launch.Options.TensorCores);
        }
        state.Products.RemoveAll(p => p.Group <= done);
        if (_orders is null || done < 1) return;
        for (int thread = first; thread < first + WarpgroupThreads; thread++) _orders.Learn(thread, state.Agent, (uint)done);
    }

    // A bulk copy is about to write: no product that is under way may read there.
    private void CheckProducts(ulong target, uint bytes, int line)
    {
        for (int group = 0; group < _warpgroups.Count; group++)
        {
            foreach (FlyingProduct flying in _warpgroups[group].Products)
            {
                WarpgroupProduct product = flying.Collective.Product!;
                bool reads = (product.Factors.Length == 0 && Overlaps(flying.A, product.OfA, product.TransposeA))
                    || Overlaps(flying.B, product.OfB, product.TransposeB);
                if (!reads) continue;
                throw Wrong(line, $"race: a bulk copy writes what wgmma of warpgroup {group} (line {Line(flying)}) still reads: "
                    + "wgmma.wait_group has not waited for it");
            }
        }

        bool Overlaps(ulong bits, (int Lines, int Pieces) size, bool transposed)
        {
            var descriptor = new MatrixDescriptor(bits);
            for (int row = 0; row < size.Lines; row++)
            {
                for (int piece = 0; piece < size.Pieces; piece++)
                {
                    ulong address = descriptor.Piece(row, piece, transposed);
                    if (address + 16 > target && address < target + bytes) return true;
                }
            }
            return false;
        }
    }

    /// <summary>A thread reads or writes a register that may belong to a product under way.</summary>
    /// <param name="frame">The thread.</param>
    /// <param name="register">Where its frame holds it.</param>
    /// <param name="writes">Whether it is written.</param>
    /// <param name="line">The line of the PTX.</param>
    public void TouchInFlight(Frame* frame, int register, bool writes, int line)
    {
        int number = frame->Thread / WarpgroupThreads;
        if (number >= _warpgroups.Count) return;
        foreach (FlyingProduct flying in _warpgroups[number].Products)
        {
            WarpgroupProduct product = flying.Collective.Product!;
            bool isSum = Array.IndexOf(product.Sums, register) >= 0;
            if (!isSum && (!writes || Array.IndexOf(product.Factors, register) < 0)) continue;
            throw Wrong(line,
                $"{(isSum ? "a sum" : "A's register")} of wgmma (line {Line(flying)}) is {(writes ? "written" : "read")} here before "
                + "wgmma.wait_group has waited for it");
        }
    }

    private bool SetRegisters(Collective collective, WarpgroupState state, int first)
    {
        int count = collective.Number;
        bool more = collective.Mode == "inc";
        if (LaunchRegisters == 0) throw Fault(first, "setmaxnreg needs a kernel with bounds, .maxntid or .maxnreg");
        if (more ? count < state.Registers : count > state.Registers)
            throw Fault(first, $"setmaxnreg.{collective.Mode} to {count} registers, where the warpgroup has {state.Registers}");
        int all = (_threads + WarpgroupThreads - 1) / WarpgroupThreads * LaunchRegisters;
        if (_warpgroups.Sum(w => w.Registers) - state.Registers + count > all) return false;
        state.Registers = count;
        return true;
    }

    // Why a warpgroup does not go on.
    private FaultException? StuckInWarpgroup()
    {
        for (int thread = 0; thread < _threads; thread++)
        {
            if (_status[thread] < 0 || _launch.Kernel.Collectives[_status[thread]] is not { OfWarpgroup: true } collective) continue;
            int first = thread / WarpgroupThreads * WarpgroupThreads, end = Math.Min(first + WarpgroupThreads, _threads);
            int other = Array.FindIndex(_status, first, end - first, s => s != _status[thread]);
            if (other >= 0)
            {
                return Fault(
                    thread, $"divergent warpgroup: '{collective.Instruction.Text}' waits for thread {other}, which {Where(other)}");
            }
            if (collective.Kind != CollectiveKind.WarpgroupRegisters) continue;
            int have = LaunchRegisters * _warpgroups.Count;
            return Fault(thread, $"deadlock: setmaxnreg waits for {collective.Number} registers a thread; the block's {_warpgroups.Count} "
                + $"warpgroups share {have} and hold {string.Join(" + ", _warpgroups.Select(w => w.Registers))}");
        }
        return null;
    }
}
