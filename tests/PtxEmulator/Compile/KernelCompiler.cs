using System.Reflection;
using System.Reflection.Emit;
using Gradpath.PtxEmulator.Execution;
using Gradpath.PtxEmulator.Ptx;

namespace Gradpath.PtxEmulator.Compile;

/// <summary>
/// Makes a kernel's instructions into IL that runs a single thread. Registers live in the thread's frame, so the code can return at a
/// collective and be called again to go on behind it.
/// </summary>
/// <remarks>A long kernel becomes several methods: the runtime does not optimise one of more than 20,000 instructions of IL.</remarks>
internal sealed unsafe partial class KernelCompiler
{
    private const int PieceLength = 900;

    private readonly PtxKernel _kernel;
    private readonly bool _count;
    private readonly DynamicMethod[] _methods;
    private readonly Dictionary<int, Label> _ways = [];
    private readonly List<Collective> _collectives = [];
    private readonly List<MemoryInstruction> _memory = [];
    private readonly List<(int Piece, Label Label)> _resume = [];
    private readonly Dictionary<int, int> _entries = [];
    private readonly Label[] _labels;
    private readonly Dictionary<PtxVariable, int> _sharedOffsets = [];
    private readonly Dictionary<PtxVariable, int> _localOffsets = [];
    private readonly Dictionary<string, Action<Instruction>> _emitters;
    private int _sharedBytes, _localBytes, _dynamicOffset;
    private bool _asynchronous;
    private InFlight? _inFlight;
    private ILGenerator _il = null!;
    private int _index, _piece;

    private KernelCompiler(PtxKernel kernel, bool count)
    {
        _kernel = kernel;
        _count = count;
        int length = kernel.Instructions.Count;
        _methods =
        [
            .. Enumerable.Range(0, (length / PieceLength) + 1).Select(_ => new DynamicMethod(
                kernel.Name, typeof(int), [typeof(Frame*), typeof(Worker)], typeof(KernelCompiler).Module, skipVisibility: true)),
        ];
        foreach (DynamicMethod method in _methods) method.GetILGenerator(Math.Min(length, PieceLength) * 32);
        _labels = [.. Enumerable.Range(0, length + 1).Select(i => _methods[i / PieceLength].GetILGenerator().DefineLabel())];
        _emitters = Emitters();
    }

    /// <exception cref="PtxException">An instruction is not emulated.</exception>
    public static CompiledKernel Compile(PtxKernel kernel, bool count) => new KernelCompiler(kernel, count).Compile();

    private CompiledKernel Compile()
    {
        _inFlight = InFlight.Of(_kernel);
        (int frameBytes, int live) = RegisterLayout.Place(_kernel, (sizeof(Frame) + 15) / 16 * 16, _inFlight);
        PlaceVariables();
        bool[] leaders = Leaders();
        Label[] dispatch = [.. _methods.Select((_, piece) => EmitPiece(piece, leaders))];
        for (int piece = 0; piece < _methods.Length; piece++) EmitDispatch(piece, dispatch[piece]);
        PtxVariable? last = _kernel.Parameters.Count == 0 ? null : _kernel.Parameters[^1];
        return new CompiledKernel
        {
            Ptx = _kernel,
            Code = new(MakeCode),
            Collectives = [.. _collectives],
            MemoryInstructions = [.. _memory],
            IsAsynchronous = _asynchronous,
            FrameBytes = (frameBytes + 63) / 64 * 64,
            ParameterBytes = last is null ? 0 : last.Offset + last.Bytes,
            StaticSharedBytes = _sharedBytes,
            DynamicSharedOffset = _dynamicOffset,
            LocalBytes = _localBytes,
            LiveRegisters = live,
        };
    }

