using System.Reflection.Emit;
using Gradpath.PtxEmulator.Execution;
using Gradpath.PtxEmulator.Ptx;

namespace Gradpath.PtxEmulator.Compile;

/// <summary>Moves, packing and conversions of addresses.</summary>
internal sealed unsafe partial class KernelCompiler
{
    private void AddMove(Dictionary<string, Action<Instruction>> table)
    {
        table["mov"] = Move;
        table["cvta"] = ConvertAddress;
        table["isspacep"] = i =>
        {
            Allow(i, "global", "shared", "local");
            Store(i.Operands[0], PtxType.Pred, () =>
            {
                _il.Emit(OpCodes.Ldarg_0);
                Push(i.Operands[1], PtxType.B64);
                Call(typeof(Addresses), i.Has("global") ? nameof(Addresses.IsGlobal) : i.Has("shared") ? nameof(Addresses.IsShared)
                    : nameof(Addresses.IsLocal));
            });
        };
    }

    private void Move(Instruction i)
    {
        Allow(i);
        PtxType type = i.Type;
        if (i.Operands[0] is VectorOperand parts)
        {
            PtxType part = Part(type, parts);
            LocalBuilder value = _il.DeclareLocal(type.IsWide() ? typeof(long) : typeof(int));
            Push(i.Operands[1], type.IsWide() ? PtxType.B64 : PtxType.B32);
            _il.Emit(OpCodes.Stloc, value);
            for (int k = 0; k < parts.Elements.Length; k++)
            {
                int by = k * part.Bytes() * 8;
                Store(parts.Elements[k], part, () =>
                {
                    _il.Emit(OpCodes.Ldloc, value);
                    _il.Emit(OpCodes.Ldc_I4, by);
                    _il.Emit(OpCodes.Shr_Un);
                    if (type.IsWide()) _il.Emit(OpCodes.Conv_I4);
                });
            }
        }
        else if (i.Operands[1] is VectorOperand whole)
        {
            PtxType part = Part(type, whole);
            Store(i.Operands[0], type.IsWide() ? PtxType.B64 : PtxType.B32, () =>
            {
                for (int k = 0; k < whole.Elements.Length; k++)
                {
                    Push(whole.Elements[k], part);
                    if (type.IsWide()) _il.Emit(OpCodes.Conv_U8);
                    if (k == 0) continue;
                    _il.Emit(OpCodes.Ldc_I4, k * part.Bytes() * 8);
                    _il.Emit(OpCodes.Shl);
                    _il.Emit(OpCodes.Or);
                }
            });
        }
        else
        {
            Store(i.Operands[0], type, () => Push(i.Operands[1], type));
        }
    }

    private PtxType Part(PtxType whole, VectorOperand vector) => (whole.Bytes() / vector.Elements.Length) switch
    {
        4 => PtxType.B32,
        2 => PtxType.B16,
        1 => PtxType.B8,
        _ => throw new PtxException(Line, "the parts do not make up the whole"),
    };

    private void ConvertAddress(Instruction i)
    {
        Allow(i, "to", "global", "shared", "local", "const");
        PtxType type = i.Type;
        string? window = i.Has("shared") ? nameof(Frame.SharedBase) : i.Has("local") ? nameof(Frame.LocalBase) : null;
        Store(i.Operands[0], type, () =>
        {
            Push(i.Operands[1], PtxType.B64);
            if (window is null) return;
            Field(window);
            _il.Emit(i.Has("to") ? OpCodes.Sub : OpCodes.Add);
        });
    }
}
