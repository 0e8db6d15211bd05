using System.Reflection.Emit;
using Gradpath.PtxEmulator.Ptx;

namespace Gradpath.PtxEmulator.Compile;

/// <summary>Comparison and selection.</summary>
internal sealed unsafe partial class KernelCompiler
{
    private static readonly string[] Comparisons =
        ["eq", "ne", "lt", "le", "gt", "ge", "lo", "ls", "hi", "hs", "equ", "neu", "ltu", "leu", "gtu", "geu", "num", "nan"];

    private void AddCompare(Dictionary<string, Action<Instruction>> table)
    {
        table["setp"] = SetPredicate;
        table["set"] = Set;
        table["selp"] = i =>
        {
            Allow(i);
            Store(i.Operands[0], i.Type, () => Choose(i, () => Push(i.Operands[3], PtxType.Pred)));
        };
        table["slct"] = i =>
        {
            Allow(i, "ftz");
            PtxType type = i.Types[0], condition = i.Types[1];
            Store(i.Operands[0], type, () => Choose(i, () =>
            {
                // c >= 0; -0 counts as 0 and NaN does not.
                if (condition == PtxType.F32)
                {
                    PushFlushed(i, i.Operands[3], condition);
                    _il.Emit(OpCodes.Ldc_R4, 0f);
                    _il.Emit(OpCodes.Clt_Un);
                }
                else
                {
                    Push(i.Operands[3], PtxType.S32);
                    _il.Emit(OpCodes.Ldc_I4_0);
                    _il.Emit(OpCodes.Clt);
                }
                _il.Emit(OpCodes.Ldc_I4_0);
                _il.Emit(OpCodes.Ceq);
            }));
        };
        table["testp"] = i =>
        {
            Allow(i, "finite", "infinite", "number", "notanumber", "normal", "subnormal");
            string name = i.Parts[1] switch
            {
                "finite" => "IsFinite",
                "infinite" => "IsInfinite",
                "number" => "IsNumber",
                "notanumber" => "IsNan",
                "normal" => "IsNormal",
                _ => "IsSubnormal",
            };
            Store(i.Operands[0], PtxType.Pred, () =>
            {
                Push(i.Operands[1], i.Type);
                Call(typeof(Floats), $"{name}{Suffix(i.Type)}");
            });
        };
    }

    private void Choose(Instruction i, Action condition)
    {
        Label other = _il.DefineLabel(), end = _il.DefineLabel();
        PtxType type = i.Types[0];
        condition();
        _il.Emit(OpCodes.Brfalse, other);
        Push(i.Operands[1], type);
        _il.Emit(OpCodes.Br, end);
        _il.MarkLabel(other);
        Push(i.Operands[2], type);
        _il.MarkLabel(end);
    }

    private void SetPredicate(Instruction i)
    {
        Allow(i, [.. Comparisons, "and", "or", "xor", "ftz"]);
        (Operand first, Operand? second) = i.Operands[0] is PairOperand pair ? (pair.First, pair.Second) : (i.Operands[0], null);
        PtxType type = i.Type;
        LocalBuilder result = _il.DeclareLocal(typeof(int));
        PushComparison(i, type);
        _il.Emit(OpCodes.Stloc, result);
        if (second is not null)
        {
            LocalBuilder opposite = _il.DeclareLocal(typeof(int));
            _il.Emit(OpCodes.Ldloc, result);
            _il.Emit(OpCodes.Ldc_I4_0);
            _il.Emit(OpCodes.Ceq);
            Combine(i);
            _il.Emit(OpCodes.Stloc, opposite);
            _il.Emit(OpCodes.Ldloc, result);
            Combine(i);
            _il.Emit(OpCodes.Stloc, result);
            Store(second, PtxType.Pred, () => _il.Emit(OpCodes.Ldloc, opposite));
            Store(first, PtxType.Pred, () => _il.Emit(OpCodes.Ldloc, result));
            return;
        }
        Store(first, PtxType.Pred, () =>
        {
            _il.Emit(OpCodes.Ldloc, result);
            Combine(i);
        });
    }

    // Joins the comparison on the stack with the predicate that the instruction names.
    private void Combine(Instruction i)
    {
        if (!i.Has("and") && !i.Has("or") && !i.Has("xor")) return;
        Push(i.Operands[3], PtxType.Pred);
        _il.Emit(i.Has("and") ? OpCodes.And : i.Has("or") ? OpCodes.Or : OpCodes.Xor);
    }

    private void Set(Instruction i)
    {
        Allow(i, [.. Comparisons, "and", "or", "xor", "ftz"]);
        PtxType[] types = i.Types;
        Store(i.Operands[0], types[0], () =>
        {
            PushComparison(i, types[1]);
            Combine(i);
            if (types[0] == PtxType.F32) _il.Emit(OpCodes.Conv_R4);
            else _il.Emit(OpCodes.Neg);
        });
    }

    private void PushComparison(Instruction i, PtxType type)
    {
        string comparison = i.Parts.First(p => Comparisons.Contains(p));
        bool isFloat = type.IsFloat();
        PtxType operand = type;
        if (comparison is "lo" or "ls" or "hi" or "hs")
        {
            operand = type.Bytes() == 2 ? PtxType.U16 : type.IsWide() ? PtxType.U64 : PtxType.U32;
            comparison = comparison switch { "lo" => "lt", "ls" => "le", "hi" => "gt", _ => "ge" };
        }
        foreach (Operand side in i.Operands.AsSpan(1, 2))
        {
            PushFlushed(i, side, operand);
            if (type == PtxType.F16) Call(typeof(Halves), nameof(Halves.FromH));
            if (type == PtxType.BF16) Call(typeof(Halves), nameof(Halves.FromB));
        }
        string suffix = type == PtxType.F64 ? "D" : "F";
        bool isUnsigned = !isFloat && !operand.IsSigned();
        switch (comparison)
        {
            case "eq": _il.Emit(OpCodes.Ceq); break;
            case "ne" when isFloat: Call(typeof(Floats), $"Unequal{suffix}"); break;
            case "ne" or "neu": Not(OpCodes.Ceq); break;
            case "lt": _il.Emit(isUnsigned ? OpCodes.Clt_Un : OpCodes.Clt); break;
            case "gt": _il.Emit(isUnsigned ? OpCodes.Cgt_Un : OpCodes.Cgt); break;
            // For floats the .un comparisons are true of NaN, for whole numbers they are unsigned.
            case "le": Not(isUnsigned || isFloat ? OpCodes.Cgt_Un : OpCodes.Cgt); break;
            case "ge": Not(isUnsigned || isFloat ? OpCodes.Clt_Un : OpCodes.Clt); break;
            case "equ": Call(typeof(Floats), $"EqualOrNan{suffix}"); break;
            case "ltu": _il.Emit(OpCodes.Clt_Un); break;
            case "gtu": _il.Emit(OpCodes.Cgt_Un); break;
            case "leu": Not(OpCodes.Cgt); break;
            case "geu": Not(OpCodes.Clt); break;
            case "num": Call(typeof(Floats), $"BothNumbers{suffix}"); break;
            default: Call(typeof(Floats), $"AnyNan{suffix}"); break;
        }
    }

    private void Not(OpCode comparison)
    {
        _il.Emit(comparison);
        _il.Emit(OpCodes.Ldc_I4_0);
        _il.Emit(OpCodes.Ceq);
    }
}