    private Label EmitPiece(int piece, bool[] leaders)
    {
        _il = _methods[_piece = piece].GetILGenerator();
        int count = _kernel.Instructions.Count, end = Math.Min(count, (piece + 1) * PieceLength);
        Label dispatch = _il.DefineLabel();
        _il.Emit(OpCodes.Br, dispatch);
        for (_index = piece * PieceLength; _index < end; _index++)
        {
            _il.MarkLabel(_labels[_index]);
            if (leaders[_index]) CountInstructions(leaders);
            Emit(_kernel.Instructions[_index]);
        }
        if (piece + 1 < _methods.Length)
        {
            _il.Emit(OpCodes.Br, LabelOf(end));
        }
        else
        {
            _il.MarkLabel(_labels[^1]);
            _il.Emit(OpCodes.Ldc_I4, CompiledKernel.Exited);
            _il.Emit(OpCodes.Ret);
        }
        foreach ((int target, Label way) in _ways)
        {
            _il.MarkLabel(way);
            SetResume(EntryOf(target));
            _il.Emit(OpCodes.Ldc_I4, CompiledKernel.Jumped);
            _il.Emit(OpCodes.Ret);
        }
        _ways.Clear();
        return dispatch;
    }

    // Resume 0 is the start.
    private void EmitDispatch(int piece, Label dispatch)
    {
        _il = _methods[piece].GetILGenerator();
        Label elsewhere = _il.DefineLabel();
        _il.MarkLabel(dispatch);
        Field(nameof(Frame.Resume));
        Label start = piece == 0 ? _labels[0] : elsewhere;
        _il.Emit(OpCodes.Switch, [start, .. _resume.Select(r => r.Piece == piece ? r.Label : elsewhere)]);
        _il.MarkLabel(elsewhere);
        _il.Emit(OpCodes.Ldc_I4, CompiledKernel.Exited);
        _il.Emit(OpCodes.Ret);
    }

    private ThreadCode MakeCode()
    {
        ThreadCode[] codes = [.. _methods.Select(m => m.CreateDelegate<ThreadCode>())];
        if (codes.Length == 1) return codes[0];
        int[] pieces = [0, .. _resume.Select(r => r.Piece)];
        return (frame, worker) =>
        {
            int result;
            do result = codes[pieces[frame->Resume]](frame, worker);
            while (result == CompiledKernel.Jumped);
            return result;
        };
    }

    // Where a branch goes for an instruction: to it, or to the way out to its piece.
    private Label LabelOf(int target)
    {
        if (target / PieceLength == _piece) return _labels[target];
        if (!_ways.TryGetValue(target, out Label way)) _ways.Add(target, way = _il.DefineLabel());
        return way;
    }

    // The number under which the code goes on at an instruction.
    private int EntryOf(int target)
    {
        if (_entries.TryGetValue(target, out int entry)) return entry;
        _resume.Add((target / PieceLength, _labels[target]));
        _entries.Add(target, _resume.Count);
        return _resume.Count;
    }

    private void PlaceVariables()
    {
        var shared = new List<PtxVariable>();
        foreach (Operand operand in _kernel.Instructions.SelectMany(i => i.Operands))
        {
            Operand inner = operand is AddressOperand address ? address.Base : operand;
            if (inner is not SymbolOperand symbol || symbol.Scope.FindVariable(symbol.Name) is not { Space: Space.Shared } variable)
                continue;
            if (!shared.Contains(variable)) shared.Add(variable);
        }
        int dynamicAlign = 16;
        foreach (PtxVariable variable in shared)
        {
            if (variable.Dynamic)
            {
                dynamicAlign = Math.Max(dynamicAlign, variable.Align);
                continue;
            }
            _sharedBytes = (_sharedBytes + variable.Align - 1) / variable.Align * variable.Align;
            _sharedOffsets.Add(variable, _sharedBytes);
            _sharedBytes += variable.Bytes;
        }
        _dynamicOffset = (_sharedBytes + dynamicAlign - 1) / dynamicAlign * dynamicAlign;
        foreach (PtxVariable variable in shared.Where(v => v.Dynamic)) _sharedOffsets.Add(variable, _dynamicOffset);
        foreach (PtxVariable variable in _kernel.Locals)
        {
            _localBytes = (_localBytes + variable.Align - 1) / variable.Align * variable.Align;
            _localOffsets.Add(variable, _localBytes);
            _localBytes += variable.Bytes;
        }
    }

