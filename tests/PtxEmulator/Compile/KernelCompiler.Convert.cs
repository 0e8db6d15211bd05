using System.Reflection.Emit;
using Gradpath.PtxEmulator.Ptx;

namespace Gradpath.PtxEmulator.Compile;

/// <summary>cvt.</summary>
internal sealed unsafe partial class KernelCompiler
{
    private void AddConvert(Dictionary<string, Action<Instruction>> table) => table["cvt"] = ConvertValue;

    private void ConvertValue(Instruction i)
    {
        Allow(i, "rn", "rz", "rm", "rp", "rna", "rni", "rzi", "rmi", "rpi", "ftz", "sat", "relu");
        PtxType[] types = i.Types;
        (PtxType to, PtxType from) = (types[0], types[1]);
        if (to is PtxType.BF16x2 or PtxType.F16x2)
        {
            Pack(i, to, from);
        }
        else if (i.Has("relu"))
        {
            throw Unknown(i);
        }
        else if (to == PtxType.TF32)
        {
            if (!i.Has("rna") || from != PtxType.F32) throw Unknown(i);
            Store(i.Operands[0], PtxType.B32, () => PushAndConvert(i, from, nameof(Conversions.ToTf32)));
        }
        else if (to.IsFloat() && from.IsFloat())
        {
            FloatToFloat(i, to, from);
        }
        else if (from.IsFloat())
        {
            FloatToInteger(i, to, from);
        }
        else if (to.IsFloat())
        {
            IntegerToFloat(i, to, from);
        }
        else
        {
            Store(i.Operands[0], to, () =>
            {
                Push(i.Operands[1], from);
                if (i.Has("sat"))
                {
                    if (!from.IsWide()) _il.Emit(from.IsSigned() ? OpCodes.Conv_I8 : OpCodes.Conv_U8);
                    Call(typeof(Conversions),
                        $"Clamp{(from.IsSigned() ? "Signed" : "Unsigned")}To{(to.IsSigned() ? "S" : "U")}{to.Bytes() * 8}");
                    if (!to.IsWide()) _il.Emit(OpCodes.Conv_I4);
                }
                else if (to.IsWide() && !from.IsWide())
                {
                    _il.Emit(from.IsSigned() ? OpCodes.Conv_I8 : OpCodes.Conv_U8);
                }
                else if (!to.IsWide() && from.IsWide())
                {
                    _il.Emit(OpCodes.Conv_I4);
                }
                if (to.Bytes() < 4) _il.Emit(Narrow(to));
            });
        }
    }

    private void PushAndConvert(Instruction i, PtxType type, string method)
    {
        PushFlushed(i, i.Operands[1], type);
        Call(typeof(Conversions), method);
    }

    // d = {a, b} with a in the upper half.
    private void Pack(Instruction i, PtxType to, PtxType from)
    {
        if (from != PtxType.F32 || i.Operands.Length != 3 || !(i.Has("rn") || i.Has("rz"))) throw Unknown(i);
        string convert = $"FloatTo{Suffix(to)[..1]}{(i.Has("rz") ? "Rz" : "")}{(i.Has("relu") ? "Relu" : "")}";
        Store(i.Operands[0], PtxType.B32, () =>
        {
            Push(i.Operands[1], PtxType.F32);
            Call(typeof(Conversions), convert);
            _il.Emit(OpCodes.Ldc_I4, 16);
            _il.Emit(OpCodes.Shl);
            Push(i.Operands[2], PtxType.F32);
            Call(typeof(Conversions), convert);
            _il.Emit(OpCodes.Or);
        });
    }

    private void FloatToFloat(Instruction i, PtxType to, PtxType from)
    {
        string? whole = i.Has("rni") ? "Nearest" : i.Has("rzi") ? "Truncate" : i.Has("rmi") ? "Floor" : i.Has("rpi") ? "Ceiling" : null;
        string? mode = Rounding(i);
        Store(i.Operands[0], to, () =>
        {
            PushFlushed(i, i.Operands[1], from);
            if (from == PtxType.F16) Call(typeof(Halves), nameof(Halves.FromH));
            if (from == PtxType.BF16) Call(typeof(Halves), nameof(Halves.FromB));
            if (whole is not null) Call(typeof(Conversions), $"{whole}{(from == PtxType.F64 ? "D" : "F")}");
            bool isDouble = from == PtxType.F64;
            switch (to)
            {
                case PtxType.F64:
                    if (!isDouble) _il.Emit(OpCodes.Conv_R8);
                    break;
                case PtxType.F32:
                    if (isDouble && mode is not null) Call(typeof(Conversions), $"DoubleToFloat{mode}");
                    else if (isDouble) _il.Emit(OpCodes.Conv_R4);
                    FinishFloat(i, PtxType.F32);
                    return;
                case PtxType.F16 or PtxType.BF16:
                    if (mode is not (null or "Rz") || i.Has("sat")) throw Unknown(i);
                    Call(typeof(Conversions), $"{(isDouble ? "Double" : "Float")}To{Suffix(to)}{mode}");
                    return;
                default:
                    throw Unknown(i);
            }
            if (i.Has("sat")) Call(typeof(Floats), nameof(Floats.SaturateD));
        });
    }

    // A float becomes whole by the mode, then the nearest number of the target type; NaN becomes 0.
    private void FloatToInteger(Instruction i, PtxType to, PtxType from)
    {
        string mode = i.Has("rni")
            ? "Nearest"
            : i.Has("rmi")
            ? "Floor"
            : i.Has("rpi") ? "Ceiling" : i.Has("rzi") ? "Truncate" : throw Unknown(i, "a rounding to whole numbers is missing");
        Store(i.Operands[0], to, () =>
        {
            PushFlushed(i, i.Operands[1], from);
            if (from == PtxType.F16) Call(typeof(Halves), nameof(Halves.FromH));
            if (from == PtxType.BF16) Call(typeof(Halves), nameof(Halves.FromB));
            if (from != PtxType.F64) _il.Emit(OpCodes.Conv_R8);
            Call(typeof(Conversions), $"{mode}D");
            Call(typeof(Conversions), $"To{(to.IsSigned() ? "S" : "U")}{to.Bytes() * 8}");
        });
    }

    private void IntegerToFloat(Instruction i, PtxType to, PtxType from)
    {
        if (!i.Has("rn") && !(Rounding(i) is not null && to == PtxType.F32 && !from.IsWide()))
            throw Unknown(i, "this rounding is not emulated");
        Store(i.Operands[0], to, () =>
        {
            Push(i.Operands[1], from);
            bool asUnsigned = !from.IsSigned();
            if (Rounding(i) is { } mode)
            {
                if (asUnsigned) _il.Emit(OpCodes.Conv_R_Un);
                _il.Emit(OpCodes.Conv_R8);
                Call(typeof(Conversions), $"DoubleToFloat{mode}");
            }
            else if (from.IsWide())
            {
                Call(typeof(Conversions), $"{(asUnsigned ? "Unsigned" : "Signed")}To{(to == PtxType.F64 ? "Double" : "Float")}");
            }
            else
            {
                if (asUnsigned) _il.Emit(OpCodes.Conv_U8);
                _il.Emit(to == PtxType.F64 ? OpCodes.Conv_R8 : OpCodes.Conv_R4);
            }
            if (to is PtxType.F16 or PtxType.BF16) Call(typeof(Conversions), $"FloatTo{Suffix(to)}");
            else FinishFloat(i, to);
        });
    }
}
