using System.Reflection.Emit;
using Gradpath.PtxEmulator.Execution;
using Gradpath.PtxEmulator.Memory;
using Gradpath.PtxEmulator.Ptx;

namespace Gradpath.PtxEmulator.Compile;

/// <summary>Loads, stores, atomic operations and asynchronous copies.</summary>
internal sealed unsafe partial class KernelCompiler
{
    private static readonly string[] MemoryModifiers =
    [
        "global", "shared", "shared::cta", "local", "const", "param", "nc", "weak", "volatile", "relaxed", "acquire", "release", "acq_rel",
        "cta", "cluster", "gpu", "sys",
        "ca", "cg", "cs", "lu", "cv", "wb", "wt", "v2", "v4", "L1::evict_normal", "L1::evict_unchanged", "L1::evict_first",
        "L1::evict_last",
        "L1::no_allocate", "L2::64B", "L2::128B", "L2::256B",
    ];

    private void AddMemory(Dictionary<string, Action<Instruction>> table)
    {
        table["ld"] = Load;
        table["ldu"] = Load;
        table["st"] = StoreToMemory;
        table["atom"] = Atomic;
        table["red"] = Atomic;
        table["cp"] = AsyncCopy;
        table["prefetch"] = _ => { };
        table["prefetchu"] = _ => { };
    }

    private static Space SpaceOf(Instruction i) =>
        i.Has("param") ? Space.Param : i.Has("shared") || i.Has("shared::cta") ? Space.Shared : i.Has("local") ? Space.Local
        : i.Has("const") ? Space.Const : i.Has("global") ? Space.Global : Space.Generic;

    /// <summary>Puts an address within its state space on the stack, as long.</summary>
    private void PushAddress(Operand operand)
    {
        var address = (AddressOperand)operand;
        if (address.Base is RegisterOperand { Register: var register })
        {
            Push(address.Base, register.Type.IsWide() ? PtxType.B64 : PtxType.B32);
            if (!register.Type.IsWide()) _il.Emit(OpCodes.Conv_U8);
        }
        else
        {
            Push(address.Base, PtxType.B64);
        }
        if (address.Offset == 0) return;
        _il.Emit(OpCodes.Ldc_I8, address.Offset);
        _il.Emit(OpCodes.Add);
    }

    /// <summary>Puts the checked pointer of an access on the stack.</summary>
    private void PushPointer(Instruction i, Space space, bool store, int bytes)
    {
        if (space == Space.Param)
        {
            if (i.Operands[1] is not AddressOperand { Base: SymbolOperand symbol, Offset: var within }
                || symbol.Scope.FindVariable(symbol.Name) is not { Space: Space.Param } parameter || within < 0
                    || within + bytes > parameter.Bytes)
            {
                throw Unknown(i, "only a place within a parameter can be read");
            }
            Field(nameof(Frame.Parameters));
            PushAddress(i.Operands[1]);
            _il.Emit(OpCodes.Conv_I);
            _il.Emit(OpCodes.Add);
            return;
        }
        Operand address = i.Operands[store ? 0 : 1];
        Record(i, space, store, bytes, address);
        _il.Emit(OpCodes.Ldarg_0);
        PushAddress(address);
        _il.Emit(OpCodes.Ldc_I4, bytes);
        _il.Emit(OpCodes.Ldc_I4, i.Line);
        string kind = space switch
        {
            Space.Shared => "Shared",
            Space.Local => "Local",
            Space.Generic => "Generic",
            _ => "Global",
        };
        Call(typeof(Access), $"{(store ? "Store" : "Load")}{kind}");
    }

    private void Record(Instruction i, Space space, bool store, int bytes, Operand address)
    {
        if (!_count || space is Space.Local or Space.Param) return;
        _memory.Add(new MemoryInstruction(space, store, bytes, i));
        _il.Emit(OpCodes.Ldarg_1);
        _il.Emit(OpCodes.Ldarg_0);
        PushAddress(address);
        _il.Emit(OpCodes.Ldc_I4, _memory.Count - 1);
        _il.Emit(OpCodes.Call, typeof(Worker).GetMethod(nameof(Worker.Record))!);
    }

    private void Load(Instruction i)
    {
        Allow(i, MemoryModifiers);
        PtxType type = i.Type;
        Space space = SpaceOf(i);
        if (i.Operands[0] is not VectorOperand vector)
        {
            Store(i.Operands[0], type, () =>
            {
                PushPointer(i, space, store: false, type.Bytes());
                _il.Emit(LoadCode(type));
            });
            return;
        }
        LocalBuilder pointer = _il.DeclareLocal(typeof(byte*));
        PushPointer(i, space, store: false, type.Bytes() * vector.Elements.Length);
        _il.Emit(OpCodes.Stloc, pointer);
        for (int k = 0; k < vector.Elements.Length; k++)
        {
            int offset = k * type.Bytes();
            Store(vector.Elements[k], type, () =>
            {
                _il.Emit(OpCodes.Ldloc, pointer);
                _il.Emit(OpCodes.Ldc_I4, offset);
                _il.Emit(OpCodes.Add);
                _il.Emit(LoadCode(type));
            });
        }
    }