    private bool[] Leaders()
    {
        bool[] leaders = new bool[_kernel.Instructions.Count + 1];
        leaders[0] = true;
        for (int i = 0; i < _kernel.Instructions.Count; i++)
        {
            Instruction instruction = _kernel.Instructions[i];
            foreach (int target in ControlFlow.Targets(instruction)) leaders[target] = true;
            if (ControlFlow.Ends(instruction)) leaders[i + 1] = true;
        }
        return leaders;
    }

    private void CountInstructions(bool[] leaders)
    {
        int count = 1;
        while (_index + count < _kernel.Instructions.Count && !leaders[_index + count]) count++;
        _il.Emit(OpCodes.Ldarg_0);
        _il.Emit(OpCodes.Ldflda, FieldOf(nameof(Frame.Instructions)));
        _il.Emit(OpCodes.Dup);
        _il.Emit(OpCodes.Ldind_I8);
        _il.Emit(OpCodes.Ldc_I4, count);
        _il.Emit(OpCodes.Conv_I8);
        _il.Emit(OpCodes.Add);
        _il.Emit(OpCodes.Stind_I8);
    }

    private void Emit(Instruction instruction)
    {
        if (!_emitters.TryGetValue(instruction.Op, out Action<Instruction>? emitter))
        {
            throw new PtxException(instruction.Line, $"unknown instruction '{instruction.Text}'");
        }
        Label? skip = null;
        if (instruction.Guard is { } guard && instruction.Op is not ("bra" or "brx"))
        {
            skip = _il.DefineLabel();
            Push(guard with { Not = false }, PtxType.Pred);
            _il.Emit(guard.Not ? OpCodes.Brtrue : OpCodes.Brfalse, skip.Value);
        }
        if (_inFlight is not null) CheckInFlight(instruction);
        try
        {
            emitter(instruction);
        }
        catch (Exception e) when (e is InvalidCastException or IndexOutOfRangeException or ArgumentException)
        {
            throw new PtxException(instruction.Line, $"'{instruction.Text}' has operands that the emulator does not know ({e.Message})");
        }
        if (skip is { } label) _il.MarkLabel(label);
    }

    private Dictionary<string, Action<Instruction>> Emitters()
    {
        var table = new Dictionary<string, Action<Instruction>>();
        AddArithmetic(table);
        AddLogic(table);
        AddCompare(table);
        AddMove(table);
        AddConvert(table);
        AddMemory(table);
        AddControl(table);
        AddCollectives(table);
        AddAsynchronous(table);
        AddWarpgroups(table);
        return table;
    }

    /// <summary>Refuses modifiers that the emulator would otherwise pass over.</summary>
    private static void Allow(Instruction instruction, params ReadOnlySpan<string> modifiers)
    {
        foreach (string part in instruction.Parts.AsSpan(1))
        {
            if (PtxTypes.Parse(part) == PtxType.None && !modifiers.Contains(part))
            {
                throw new PtxException(instruction.Line, $"unknown instruction '{instruction.Text}': the emulator does not know .{part}");
            }
        }
    }

    private static PtxException Unknown(Instruction instruction, string why = "") =>
        new(instruction.Line, $"unknown instruction '{instruction.Text}'{(why.Length == 0 ? "" : $": {why}")}");

    private static FieldInfo FieldOf(string name) => typeof(Frame).GetField(name)!;

    private void Field(string name)
    {
        _il.Emit(OpCodes.Ldarg_0);
        _il.Emit(OpCodes.Ldfld, FieldOf(name));
    }

    private void Call(Type type, string method) =>
        _il.Emit(OpCodes.Call, type.GetMethod(method, BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)
            ?? throw new MissingMethodException(type.Name, method));
}
