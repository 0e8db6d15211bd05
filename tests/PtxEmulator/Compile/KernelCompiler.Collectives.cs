using System.Reflection.Emit;
using Gradpath.PtxEmulator.Ptx;

namespace Gradpath.PtxEmulator.Compile;

/// <summary>
/// Instructions that threads do together. What a thread brings stands in its frame's exchange words, from word 0 on; a warp's
/// collectives have the mask of their lanes in word 23. What it gets is read from word 0 on.
/// </summary>
internal sealed unsafe partial class KernelCompiler
{
    public const int MaskWord = 23;

    private void AddCollectives(Dictionary<string, Action<Instruction>> table)
    {
        table["bar"] = Barrier;
        table["barrier"] = Barrier;
        table["shfl"] = Shuffle;
        table["vote"] = Vote;
        table["redux"] = i =>
        {
            Allow(i, "sync", "add", "min", "max", "and", "or", "xor");
            WarpExchange(i, CollectiveKind.Reduce, $"{i.Parts[2]}.{(i.Type.IsSigned() ? "s" : "u")}", i.Type, i.Operands[2]);
        };
        table["match"] = i =>
        {
            Allow(i, "any", "sync");
            if (!i.Has("any") || i.Type.IsWide()) throw Unknown(i);
            WarpExchange(i, CollectiveKind.Match, "any", i.Type, i.Operands[2]);
        };
        table["mma"] = Matrix;
        table["ldmatrix"] = LoadMatrix;
        table["stmatrix"] = StoreMatrix;
        table["elect"] = Elect;
    }

    private void Barrier(Instruction i)
    {
        Allow(i, "sync", "cta", "aligned", "warp", "red", "popc", "and", "or", "arrive");
        if (i.Has("arrive"))
        {
            BarrierArrive(i);
            return;
        }
        if (i.Has("warp"))
        {
            ToExchange(MaskWord, i.Operands[0], PtxType.B32);
            Meet(new Collective(CollectiveKind.WarpBarrier, "", i));
            return;
        }
        bool reduce = i.Has("red");
        int first = reduce ? 1 : 0, named = i.Operands.Length - first - (reduce ? 1 : 0);
        ToExchange(0, i.Operands[first], PtxType.B32);
        if (named > 1) ToExchange(1, i.Operands[first + 1], PtxType.B32);
        else ToExchange(1, new ImmediateOperand(0, PtxType.B32), PtxType.B32);
        if (!reduce)
        {
            Meet(new Collective(CollectiveKind.Barrier, "", i));
            return;
        }
        ToExchange(2, i.Operands[^1], PtxType.Pred);
        Meet(new Collective(CollectiveKind.BarrierReduce, i.Has("popc") ? "popc" : i.Has("and") ? "and" : "or", i));
        FromExchange(i.Operands[0], i.Has("popc") ? PtxType.U32 : PtxType.Pred, 0);
    }

    private void Shuffle(Instruction i)
    {
        Allow(i, "sync", "up", "down", "bfly", "idx");
        if (!i.Has("sync")) throw Unknown(i, "shfl without sync does not exist on this GPU");
        ToExchange(0, i.Operands[1], PtxType.B32);
        ToExchange(1, i.Operands[2], PtxType.B32);
        ToExchange(2, i.Operands[3], PtxType.B32);
        ToExchange(MaskWord, i.Operands[4], PtxType.B32);
        Meet(new Collective(CollectiveKind.Shuffle, i.Parts[2], i));
        if (i.Operands[0] is PairOperand pair)
        {
            FromExchange(pair.Second, PtxType.Pred, 1);
            FromExchange(pair.First, PtxType.B32, 0);
        }
        else
        {
            FromExchange(i.Operands[0], PtxType.B32, 0);
        }
    }

    private void Vote(Instruction i)
    {
        Allow(i, "sync", "all", "any", "uni", "ballot");
        if (!i.Has("sync")) throw Unknown(i, "vote without sync does not exist on this GPU");
        ToExchange(0, i.Operands[1], PtxType.Pred);
        ToExchange(MaskWord, i.Operands[2], PtxType.B32);
        Meet(new Collective(CollectiveKind.Vote, i.Parts[2], i));
        FromExchange(i.Operands[0], i.Has("ballot") ? PtxType.B32 : PtxType.Pred, 0);
    }

