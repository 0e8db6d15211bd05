using System.Reflection.Emit;
using Gradpath.PtxEmulator.Execution;
using Gradpath.PtxEmulator.Ptx;

namespace Gradpath.PtxEmulator.Compile;

/// <summary>Branches and ends.</summary>
internal sealed unsafe partial class KernelCompiler
{
    private void AddControl(Dictionary<string, Action<Instruction>> table)
    {
        table["bra"] = Branch;
        table["brx"] = i =>
        {
            if (i.Guard is not null) throw Unknown(i, "under a predicate");
            Push(i.Operands[0], PtxType.U32);
            _il.Emit(OpCodes.Switch, [.. ControlFlow.Targets(i).Select(LabelOf)]);
            Trap(i, nameof(Traps.BranchIndex));
        };
        table["ret"] = Exit;
        table["exit"] = Exit;
        table["trap"] = i => Trap(i, nameof(Traps.Trap));
        foreach (string nothing in (string[])["nanosleep", "pmevent"]) table[nothing] = _ => { };
        table["membar"] = table["fence"] = Fence;
    }

    // A fence within the block changes nothing here: lanes run one after another.
    private void Fence(Instruction i)
    {
        if (i.Has("proxy") || i.Has("mbarrier_init"))
        {
            AsyncFence(i);
            return;
        }
        if (!i.Has("gl") && !i.Has("gpu") && !i.Has("sys")) return;
        _il.Emit(OpCodes.Ldarg_1);
        _il.Emit(OpCodes.Ldarg_0);
        _il.Emit(OpCodes.Call, typeof(Worker).GetMethod(nameof(Worker.Fence))!);
    }

    private void Exit(Instruction i)
    {
        _il.Emit(OpCodes.Ldc_I4, CompiledKernel.Exited);
        _il.Emit(OpCodes.Ret);
    }

    private void Trap(Instruction i, string method)
    {
        _il.Emit(OpCodes.Ldc_I4, i.Line);
        Call(typeof(Traps), method);
    }

    private void Branch(Instruction i)
    {
        Allow(i, "uni");
        int target = ControlFlow.Targets(i).Single();
        if (target <= _index)
        {
            BranchBack(i, target);
            return;
        }
        if (i.Guard is { } guard)
        {
            Push(guard with { Not = false }, PtxType.Pred);
            _il.Emit(guard.Not ? OpCodes.Brfalse : OpCodes.Brtrue, LabelOf(target));
        }
        else
        {
            _il.Emit(OpCodes.Br, LabelOf(target));
        }
    }

    // A branch back goes on only while the thread has not run so long that others should have their turn.
    private void BranchBack(Instruction i, int target)
    {
        Label skip = _il.DefineLabel();
        if (i.Guard is { } guard)
        {
            Push(guard with { Not = false }, PtxType.Pred);
            _il.Emit(guard.Not ? OpCodes.Brtrue : OpCodes.Brfalse, skip);
        }
        Field(nameof(Frame.Instructions));
        Field(nameof(Frame.YieldAt));
        _il.Emit(OpCodes.Blt, LabelOf(target));
        SetResume(EntryOf(target));
        _il.Emit(OpCodes.Ldc_I4, CompiledKernel.Yielded);
        _il.Emit(OpCodes.Ret);
        _il.MarkLabel(skip);
    }

    private void SetResume(int resume)
    {
        _il.Emit(OpCodes.Ldarg_0);
        _il.Emit(OpCodes.Ldc_I4, resume);
        _il.Emit(OpCodes.Stfld, FieldOf(nameof(Frame.Resume)));
    }

    /// <summary>Returns to the scheduler for a collective; goes on behind it.</summary>
    private void Meet(Collective collective)
    {
        Label behind = _il.DefineLabel();
        _resume.Add((_piece, behind));
        SetResume(_resume.Count);
        _il.Emit(OpCodes.Ldc_I4, _collectives.Count);
        _collectives.Add(collective);
        _il.Emit(OpCodes.Ret);
        _il.MarkLabel(behind);
    }
}
