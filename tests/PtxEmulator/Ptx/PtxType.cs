namespace Gradpath.PtxEmulator.Ptx;

/// <summary>The fundamental types of PTX.</summary>
internal enum PtxType
{
    None,
    Pred,
    B8,
    U8,
    S8,
    B16,
    U16,
    S16,
    F16,
    BF16,
    B32,
    U32,
    S32,
    F32,
    F16x2,
    BF16x2,
    TF32,
    B64,
    U64,
    S64,
    F64,
}

internal static class PtxTypes
{
    /// <summary>The type of a name without its dot; None where it is no type.</summary>
    public static PtxType Parse(string name) => name switch
    {
        "pred" => PtxType.Pred,
        "b8" => PtxType.B8,
        "u8" => PtxType.U8,
        "s8" => PtxType.S8,
        "b16" => PtxType.B16,
        "u16" => PtxType.U16,
        "s16" => PtxType.S16,
        "f16" => PtxType.F16,
        "bf16" => PtxType.BF16,
        "b32" => PtxType.B32,
        "u32" => PtxType.U32,
        "s32" => PtxType.S32,
        "f32" => PtxType.F32,
        "f16x2" => PtxType.F16x2,
        "bf16x2" => PtxType.BF16x2,
        "tf32" => PtxType.TF32,
        "b64" => PtxType.B64,
        "u64" => PtxType.U64,
        "s64" => PtxType.S64,
        "f64" => PtxType.F64,
        _ => PtxType.None,
    };

    /// <summary>Bytes of a value in memory; a predicate takes a word.</summary>
    public static int Bytes(this PtxType type) => type switch
    {
        PtxType.B8 or PtxType.U8 or PtxType.S8 => 1,
        PtxType.B16 or PtxType.U16 or PtxType.S16 or PtxType.F16 or PtxType.BF16 => 2,
        PtxType.B64 or PtxType.U64 or PtxType.S64 or PtxType.F64 => 8,
        _ => 4,
    };

    public static bool IsSigned(this PtxType type) => type is PtxType.S8 or PtxType.S16 or PtxType.S32 or PtxType.S64;

    /// <summary>Computed with in floating point of its own or a wider kind.</summary>
    public static bool IsFloat(this PtxType type) => type is PtxType.F16 or PtxType.BF16 or PtxType.F32 or PtxType.F64 or PtxType.TF32;

    public static bool IsWide(this PtxType type) => type.Bytes() == 8;
}
