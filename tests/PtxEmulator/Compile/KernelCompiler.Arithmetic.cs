using System.Reflection.Emit;
using Gradpath.PtxEmulator.Ptx;

namespace Gradpath.PtxEmulator.Compile;

/// <summary>Arithmetic of whole numbers and floats.</summary>
internal sealed unsafe partial class KernelCompiler
{
    private void AddArithmetic(Dictionary<string, Action<Instruction>> table)
    {
        table["add"] = i => Sum(i, OpCodes.Add);
        table["sub"] = i => Sum(i, OpCodes.Sub);
        table["mul"] = Multiply;
        table["mad"] = MultiplyAdd;
        table["fma"] = Fused;
        table[Contraction.Op] = Contracted;
        table["div"] = Divide;
        table["rem"] = i => IntegerCall(i, "Rem");
        table["min"] = i => MinMax(i, "Min");
        table["max"] = i => MinMax(i, "Max");
        table["abs"] = i =>
        {
            bool isFloat = i.Type.IsFloat() || i.Type is PtxType.F16x2 or PtxType.BF16x2;
            Unary(i, isFloat ? $"Abs{Suffix(i.Type)}" : $"Abs{(i.Type.IsWide() ? 64 : 32)}", "ftz");
        };
        table["neg"] = Negate;
        table["sad"] = i =>
        {
            Allow(i);
            Store(i.Operands[0], i.Type, () =>
            {
                Push(i.Operands[1], i.Type);
                Push(i.Operands[2], i.Type);
                Call(typeof(Integers), $"Sad{Suffix(i.Type)}");
                Push(i.Operands[3], i.Type);
                _il.Emit(OpCodes.Add);
            });
        };
        foreach (string op in (string[])["rcp", "sqrt", "rsqrt", "ex2", "lg2", "sin", "cos", "tanh"]) table[op] = Function;
        table["copysign"] = i =>
        {
            Allow(i);
            // copysign(a, b) has the sign of a and the size of b.
            Store(i.Operands[0], i.Type, () =>
                { Push(i.Operands[2], i.Type); Push(i.Operands[1], i.Type); Call(typeof(Floats), $"CopySign{Suffix(i.Type)}"); });
        };
    }

    private static string Suffix(PtxType type) => type switch
    {
        PtxType.F16 => "H",
        PtxType.BF16 => "B",
        PtxType.F16x2 => "H2",
        PtxType.BF16x2 => "B2",
        PtxType.F32 => "F",
        PtxType.F64 => "D",
        _ => $"{(type.IsSigned() ? "S" : "U")}{(type.IsWide() ? 64 : 32)}",
    };

    private static string? Rounding(Instruction i) => i.Has("rz") ? "Rz" : i.Has("rm") ? "Rm" : i.Has("rp") ? "Rp" : null;

    // Float operands are flushed on the way in and the result on the way out where .ftz asks for it.
    private void PushFlushed(Instruction i, Operand operand, PtxType type)
    {
        Push(operand, type);
        if (type == PtxType.F32 && i.Has("ftz")) Call(typeof(Floats), nameof(Floats.Flush));
    }

    private void FinishFloat(Instruction i, PtxType type)
    {
        if (type == PtxType.F32 && i.Has("ftz")) Call(typeof(Floats), nameof(Floats.Flush));
        if (i.Has("sat")) Call(typeof(Floats), $"Saturate{Suffix(type)}");
    }

    private void FloatBinary(Instruction i, Action operation) => Store(i.Operands[0], i.Type, () =>
    {
        PushFlushed(i, i.Operands[1], i.Type);
        PushFlushed(i, i.Operands[2], i.Type);
        operation();
        FinishFloat(i, i.Type);
    });

