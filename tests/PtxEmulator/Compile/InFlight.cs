using Gradpath.PtxEmulator.Ptx;

namespace Gradpath.PtxEmulator.Compile;

/// <summary>
/// Which registers of wgmma products may be in flight at each instruction, and which may have been touched since the last wgmma.fence:
/// whatever may be on some way through the code. Whether an access meets a product under way is for the running thread to say.
/// </summary>
internal sealed class InFlight
{
    private const byte Landed = 255, Oldest = 254, Read = 1, Written = 2;
    private readonly PtxKernel _kernel;
    private readonly Dictionary<Register, int> _numbers = [];
    private readonly BasicBlocks _blocks;
    private readonly Dictionary<int, Register[]> _pending = [];
    private readonly Dictionary<int, Register> _unfenced = [];

    private InFlight(PtxKernel kernel)
    {
        _kernel = kernel;
        foreach (Instruction i in kernel.Instructions.Where(IsProduct))
        {
            foreach (Register register in Sums(i).Concat(Factors(i))) _numbers.TryAdd(register, _numbers.Count);
        }
        _blocks = new BasicBlocks(kernel);
        Solve();
    }

    // Of each register how many groups were committed since its product began, and how it was touched since the last fence.
    private sealed record State(byte[] Ages, byte[] Touched)
    {
        public State Copy() => new((byte[])Ages.Clone(), (byte[])Touched.Clone());

        public bool Join(State other)
        {
            bool changed = false;
            for (int n = 0; n < Ages.Length; n++)
            {
                byte age = Math.Min(Ages[n], other.Ages[n]), touched = (byte)(Touched[n] | other.Touched[n]);
                changed |= age != Ages[n] || touched != Touched[n];
                (Ages[n], Touched[n]) = (age, touched);
            }
            return changed;
        }
    }

    /// <summary>Looks through a kernel.</summary>
    /// <param name="kernel">The kernel.</param>
    /// <returns>What was found; null where the kernel has no such products.</returns>
    public static InFlight? Of(PtxKernel kernel) => kernel.Instructions.Exists(IsProduct) ? new InFlight(kernel) : null;

    /// <summary>Whether an instruction is a product of a warpgroup.</summary>
    /// <param name="i">The instruction.</param>
    public static bool IsProduct(Instruction i) => i.Op == "wgmma" && i.Has("mma_async");

    /// <summary>The registers of a product's sums.</summary>
    /// <param name="i">The product.</param>
    public static IEnumerable<Register> Sums(Instruction i) => Registers(i.Operands[0]);

    /// <summary>The registers of A; none where a descriptor says where it lies.</summary>
    /// <param name="i">The product.</param>
    public static IEnumerable<Register> Factors(Instruction i) => i.Operands[1] is VectorOperand ? Registers(i.Operands[1]) : [];

    /// <summary>The registers that may be in flight where an instruction begins.</summary>
    /// <param name="index">The instruction's index.</param>
    public Register[] At(int index) => _pending.GetValueOrDefault(index, []);

    /// <summary>A register of a product that may have been touched since the last fence; null where none was.</summary>
    /// <param name="index">The product's index.</param>
    public Register? Unfenced(int index) => _unfenced.GetValueOrDefault(index);

    private static IEnumerable<Register> Registers(Operand operand) =>
        operand is VectorOperand vector ? vector.Elements.OfType<RegisterOperand>().Select(r => r.Register) : [];

    private void Solve()
    {
        int count = _numbers.Count;
        var into = new State?[_blocks.Starts.Count];
        into[0] = new State([.. Enumerable.Repeat(Landed, count)], [.. Enumerable.Repeat((byte)(Read | Written), count)]);
        var todo = new Queue<int>([0]);
        while (todo.TryDequeue(out int block))
        {
            State state = into[block]!.Copy();
            for (int i = _blocks.Starts[block]; i < _blocks.End(block); i++) Step(_kernel.Instructions[i], state);
            foreach (int next in _blocks.Next[block])
            {
                if (into[next] is { } known && !known.Join(state)) continue;
                into[next] ??= state.Copy();
                if (!todo.Contains(next)) todo.Enqueue(next);
            }
        }
        for (int block = 0; block < into.Length; block++)
        {
            if (into[block] is not { } state) continue;
            for (int i = _blocks.Starts[block]; i < _blocks.End(block); i++)
            {
                Note(i, state);
                Step(_kernel.Instructions[i], state);
            }
        }
    }

    private void Note(int index, State state)
    {
        Register[] pending = [.. _numbers.Where(r => state.Ages[r.Value] != Landed).Select(r => r.Key)];
        if (pending.Length > 0) _pending.Add(index, pending);
        Instruction instruction = _kernel.Instructions[index];
        if (!IsProduct(instruction)) return;
        Register? touched = Sums(instruction).FirstOrDefault(r => state.Touched[_numbers[r]] != 0)
            ?? Factors(instruction).FirstOrDefault(r => (state.Touched[_numbers[r]] & Written) != 0);
        if (touched is not null) _unfenced.Add(index, touched);
    }

    private void Step(Instruction i, State state)
    {
        if (IsProduct(i))
        {
            foreach (Register register in Sums(i).Concat(Factors(i))) state.Ages[_numbers[register]] = 0;
            return;
        }
        if (i.Op == "wgmma")
        {
            int waits = i.Has("wait_group") && i.Operands is [ImmediateOperand { Bits: var groups }] ? (int)groups : int.MaxValue;
            for (int n = 0; n < state.Ages.Length; n++)
            {
                if (i.Has("fence")) state.Touched[n] = 0;
                else if (state.Ages[n] == Landed) continue;
                else if (i.Has("commit_group")) state.Ages[n] = Math.Min((byte)(state.Ages[n] + 1), Oldest);
                else if (state.Ages[n] > waits) state.Ages[n] = Landed;
            }
            return;
        }
        foreach (Register register in Liveness.Read(i)) Touch(register, Read);
        foreach (Register register in Liveness.Written(i)) Touch(register, Written);

        void Touch(Register register, byte how)
        {
            if (_numbers.TryGetValue(register, out int number)) state.Touched[number] |= how;
        }
    }
}
