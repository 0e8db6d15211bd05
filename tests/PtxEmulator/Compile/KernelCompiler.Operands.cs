using System.Reflection.Emit;
using Gradpath.PtxEmulator.Execution;
using Gradpath.PtxEmulator.Ptx;

namespace Gradpath.PtxEmulator.Compile;

/// <summary>Reading and writing operands.</summary>
/// <remarks>
/// On IL's stack a value of up to 32 bits is an int (small types extended by their sign), of 64 bits a long, f32 a float, f64 a
/// double, f16 and bf16 their bits, a predicate 0 or 1.
/// </remarks>
internal sealed unsafe partial class KernelCompiler
{
    /// <summary>Puts an operand's value on the stack.</summary>
    private void Push(Operand operand, PtxType type)
    {
        switch (operand)
        {
            case RegisterOperand register:
                RegisterAddress(register.Register);
                _il.Emit(LoadCode(type));
                if (register.Not)
                {
                    _il.Emit(OpCodes.Ldc_I4_0);
                    _il.Emit(OpCodes.Ceq);
                }
                break;
            case ImmediateOperand immediate:
                PushImmediate(immediate, type);
                break;
            case SymbolOperand symbol:
                PushSymbol(symbol);
                if (!type.IsWide()) _il.Emit(OpCodes.Conv_I4);
                break;
            case SpecialOperand special:
                PushSpecial(special.Name);
                if (type.IsWide() && !IsWideSpecial(special.Name)) _il.Emit(OpCodes.Conv_U8);
                if (!type.IsWide() && IsWideSpecial(special.Name)) _il.Emit(OpCodes.Conv_I4);
                break;
            default:
                throw new PtxException(Line, $"an operand is of a kind that '{_kernel.Instructions[_index].Text}' does not take");
        }
    }

    private int Line => _kernel.Instructions[_index].Line;

    private void RegisterAddress(Register register)
    {
        _il.Emit(OpCodes.Ldarg_0);
        _il.Emit(OpCodes.Ldc_I4, register.Offset);
        _il.Emit(OpCodes.Add);
    }

    private static OpCode LoadCode(PtxType type) => type switch
    {
        PtxType.S8 => OpCodes.Ldind_I1,
        PtxType.B8 or PtxType.U8 => OpCodes.Ldind_U1,
        PtxType.S16 => OpCodes.Ldind_I2,
        PtxType.B16 or PtxType.U16 or PtxType.F16 or PtxType.BF16 => OpCodes.Ldind_U2,
        PtxType.F32 => OpCodes.Ldind_R4,
        PtxType.F64 => OpCodes.Ldind_R8,
        PtxType.B64 or PtxType.U64 or PtxType.S64 => OpCodes.Ldind_I8,
        _ => OpCodes.Ldind_I4,
    };

    private static OpCode StoreCode(PtxType type) => type switch
    {
        PtxType.F32 => OpCodes.Stind_R4,
        PtxType.F64 => OpCodes.Stind_R8,
        _ => type.Bytes() switch
        {
            1 => OpCodes.Stind_I1,
            2 => OpCodes.Stind_I2,
            8 => OpCodes.Stind_I8,
            _ => OpCodes.Stind_I4,
        },
    };

    private void PushImmediate(ImmediateOperand immediate, PtxType type)
    {
        switch (type)
        {
            case PtxType.F32:
                _il.Emit(OpCodes.Ldc_R4, immediate.Type switch
                {
                    PtxType.F32 => BitConverter.UInt32BitsToSingle((uint)immediate.Bits),
                    PtxType.F64 => (float)BitConverter.UInt64BitsToDouble(immediate.Bits),
                    _ => (long)immediate.Bits,
                });
                break;
            case PtxType.F64:
                _il.Emit(OpCodes.Ldc_R8, immediate.Type switch
                {
                    PtxType.F32 => BitConverter.UInt32BitsToSingle((uint)immediate.Bits),
                    PtxType.F64 => BitConverter.UInt64BitsToDouble(immediate.Bits),
                    _ => (long)immediate.Bits,
                });
                break;
            case PtxType.B64 or PtxType.U64 or PtxType.S64:
                _il.Emit(OpCodes.Ldc_I8, (long)immediate.Bits);
                break;
            case PtxType.Pred:
                _il.Emit(OpCodes.Ldc_I4, immediate.Bits != 0 ? 1 : 0);
                break;
            default:
                _il.Emit(OpCodes.Ldc_I4, type switch
                {
                    PtxType.S8 => (sbyte)immediate.Bits,
                    PtxType.B8 or PtxType.U8 => (byte)immediate.Bits,
                    PtxType.S16 => (short)immediate.Bits,
                    PtxType.B16 or PtxType.U16 or PtxType.F16 or PtxType.BF16 => (ushort)immediate.Bits,
                    _ => (int)immediate.Bits,
                });
                break;
        }
    }

    // A symbol's value, as long, is its address within its state space; that of a parameter its place among the parameters.
    private void PushSymbol(SymbolOperand symbol)
    {
        PtxVariable variable = symbol.Scope.FindVariable(symbol.Name) ?? throw new PtxException(Line, $"'{symbol.Name}' is not declared");
        switch (variable.Space)
        {
            case Space.Shared:
                _il.Emit(OpCodes.Ldc_I8, _sharedOffsets[variable] + symbol.Offset);
                break;
            case Space.Local:
                _il.Emit(OpCodes.Ldc_I8, _localOffsets[variable] + symbol.Offset);
                break;
            case Space.Param:
                _il.Emit(OpCodes.Ldc_I8, variable.Offset + symbol.Offset);
                break;
            default:
                Field(nameof(Frame.ModuleBase));
                _il.Emit(OpCodes.Ldc_I8, variable.Offset + symbol.Offset);
                _il.Emit(OpCodes.Add);
                break;
        }
    }