    private void Sum(Instruction i, OpCode operation)
    {
        PtxType type = i.Type;
        string name = i.Op == "add" ? "Add" : "Sub";
        if (type is PtxType.F32 or PtxType.F64)
        {
            Allow(i, "rn", "rz", "rm", "rp", "ftz", "sat");
            FloatBinary(i, () =>
            {
                if (Rounding(i) is { } mode) Call(typeof(Rounded), $"{name}{mode}{Suffix(type)}");
                else _il.Emit(operation);
            });
        }
        else if (type is PtxType.F16 or PtxType.BF16 or PtxType.F16x2 or PtxType.BF16x2)
        {
            Allow(i, "rn");
            FloatBinary(i, () => Call(typeof(Halves), $"{name}{Suffix(type)}"));
        }
        else
        {
            Allow(i, type == PtxType.S32 ? ["sat"] : []);
            Store(i.Operands[0], type, () =>
            {
                Push(i.Operands[1], type);
                Push(i.Operands[2], type);
                if (i.Has("sat")) Call(typeof(Integers), $"{name}Saturated");
                else _il.Emit(operation);
            });
        }
    }

    private void Multiply(Instruction i)
    {
        PtxType type = i.Type;
        if (type is PtxType.F32 or PtxType.F64)
        {
            Allow(i, "rn", "rz", "rm", "rp", "ftz", "sat");
            FloatBinary(i, () =>
            {
                if (Rounding(i) is { } mode) Call(typeof(Rounded), $"Mul{mode}{Suffix(type)}");
                else _il.Emit(OpCodes.Mul);
            });
            return;
        }
        if (type is PtxType.F16 or PtxType.BF16 or PtxType.F16x2 or PtxType.BF16x2)
        {
            Allow(i, "rn");
            FloatBinary(i, () => Call(typeof(Halves), $"Mul{Suffix(type)}"));
            return;
        }
        Allow(i, "lo", "hi", "wide");
        Store(i.Operands[0], i.Has("wide") ? Widened(i, type) : type, () => Product(i, type));
    }

    private static PtxType Widened(Instruction i, PtxType type) => type switch
    {
        PtxType.U16 => PtxType.U32,
        PtxType.S16 => PtxType.S32,
        PtxType.U32 => PtxType.U64,
        PtxType.S32 => PtxType.S64,
        _ => throw Unknown(i, "no wider type"),
    };

    private void Product(Instruction i, PtxType type)
    {
        Push(i.Operands[1], type);
        if (i.Has("wide") && type.Bytes() == 4) _il.Emit(type.IsSigned() ? OpCodes.Conv_I8 : OpCodes.Conv_U8);
        Push(i.Operands[2], type);
        if (i.Has("wide") && type.Bytes() == 4) _il.Emit(type.IsSigned() ? OpCodes.Conv_I8 : OpCodes.Conv_U8);
        if (!i.Has("hi"))
        {
            _il.Emit(OpCodes.Mul);
        }
        else if (type.Bytes() == 2)
        {
            _il.Emit(OpCodes.Mul);
            _il.Emit(OpCodes.Ldc_I4, 16);
            _il.Emit(type.IsSigned() ? OpCodes.Shr : OpCodes.Shr_Un);
        }
        else
        {
            Call(typeof(Integers), $"MulHigh{Suffix(type)}");
        }
    }

    private void MultiplyAdd(Instruction i)
    {
        PtxType type = i.Type;
        if (type.IsFloat())
        {
            Fused(i);
            return;
        }
        Allow(i, "lo", "hi", "wide");
        PtxType result = i.Has("wide") ? Widened(i, type) : type;
        Store(i.Operands[0], result, () =>
        {
            Product(i, type);
            Push(i.Operands[3], result);
            _il.Emit(OpCodes.Add);
        });
    }

    private void Fused(Instruction i)
    {
        PtxType type = i.Type;
        Allow(i, "rn", "rz", "rm", "rp", "ftz", "sat", "relu");
        if (i.Has("relu") && type is PtxType.F32 or PtxType.F64) throw Unknown(i);
        Store(i.Operands[0], type, () =>
        {
            for (int k = 1; k <= 3; k++) PushFlushed(i, i.Operands[k], type);
            if (type is not (PtxType.F32 or PtxType.F64)) Call(typeof(Halves), $"Fma{(i.Has("relu") ? "Relu" : "")}{Suffix(type)}");
            else if (Rounding(i) is { } mode) Call(typeof(Rounded), $"Fma{mode}{Suffix(type)}");
            else Call(typeof(Floats), $"Fma{Suffix(type)}");
            if (type is PtxType.F32 or PtxType.F64) FinishFloat(i, type);
        });
    }

