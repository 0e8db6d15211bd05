using System.Reflection.Emit;
using Gradpath.PtxEmulator.Execution;
using Gradpath.PtxEmulator.Ptx;

namespace Gradpath.PtxEmulator.Compile;

/// <summary>mbarriers, bulk copies, the async proxy's fences and barriers that do not wait.</summary>
internal sealed unsafe partial class KernelCompiler
{
    private void AddAsynchronous(Dictionary<string, Action<Instruction>> table) => table["mbarrier"] = Mbarrier;

    private void CallWorker(string method) => _il.Emit(OpCodes.Call, typeof(Worker).GetMethod(method)!);

    // The worker and the thread, which most of the worker's methods take first.
    private void PushWorkerAndFrame()
    {
        _asynchronous = true;
        _il.Emit(OpCodes.Ldarg_1);
        _il.Emit(OpCodes.Ldarg_0);
    }

    private void Finish(Instruction i, string method)
    {
        _il.Emit(OpCodes.Ldc_I4, i.Line);
        CallWorker(method);
    }

    private void Mbarrier(Instruction i)
    {
        switch (i.Parts[1])
        {
            case "init":
                Allow(i, "init", "shared", "shared::cta");
                PushWorkerAndFrame();
                PushAddress(i.Operands[0]);
                Push(i.Operands[1], PtxType.U32);
                Finish(i, nameof(Worker.InitMbarrier));
                break;
            case "inval":
                Allow(i, "inval", "shared", "shared::cta");
                PushWorkerAndFrame();
                PushAddress(i.Operands[0]);
                Finish(i, nameof(Worker.EndMbarrier));
                break;
            case "arrive":
                Arrive(i);
                break;
            case "try_wait":
                TryWait(i);
                break;
            case "test_wait":
                TestWait(i);
                break;
            default:
                throw Unknown(i);
        }
        if (SpaceOf(i) != Space.Shared) throw Unknown(i, "only an mbarrier of the own block is emulated");
    }

    private void Arrive(Instruction i)
    {
        Allow(i, "arrive", "expect_tx", "release", "cta", "shared", "shared::cta");
        if (i.Operands[0] is not SinkOperand) throw Unknown(i, "the state that it returns is not emulated");
        bool expects = i.Has("expect_tx");
        PushWorkerAndFrame();
        PushAddress(i.Operands[1]);
        if (expects || i.Operands.Length < 3) _il.Emit(OpCodes.Ldc_I4_1);
        else Push(i.Operands[2], PtxType.U32);
        if (expects) Push(i.Operands[2], PtxType.U32);
        else _il.Emit(OpCodes.Ldc_I4_0);
        Finish(i, nameof(Worker.ArriveAtMbarrier));
    }

    // Where the phase is not over the thread stops until it is. It is told then that it has waited in vain, as a GPU may say at any time:
    // so it must ask again, and who does not is found to race.
    private void TryWait(Instruction i)
    {
        Label over = _il.DefineLabel(), end = _il.DefineLabel();
        PushPhase(i, nameof(Worker.TryWait));
        _il.Emit(OpCodes.Brtrue, over);
        Meet(new Collective(CollectiveKind.Phase, "", i));
        Store(i.Operands[0], PtxType.Pred, () => _il.Emit(OpCodes.Ldc_I4_0));
        _il.Emit(OpCodes.Br, end);
        _il.MarkLabel(over);
        Store(i.Operands[0], PtxType.Pred, () => _il.Emit(OpCodes.Ldc_I4_1));
        _il.MarkLabel(end);
    }

    private void TestWait(Instruction i) => Store(i.Operands[0], PtxType.Pred, () => PushPhase(i, nameof(Worker.TestWait)));

    private void PushPhase(Instruction i, string method)
    {
        Allow(i, "try_wait", "test_wait", "parity", "acquire", "cta", "shared", "shared::cta");
        if (!i.Has("parity")) throw Unknown(i, "the wait for a state is not emulated");
        PushWorkerAndFrame();
        PushAddress(i.Operands[1]);
        Push(i.Operands[2], PtxType.U32);
        Finish(i, method);
    }

    private void BulkCopy(Instruction i)
    {
        if (i.Has("mbarrier"))
        {
            Allow(i, "async", "mbarrier", "arrive", "noinc", "shared", "shared::cta");
            if (!i.Has("noinc") || SpaceOf(i) != Space.Shared) throw Unknown(i, "only .noinc in shared memory is emulated");
            PushWorkerAndFrame();
            PushAddress(i.Operands[0]);
            Finish(i, nameof(Worker.ArriveAfterCopies));
        }
        else if (i.Has("commit_group") || i.Has("wait_group"))
        {
            Allow(i, "async", "bulk", "commit_group", "wait_group", "read");
            PushWorkerAndFrame();
            if (i.Has("wait_group")) _il.Emit(OpCodes.Ldc_I4, (int)((ImmediateOperand)i.Operands[0]).Bits);
            CallWorker(i.Has("wait_group") ? nameof(Worker.WaitForBulkStores) : nameof(Worker.CommitBulkStores));
        }
        else if (i.Has("bulk_group"))
        {
            Allow(i, "async", "bulk", "global", "shared::cta", "bulk_group");
            PushCopy(i);
            Finish(i, nameof(Worker.BulkStore));
        }
        else
        {
            Allow(i, "async", "bulk", "shared::cluster", "shared::cta", "global", "mbarrier::complete_tx::bytes");
            if (!i.Has("mbarrier::complete_tx::bytes") || i.Parts[^2] != "global") throw Unknown(i);
            PushCopy(i);
            PushAddress(i.Operands[3]);
            Finish(i, nameof(Worker.BulkCopy));
        }
    }

    private void PushCopy(Instruction i)
    {
        PushWorkerAndFrame();
        PushAddress(i.Operands[0]);
        PushAddress(i.Operands[1]);
        Push(i.Operands[2], PtxType.U32);
    }

    private void AsyncFence(Instruction i)
    {
        Allow(i, "proxy", "async", "shared::cta", "global", "mbarrier_init", "release", "cluster");
        if (i.Has("proxy") && !i.Has("async")) throw Unknown(i);
        PushWorkerAndFrame();
        CallWorker(i.Has("proxy") ? nameof(Worker.FenceProxy) : nameof(Worker.FenceMbarriers));
    }

    private void BarrierArrive(Instruction i)
    {
        if (i.Operands.Length != 2) throw Unknown(i, "the number of threads is missing");
        PushWorkerAndFrame();
        Push(i.Operands[0], PtxType.U32);
        Push(i.Operands[1], PtxType.U32);
        Finish(i, nameof(Worker.ArriveAtBarrier));
    }
}
