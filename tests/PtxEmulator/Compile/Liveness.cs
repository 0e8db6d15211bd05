using Gradpath.PtxEmulator.Ptx;

namespace Gradpath.PtxEmulator.Compile;

/// <summary>Where registers hold a value that is still needed.</summary>
internal sealed class Liveness
{
    private readonly PtxKernel _kernel;
    private readonly Dictionary<Register, int> _numbers = [];
    private readonly BasicBlocks _blocks;
    private readonly ulong[][] _liveIn, _liveOut;

    /// <summary>Looks through a kernel.</summary>
    /// <param name="kernel">The kernel.</param>
    /// <param name="inFlight">Registers that asynchronous products keep in use; null where there are none.</param>
    public Liveness(PtxKernel kernel, InFlight? inFlight = null)
    {
        _kernel = kernel;
        foreach (Register register in kernel.Registers) _numbers.Add(register, _numbers.Count);
        _blocks = new BasicBlocks(kernel);
        int words = (_numbers.Count + 63) / 64;
        _liveIn = [.. _blocks.Starts.Select(_ => new ulong[words])];
        _liveOut = [.. _blocks.Starts.Select(_ => new ulong[words])];
        Solve();
        for (int i = 0; inFlight is not null && i < kernel.Instructions.Count; i++)
        {
            foreach (Register register in inFlight.At(i)) Extend(register, i);
        }
    }

    /// <summary>First and last instruction at which each register must keep its place.</summary>
    public Dictionary<Register, (int First, int Last)> Ranges { get; } = [];

    /// <summary>Most 32-bit words, predicates left out, that hold something needed at one instruction.</summary>
    public int Most { get; private set; }

    private void Solve()
    {
        bool changed = true;
        while (changed)
        {
            changed = false;
            for (int block = _blocks.Starts.Count - 1; block >= 0; block--)
            {
                ulong[] live = _liveOut[block];
                foreach (int next in _blocks.Next[block])
                {
                    for (int w = 0; w < live.Length; w++) live[w] |= _liveIn[next][w];
                }
                live = (ulong[])live.Clone();
                for (int i = _blocks.End(block) - 1; i >= _blocks.Starts[block]; i--) Step(_kernel.Instructions[i], live);
                if (live.AsSpan().SequenceEqual(_liveIn[block])) continue;
                _liveIn[block] = live;
                changed = true;
            }
        }
        for (int block = 0; block < _blocks.Starts.Count; block++) Measure(block);
    }

    // From what is live behind an instruction to what is live before it.
    private void Step(Instruction instruction, ulong[] live)
    {
        foreach (Register written in Written(instruction))
        {
            // Under a predicate the old value may stay.
            if (instruction.Guard is null) live[_numbers[written] / 64] &= ~(1UL << (_numbers[written] % 64));
            else Add(live, written);
        }
        foreach (Register read in Read(instruction)) Add(live, read);
    }

    private void Add(ulong[] live, Register register) => live[_numbers[register] / 64] |= 1UL << (_numbers[register] % 64);

    private void Measure(int block)
    {
        int start = _blocks.Starts[block], end = _blocks.End(block);
        ulong[] live = (ulong[])_liveOut[block].Clone();
        Extend(_liveIn[block], start);
        Extend(live, end - 1);
        for (int i = end - 1; i >= start; i--)
        {
            Instruction instruction = _kernel.Instructions[i];
            foreach (Register register in Written(instruction).Concat(Read(instruction))) Extend(register, i);
            Step(instruction, live);
            Most = Math.Max(Most, Words(live));
        }
    }

    private int Words(ulong[] live)
    {
        int words = 0;
        for (int w = 0; w < live.Length; w++)
        {
            for (ulong rest = live[w]; rest != 0; rest &= rest - 1)
            {
                PtxType type = _kernel.Registers[(w * 64) + System.Numerics.BitOperations.TrailingZeroCount(rest)].Type;
                words += type == PtxType.Pred ? 0 : type.IsWide() ? 2 : 1;
            }
        }
        return words;
    }

    private void Extend(ulong[] live, int at)
    {
        for (int n = 0; n < _numbers.Count; n++)
        {
            if ((live[n / 64] >> (n % 64) & 1) != 0) Extend(_kernel.Registers[n], at);
        }
    }

    private void Extend(Register register, int at)
    {
        (int First, int Last) range = Ranges.GetValueOrDefault(register, (at, at));
        Ranges[register] = (Math.Min(range.First, at), Math.Max(range.Last, at));
    }

    private static bool HasResult(Instruction i) => i.Op switch
    {
        "st" or "red" or "bra" or "brx" or "ret" or "exit" or "trap" or "cp"
            or "membar" or "fence" or "prefetch" or "prefetchu" or "nanosleep" or "pmevent" or "setmaxnreg" or "stmatrix" => false,
        "mbarrier" => i.Operands[0] is not AddressOperand,
        "wgmma" => i.Has("mma_async"),
        "bar" or "barrier" => i.Has("red"),
        _ => true,
    };

    /// <summary>The registers that an instruction writes.</summary>
    public static IEnumerable<Register> Written(Instruction i) => HasResult(i) ? Inside(i.Operands[0]) : [];

    /// <summary>The registers that an instruction reads.</summary>
    public static IEnumerable<Register> Read(Instruction i)
    {
        // A product of a warpgroup adds to its first operand, unless it says that it does not.
        bool adds = InFlight.IsProduct(i) && i.Operands[3] is not ImmediateOperand { Bits: 0 };
        IEnumerable<Register> read = i.Operands.Skip(HasResult(i) && !adds ? 1 : 0).SelectMany(Inside);
        return i.Guard is { } guard ? read.Append(guard.Register) : read;
    }

    private static IEnumerable<Register> Inside(Operand operand) => operand switch
    {
        RegisterOperand register => [register.Register],
        AddressOperand address => Inside(address.Base),
        VectorOperand vector => vector.Elements.SelectMany(Inside),
        PairOperand pair => Inside(pair.First).Concat(Inside(pair.Second)),
        _ => [],
    };
}