    // The product's factors, then what is added to it, subtracted from it or what it is subtracted from.
    private void Contracted(Instruction i)
    {
        PtxType type = i.Type;
        Allow(i, "add", "minus", "from", "ftz", "sat");
        Store(i.Operands[0], type, () =>
        {
            for (int k = 1; k <= 3; k++)
            {
                PushFlushed(i, i.Operands[k], type);
                if ((k == 1 && i.Has("from")) || (k == 3 && i.Has("minus"))) _il.Emit(OpCodes.Neg);
            }
            Call(typeof(Floats), $"Fma{Suffix(type)}");
            FinishFloat(i, type);
        });
    }

    private void Divide(Instruction i)
    {
        PtxType type = i.Type;
        if (!type.IsFloat())
        {
            IntegerCall(i, "Div");
            return;
        }
        Allow(i, "rn", "full", "approx", "ftz");
        FloatBinary(i, () => _il.Emit(OpCodes.Div));
    }

    private void IntegerCall(Instruction i, string name)
    {
        Allow(i);
        Store(i.Operands[0], i.Type, () =>
        {
            Push(i.Operands[1], i.Type);
            Push(i.Operands[2], i.Type);
            Call(typeof(Integers), $"{name}{Suffix(i.Type)}");
        });
    }

    private void MinMax(Instruction i, string name)
    {
        PtxType type = i.Type;
        bool isFloat = type.IsFloat() || type is PtxType.F16x2 or PtxType.BF16x2;
        Allow(i, isFloat ? ["ftz", "NaN"] : []);
        if (i.Operands.Length != 3) throw Unknown(i, "three operands are not emulated");
        Type owner = type is PtxType.F32 or PtxType.F64 ? typeof(Floats) : isFloat ? typeof(Halves) : typeof(Integers);
        Store(i.Operands[0], type, () =>
        {
            PushFlushed(i, i.Operands[1], type);
            PushFlushed(i, i.Operands[2], type);
            Call(owner, $"{name}{(i.Has("NaN") ? "Nan" : "")}{Suffix(type)}");
        });
    }

    private void Unary(Instruction i, string method, params string[] modifiers)
    {
        Allow(i, modifiers);
        PtxType type = i.Type;
        Type owner = type is PtxType.F32 or PtxType.F64
            ? typeof(Floats)
            : type.IsFloat() || type is PtxType.F16x2 or PtxType.BF16x2 ? typeof(Halves) : typeof(Integers);
        Store(i.Operands[0], type, () =>
        {
            PushFlushed(i, i.Operands[1], type);
            Call(owner, method);
        });
    }

    private void Negate(Instruction i)
    {
        PtxType type = i.Type;
        Allow(i, "ftz");
        if (type is PtxType.F16 or PtxType.BF16 or PtxType.F16x2 or PtxType.BF16x2)
        {
            Unary(i, $"Neg{Suffix(type)}");
            return;
        }
        Store(i.Operands[0], type, () =>
        {
            PushFlushed(i, i.Operands[1], type);
            _il.Emit(OpCodes.Neg);
        });
    }

    private void Function(Instruction i)
    {
        PtxType type = i.Type;
        if (type is not (PtxType.F32 or PtxType.F64)) throw Unknown(i, "only f32 and f64 are emulated");
        Allow(i, "rn", "approx", "ftz");
        string name = char.ToUpperInvariant(i.Op[0]) + i.Op[1..];
        if (type == PtxType.F64 && i.Op is not ("rcp" or "sqrt" or "rsqrt")) throw Unknown(i, "only f32 is emulated");
        Store(i.Operands[0], type, () =>
        {
            PushFlushed(i, i.Operands[1], type);
            Call(typeof(Floats), $"{name}{Suffix(type)}");
            FinishFloat(i, type);
        });
    }
}
