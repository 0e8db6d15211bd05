using System.Reflection;
using System.Reflection.Emit;
using Gradpath.PtxEmulator.Execution;
using Gradpath.PtxEmulator.Ptx;

namespace Gradpath.PtxEmulator.Compile;

/// <summary>
/// Makes a kernel's instructions into one IL method that runs a single thread. Registers live in the thread's frame, so the method
/// can return at a collective and be called again to go on behind it.
/// </summary>
internal sealed unsafe partial class KernelCompiler
{
    private readonly PtxKernel _kernel;
    private readonly bool _count;
    private readonly DynamicMethod _method;
    private readonly ILGenerator _il;
    private readonly List<Collective> _collectives = [];
    private readonly List<MemoryInstruction> _memory = [];
    private readonly List<Label> _resume = [];
    private readonly Dictionary<int, int> _yieldPoints = [];
    private readonly Label[] _labels;
    private readonly Dictionary<PtxVariable, int> _sharedOffsets = [];
    private readonly Dictionary<PtxVariable, int> _localOffsets = [];
    private readonly Dictionary<string, Action<Instruction>> _emitters;
    private int _sharedBytes, _localBytes, _dynamicOffset;
    private int _index;

    private KernelCompiler(PtxKernel kernel, bool count)
    {
        _kernel = kernel;
        _count = count;
        _method = new DynamicMethod(
            kernel.Name, typeof(int), [typeof(Frame*), typeof(Worker)], typeof(KernelCompiler).Module, skipVisibility: true);
        _il = _method.GetILGenerator(kernel.Instructions.Count * 32);
        _labels = [.. Enumerable.Range(0, kernel.Instructions.Count + 1).Select(_ => _il.DefineLabel())];
        _emitters = Emitters();
    }

    /// <exception cref="PtxException">An instruction is not emulated.</exception>
    public static CompiledKernel Compile(PtxKernel kernel, bool count) => new KernelCompiler(kernel, count).Compile();

    private CompiledKernel Compile()
    {
        (int frameBytes, int live) = RegisterLayout.Place(_kernel, (sizeof(Frame) + 15) / 16 * 16);
        PlaceVariables();
        Label start = _il.DefineLabel(), dispatch = _il.DefineLabel();
        _il.Emit(OpCodes.Br, dispatch);
        _il.MarkLabel(start);
        bool[] leaders = Leaders();
        for (_index = 0; _index < _kernel.Instructions.Count; _index++)
        {
            _il.MarkLabel(_labels[_index]);
            if (leaders[_index]) CountInstructions(leaders);
            Emit(_kernel.Instructions[_index]);
        }
        _il.MarkLabel(_labels[^1]);
        _il.Emit(OpCodes.Ldc_I4, CompiledKernel.Exited);
        _il.Emit(OpCodes.Ret);
        _il.MarkLabel(dispatch);
        Field(nameof(Frame.Resume));
        _il.Emit(OpCodes.Switch, [start, .. _resume]);
        _il.Emit(OpCodes.Br, start);
        PtxVariable? last = _kernel.Parameters.Count == 0 ? null : _kernel.Parameters[^1];
        return new CompiledKernel
        {
            Ptx = _kernel,
            Code = new(() => _method.CreateDelegate<ThreadCode>()),
            Collectives = [.. _collectives],
            MemoryInstructions = [.. _memory],
            FrameBytes = (frameBytes + 63) / 64 * 64,
            ParameterBytes = last is null ? 0 : last.Offset + last.Bytes,
            StaticSharedBytes = _sharedBytes,
            DynamicSharedOffset = _dynamicOffset,
            LocalBytes = _localBytes,
            LiveRegisters = live,
        };
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