    private void WarpExchange(Instruction i, CollectiveKind kind, string mode, PtxType type, Operand mask)
    {
        ToExchange(0, i.Operands[1], type);
        ToExchange(MaskWord, mask, PtxType.B32);
        Meet(new Collective(kind, mode, i));
        FromExchange(i.Operands[0], type, 0);
    }

    // Fragments stand one after another: a, b, c; the result is at word 0.
    private void Matrix(Instruction i)
    {
        Allow(i, "sync", "aligned", "m16n8k4", "m16n8k8", "m16n8k16", "row", "col");
        PtxType[] types = i.Types;
        string shape = i.Parts[3];
        bool known = i.Parts[4] == "row" && i.Parts[5] == "col" && types is [PtxType.F32, _, _, PtxType.F32] && types[1] == types[2]
            && (shape, types[1]) is
            ("m16n8k4" or "m16n8k8", PtxType.TF32) or ("m16n8k8" or "m16n8k16", PtxType.BF16 or PtxType.F16);
        if (!known) throw Unknown(i);
        int word = 0;
        foreach (Operand operand in i.Operands.AsSpan(1))
        {
            foreach (Operand element in ((VectorOperand)operand).Elements) ToExchange(word++, element, PtxType.B32);
        }
        ToExchange(MaskWord, new ImmediateOperand(uint.MaxValue, PtxType.B32), PtxType.B32);
        Meet(new Collective(CollectiveKind.Matrix,
            $"{shape}.{(types[1] == PtxType.TF32 ? "tf32" : types[1] == PtxType.BF16 ? "bf16" : "f16")}", i));
        Operand[] result = ((VectorOperand)i.Operands[0]).Elements;
        for (int k = 0; k < result.Length; k++) FromExchange(result[k], PtxType.B32, k);
    }

    private void LoadMatrix(Instruction i)
    {
        Allow(i, "sync", "aligned", "m8n8", "x1", "x2", "x4", "trans", "shared", "shared::cta");
        if (SpaceOf(i) != Space.Shared) throw Unknown(i, "a generic address is not emulated");
        Operand[] result = i.Operands[0] is VectorOperand vector ? vector.Elements : [i.Operands[0]];
        PushExchange(0);
        PushAddress(i.Operands[1]);
        _il.Emit(OpCodes.Stind_I8);
        ToExchange(MaskWord, new ImmediateOperand(uint.MaxValue, PtxType.B32), PtxType.B32);
        if (_count) _memory.Add(new MemoryInstruction(Space.Shared, Store: false, 16, i));
        Meet(new Collective(CollectiveKind.LoadMatrix, $"{result.Length}{(i.Has("trans") ? "t" : "")}", i));
        for (int k = 0; k < result.Length; k++) FromExchange(result[k], PtxType.B32, k);
    }

    private void StoreMatrix(Instruction i)
    {
        Allow(i, "sync", "aligned", "m8n8", "x1", "x2", "x4", "trans", "shared", "shared::cta");
        if (SpaceOf(i) != Space.Shared) throw Unknown(i, "a generic address is not emulated");
        Operand[] from = i.Operands[1] is VectorOperand vector ? vector.Elements : [i.Operands[1]];
        PushExchange(0);
        PushAddress(i.Operands[0]);
        _il.Emit(OpCodes.Stind_I8);
        for (int k = 0; k < from.Length; k++) ToExchange(2 + k, from[k], PtxType.B32);
        ToExchange(MaskWord, new ImmediateOperand(uint.MaxValue, PtxType.B32), PtxType.B32);
        if (_count) _memory.Add(new MemoryInstruction(Space.Shared, Store: true, 16, i));
        Meet(new Collective(CollectiveKind.StoreMatrix, $"{from.Length}{(i.Has("trans") ? "t" : "")}", i));
    }

    // The elected lane, and whether it is this one.
    private void Elect(Instruction i)
    {
        Allow(i, "sync");
        ToExchange(MaskWord, i.Operands[1], PtxType.B32);
        Meet(new Collective(CollectiveKind.Elect, "", i));
        var pair = (PairOperand)i.Operands[0];
        FromExchange(pair.Second, PtxType.Pred, 1);
        FromExchange(pair.First, PtxType.B32, 0);
    }
}