    private static bool IsWideSpecial(string name) => name is "%clock64" or "%globaltimer" or "%gridid";

    private void PushSpecial(string name)
    {
        switch (name)
        {
            case "%tid.x": Field(nameof(Frame.TidX)); break;
            case "%tid.y": Field(nameof(Frame.TidY)); break;
            case "%tid.z": Field(nameof(Frame.TidZ)); break;
            case "%ntid.x": Field(nameof(Frame.NTidX)); break;
            case "%ntid.y": Field(nameof(Frame.NTidY)); break;
            case "%ntid.z": Field(nameof(Frame.NTidZ)); break;
            case "%ctaid.x": Field(nameof(Frame.CtaX)); break;
            case "%ctaid.y": Field(nameof(Frame.CtaY)); break;
            case "%ctaid.z": Field(nameof(Frame.CtaZ)); break;
            case "%nctaid.x": Field(nameof(Frame.NCtaX)); break;
            case "%nctaid.y": Field(nameof(Frame.NCtaY)); break;
            case "%nctaid.z": Field(nameof(Frame.NCtaZ)); break;
            case "%laneid": Field(nameof(Frame.Lane)); break;
            case "%warpid": Field(nameof(Frame.Warp)); break;
            case "%smid": _il.Emit(OpCodes.Ldc_I4_0); break;
            case "%nsmid": _il.Emit(OpCodes.Ldc_I4_1); break;
            case "%dynamic_smem_size": Field(nameof(Frame.DynamicSharedBytes)); break;
            case "%total_smem_size": Field(nameof(Frame.SharedBytes)); break;
            case "%gridid": _il.Emit(OpCodes.Ldc_I8, 1L); break;
            case "%clock64" or "%globaltimer": Field(nameof(Frame.Instructions)); break;
            case "%clock":
                Field(nameof(Frame.Instructions));
                _il.Emit(OpCodes.Conv_I4);
                break;
            case "%lanemask_eq" or "%lanemask_lt" or "%lanemask_le" or "%lanemask_gt" or "%lanemask_ge":
                Field(nameof(Frame.Lane));
                Call(typeof(Integers), name switch
                {
                    "%lanemask_eq" => nameof(Integers.LaneMaskEqual),
                    "%lanemask_lt" => nameof(Integers.LaneMaskLess),
                    "%lanemask_le" => nameof(Integers.LaneMaskLessEqual),
                    "%lanemask_gt" => nameof(Integers.LaneMaskGreater),
                    _ => nameof(Integers.LaneMaskGreaterEqual),
                });
                break;
            default:
                throw new PtxException(Line, $"'{name}' is neither a declared register nor a special register that the emulator knows");
        }
    }

    /// <summary>Writes what <paramref name="value"/> puts on the stack to a register, extended to the register's width.</summary>
    private void Store(Operand target, PtxType type, Action value)
    {
        switch (target)
        {
            case SinkOperand:
                value();
                _il.Emit(OpCodes.Pop);
                break;
            case RegisterOperand { Register: var register }:
                RegisterAddress(register);
                value();
                if (type is PtxType.F32 or PtxType.F64)
                {
                    if (register.Type.Bytes() != type.Bytes())
                        throw new PtxException(Line, $"'{register.Name}' is not as wide as the instruction's result");
                    _il.Emit(StoreCode(type));
                }
                else if (register.Type.IsWide())
                {
                    if (!type.IsWide()) _il.Emit(type.IsSigned() ? OpCodes.Conv_I8 : OpCodes.Conv_U8);
                    _il.Emit(OpCodes.Stind_I8);
                }
                else
                {
                    if (type.IsWide()) throw new PtxException(Line, $"'{register.Name}' is narrower than the instruction's result");
                    if (type.Bytes() < 4) _il.Emit(Narrow(type));
                    _il.Emit(OpCodes.Stind_I4);
                }
                break;
            default:
                throw new PtxException(Line, "the target is not a register");
        }
    }

    private static OpCode Narrow(PtxType type) => (type.Bytes(), type.IsSigned()) switch
    {
        (1, true) => OpCodes.Conv_I1,
        (1, false) => OpCodes.Conv_U1,
        (2, true) => OpCodes.Conv_I2,
        _ => OpCodes.Conv_U2,
    };

    private void PushExchange(int word)
    {
        _il.Emit(OpCodes.Ldarg_0);
        _il.Emit(OpCodes.Ldflda, FieldOf(nameof(Frame.Exchange)));
        _il.Emit(OpCodes.Conv_U);
        _il.Emit(OpCodes.Ldc_I4, word * 4);
        _il.Emit(OpCodes.Add);
    }

    private void ToExchange(int word, Operand operand, PtxType type)
    {
        PushExchange(word);
        Push(operand, type);
        _il.Emit(StoreCode(type));
    }

    private void FromExchange(Operand target, PtxType type, int word) => Store(target, type, () =>
    {
        PushExchange(word);
        _il.Emit(LoadCode(type));
    });
}
