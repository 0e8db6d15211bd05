using System.Reflection.Emit;
using Gradpath.PtxEmulator.Ptx;

namespace Gradpath.PtxEmulator.Compile;

/// <summary>Logic, shifts and bit fields.</summary>
internal sealed unsafe partial class KernelCompiler
{
    private void AddLogic(Dictionary<string, Action<Instruction>> table)
    {
        table["and"] = i => Binary(i, () => _il.Emit(OpCodes.And));
        table["or"] = i => Binary(i, () => _il.Emit(OpCodes.Or));
        table["xor"] = i => Binary(i, () => _il.Emit(OpCodes.Xor));
        table["not"] = i =>
        {
            Allow(i);
            Store(i.Operands[0], i.Type, () =>
            {
                Push(i.Operands[1], i.Type);
                if (i.Type == PtxType.Pred)
                {
                    _il.Emit(OpCodes.Ldc_I4_0);
                    _il.Emit(OpCodes.Ceq);
                }
                else
                {
                    _il.Emit(OpCodes.Not);
                }
            });
        };
        table["cnot"] = i =>
        {
            Allow(i);
            Store(i.Operands[0], i.Type, () =>
            {
                Push(i.Operands[1], i.Type);
                if (i.Type.IsWide()) _il.Emit(OpCodes.Ldc_I8, 0L);
                else _il.Emit(OpCodes.Ldc_I4_0);
                _il.Emit(OpCodes.Ceq);
                if (i.Type.IsWide()) _il.Emit(OpCodes.Conv_U8);
            });
        };
        table["shl"] = Shift;
        table["shr"] = Shift;
        table["shf"] = i =>
        {
            Allow(i, "l", "r", "clamp", "wrap");
            string name = $"Funnel{(i.Has("l") ? "Left" : "Right")}{(i.Has("clamp") ? "Clamp" : "Wrap")}";
            Store(i.Operands[0], PtxType.B32, () => PushAndCall(name, i.Operands.AsSpan(1), PtxType.B32, PtxType.B32, PtxType.U32));
        };
        table["lop3"] = i =>
        {
            Allow(i);
            Store(i.Operands[0], PtxType.B32, () => PushAndCall(nameof(Integers.Lop3), i.Operands.AsSpan(1), PtxType.B32, PtxType.B32,
                PtxType.B32, PtxType.S32));
        };
        table["prmt"] = i =>
        {
            Allow(i);
            Store(i.Operands[0], PtxType.B32, () => PushAndCall(nameof(Integers.Permute), i.Operands.AsSpan(1), PtxType.B32, PtxType.B32,
                PtxType.U32));
        };
        table["bfe"] = i =>
        {
            Allow(i);
            Store(i.Operands[0], i.Type, () => PushAndCall($"Extract{Suffix(i.Type)}", i.Operands.AsSpan(1), i.Type, PtxType.U32,
                PtxType.U32));
        };
        table["bfi"] = i =>
        {
            Allow(i);
            Store(i.Operands[0], i.Type, () => PushAndCall($"Insert{Width(i)}", i.Operands.AsSpan(1), i.Type, i.Type, PtxType.U32,
                PtxType.U32));
        };
        table["popc"] = i => Bits(i, PtxType.U32, $"PopCount{Width(i)}");
        table["clz"] = i => Bits(i, PtxType.U32, $"LeadingZeros{Width(i)}");
        table["brev"] = i => Bits(i, i.Type, $"Reverse{Width(i)}");
        table["bfind"] = i => Bits(i, PtxType.U32, $"Find{Suffix(i.Type)}");
    }

    private static int Width(Instruction i) => i.Type.IsWide() ? 64 : 32;

    private void Binary(Instruction i, Action operation)
    {
        Allow(i);
        Store(i.Operands[0], i.Type, () =>
        {
            Push(i.Operands[1], i.Type);
            Push(i.Operands[2], i.Type);
            operation();
        });
    }

    private void Bits(Instruction i, PtxType result, string method)
    {
        Allow(i);
        Store(i.Operands[0], result, () => PushAndCall(method, i.Operands.AsSpan(1), i.Type));
    }

    private void PushAndCall(string method, ReadOnlySpan<Operand> operands, params ReadOnlySpan<PtxType> types)
    {
        for (int k = 0; k < types.Length; k++) Push(operands[k], types[k]);
        Call(typeof(Integers), method);
    }

    private void Shift(Instruction i)
    {
        Allow(i);
        PtxType type = i.Type;
        bool left = i.Op == "shl";
        Store(i.Operands[0], type, () =>
        {
            Push(i.Operands[1], type);
            Push(i.Operands[2], PtxType.U32);
            if (i.Operands[2] is ImmediateOperand { Bits: var by } && by < (ulong)type.Bytes() * 8)
            {
                _il.Emit(left ? OpCodes.Shl : type.IsSigned() ? OpCodes.Shr : OpCodes.Shr_Un);
            }
            else
            {
                Call(typeof(Integers), left ? $"Shl{Width(i)}" : $"Shr{(type.IsSigned() ? "S" : "U")}{Width(i)}");
            }
        });
    }
}
