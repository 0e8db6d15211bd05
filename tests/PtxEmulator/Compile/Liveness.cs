using Gradpath.PtxEmulator.Ptx;

namespace Gradpath.PtxEmulator.Compile;

/// <summary>Where registers hold a value that is still needed.</summary>
internal sealed class Liveness
{
    private readonly PtxKernel _kernel;
    private readonly Dictionary<Register, int> _numbers = [];
    private readonly List<int> _starts = [];
    private readonly ulong[][] _liveIn, _liveOut;
    private readonly int[][] _next;

    public Liveness(PtxKernel kernel)
    {
        _kernel = kernel;
        foreach (Register register in kernel.Registers) _numbers.Add(register, _numbers.Count);
        int count = kernel.Instructions.Count;
        var leaders = new SortedSet<int> { 0 };
        for (int i = 0; i < count; i++)
        {
            leaders.UnionWith(ControlFlow.Targets(kernel.Instructions[i]));
            if (ControlFlow.Ends(kernel.Instructions[i])) leaders.Add(i + 1);
        }
        leaders.Remove(count);
        _starts.AddRange(leaders);
        _next = [.. Enumerable.Range(0, _starts.Count).Select(Successors)];
        int words = (_numbers.Count + 63) / 64;
        _liveIn = [.. _starts.Select(_ => new ulong[words])];
        _liveOut = [.. _starts.Select(_ => new ulong[words])];
        Solve();
    }

    /// <summary>First and last instruction at which each register must keep its place.</summary>
    public Dictionary<Register, (int First, int Last)> Ranges { get; } = [];

    /// <summary>Most 32-bit words, predicates left out, that hold something needed at one instruction.</summary>
    public int Most { get; private set; }

    private int End(int block) => block + 1 < _starts.Count ? _starts[block + 1] : _kernel.Instructions.Count;

    private int[] Successors(int block)
    {
        int end = End(block);
        Instruction last = _kernel.Instructions[end - 1];
        IEnumerable<int> next = ControlFlow.Targets(last);
        if (!ControlFlow.NeverFallsThrough(last)) next = next.Append(end);
        return [.. next.Where(i => i < _kernel.Instructions.Count).Select(i => _starts.BinarySearch(i)).Distinct()];
    }

    private void Solve()
    {
        bool changed = true;
        while (changed)
        {
            changed = false;
            for (int block = _starts.Count - 1; block >= 0; block--)
            {
                ulong[] live = _liveOut[block];
                foreach (int next in _next[block])
                {
                    for (int w = 0; w < live.Length; w++) live[w] |= _liveIn[next][w];
                }
                live = (ulong[])live.Clone();
                for (int i = End(block) - 1; i >= _starts[block]; i--) Step(_kernel.Instructions[i], live);
                if (live.AsSpan().SequenceEqual(_liveIn[block])) continue;
                _liveIn[block] = live;
                changed = true;
            }
        }
        for (int block = 0; block < _starts.Count; block++) Measure(block);
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
        int start = _starts[block], end = End(block);
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
            or "membar" or "fence" or "prefetch" or "prefetchu" or "nanosleep" or "pmevent" => false,
        "bar" or "barrier" => i.Has("red"),
        _ => true,
    };

    /// <summary>The registers that an instruction writes.</summary>
    public static IEnumerable<Register> Written(Instruction i) => HasResult(i) ? Inside(i.Operands[0]) : [];

    /// <summary>The registers that an instruction reads.</summary>
    public static IEnumerable<Register> Read(Instruction i)
    {
        IEnumerable<Register> read = i.Operands.Skip(HasResult(i) ? 1 : 0).SelectMany(Inside);
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