    private void StoreToMemory(Instruction i)
    {
        Allow(i, MemoryModifiers);
        PtxType type = i.Type;
        Space space = SpaceOf(i);
        if (space is Space.Const or Space.Param) throw Unknown(i, "this memory cannot be written");
        if (i.Operands[1] is not VectorOperand vector)
        {
            PushPointer(i, space, store: true, type.Bytes());
            Push(i.Operands[1], type);
            _il.Emit(StoreCode(type));
            return;
        }
        LocalBuilder pointer = _il.DeclareLocal(typeof(byte*));
        PushPointer(i, space, store: true, type.Bytes() * vector.Elements.Length);
        _il.Emit(OpCodes.Stloc, pointer);
        for (int k = 0; k < vector.Elements.Length; k++)
        {
            _il.Emit(OpCodes.Ldloc, pointer);
            _il.Emit(OpCodes.Ldc_I4, k * type.Bytes());
            _il.Emit(OpCodes.Add);
            Push(vector.Elements[k], type);
            _il.Emit(StoreCode(type));
        }
    }

    private void Atomic(Instruction i)
    {
        Allow(i, [.. MemoryModifiers, "add", "min", "max", "inc", "dec", "and", "or", "xor", "exch", "cas", "noftz"]);
        PtxType type = i.Type;
        string operation = i.Parts.First(p => p is "add" or "min" or "max" or "inc" or "dec" or "and" or "or" or "xor" or "exch" or "cas");
        bool reduction = i.Op == "red";
        Operand address = i.Operands[reduction ? 0 : 1], value = i.Operands[reduction ? 1 : 2];
        if (type is not (PtxType.B32 or PtxType.U32 or PtxType.S32 or PtxType.F32
            or PtxType.B64 or PtxType.U64 or PtxType.S64 or PtxType.F64))
            throw Unknown(i);
        string method = operation switch
        {
            "add" => $"Add{(type.IsFloat() ? Suffix(type) : Width(i))}",
            "min" or "max" => $"{char.ToUpperInvariant(operation[0])}{operation[1..]}{Suffix(type)}",
            "inc" => nameof(Atomics.Inc32),
            "dec" => nameof(Atomics.Dec32),
            "exch" => $"Exchange{Width(i)}",
            "cas" => $"Swap{Width(i)}",
            _ => $"{char.ToUpperInvariant(operation[0])}{operation[1..]}{Width(i)}",
        };
        if (operation is "exch" or "cas") type = type.IsWide() ? PtxType.B64 : PtxType.B32;
        Space space = SpaceOf(i);
        void Run()
        {
            Record(i, space, store: true, type.Bytes(), address);
            if (space != Space.Shared)
            {
                _il.Emit(OpCodes.Ldarg_1);
                _il.Emit(OpCodes.Ldarg_0);
                PushAddress(address);
                _il.Emit(OpCodes.Call, typeof(Worker).GetMethod(nameof(Worker.MeetAtomic))!);
            }
            _il.Emit(OpCodes.Ldarg_0);
            PushAddress(address);
            _il.Emit(OpCodes.Ldc_I4, type.Bytes());
            _il.Emit(OpCodes.Ldc_I4, space == Space.Shared ? 1 : 0);
            _il.Emit(OpCodes.Ldc_I4, i.Line);
            Call(typeof(Access), nameof(Access.Atomic));
            Push(value, type);
            if (operation == "cas") Push(i.Operands[3], type);
            Call(typeof(Atomics), method);
        }
        Store(reduction ? new SinkOperand() : i.Operands[0], type, Run);
    }

    private void AsyncCopy(Instruction i)
    {
        if (i.Parts.Length < 3 || i.Parts[1] != "async") throw Unknown(i);
        if (i.Has("bulk") || i.Has("mbarrier"))
        {
            BulkCopy(i);
            return;
        }
        if (i.Has("commit_group") || i.Has("wait_all") || i.Has("wait_group"))
        {
            _il.Emit(OpCodes.Ldarg_1);
            _il.Emit(OpCodes.Ldarg_0);
            if (i.Has("wait_group")) _il.Emit(OpCodes.Ldc_I4, (int)((ImmediateOperand)i.Operands[0]).Bits);
            _il.Emit(OpCodes.Call, typeof(Worker).GetMethod(i.Has("commit_group") ? nameof(Worker.CommitCopies) : i.Has("wait_all")
                ? nameof(Worker.WaitForAllCopies) : nameof(Worker.WaitForCopies))!);
            return;
        }
        Allow(i, "async", "ca", "cg", "shared", "global", "L2::64B", "L2::128B", "L2::256B");
        int bytes = (int)((ImmediateOperand)i.Operands[2]).Bits;
        if (bytes is not (4 or 8 or 16) || (i.Has("cg") && bytes != 16)) throw Unknown(i, $"a copy cannot have {bytes} bytes");
        Record(i, Space.Global, store: false, bytes, i.Operands[1]);
        Record(i, Space.Shared, store: true, bytes, i.Operands[0]);
        _il.Emit(OpCodes.Ldarg_1);
        _il.Emit(OpCodes.Ldarg_0);
        PushAddress(i.Operands[0]);
        PushAddress(i.Operands[1]);
        _il.Emit(OpCodes.Ldc_I4, bytes);
        if (i.Operands.Length > 3) Push(i.Operands[3], PtxType.U32);
        else _il.Emit(OpCodes.Ldc_I4, bytes);
        _il.Emit(OpCodes.Ldc_I4, i.Line);
        _il.Emit(OpCodes.Call, typeof(Worker).GetMethod(nameof(Worker.Copy))!);
    }
}
