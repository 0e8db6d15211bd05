namespace Gradpath.Gpt2Runtime.Checkpoints;

/// <summary>One tensor as a safetensors header describes it.</summary>
/// <param name="Name">Its name in the file.</param>
/// <param name="Dtype">The element type as written: <c>F32</c>, <c>BF16</c> ...</param>
/// <param name="Shape">Extents, slowest first; empty for a scalar.</param>
/// <param name="Offset">Where its data start, counted from the end of the header.</param>
/// <param name="Bytes">Size of its data.</param>
internal sealed record SafetensorsEntry(string Name, string Dtype, long[] Shape, long Offset, long Bytes)
{
    /// <summary>Number of elements.</summary>
    public long Count => Shape.Aggregate(1L, static (product, extent) => product * extent);

    /// <summary>The shape as messages show it: <c>[768, 2304]</c>.</summary>
    public string ShapeText => Shape.Length <= 8
        ? $"[{string.Join(", ", Shape)}]"
        : $"[{string.Join(", ", Shape[..8])}, ... {Shape.Length} extents]";

    /// <summary>The place of an element as messages show it: <c>[3, 17]</c>.</summary>
    /// <param name="index">Its place in row-major order.</param>
    public string IndexText(long index)
    {
        long[] places = new long[Shape.Length];
        for (int i = Shape.Length - 1; i >= 0; i--) (index, places[i]) = Math.DivRem(index, Shape[i]);
        return $"[{string.Join(", ", places)}]";
    }

    /// <summary>Bits of one element of a type.</summary>
    /// <param name="dtype">The type's name.</param>
    /// <returns>The size, or 0 for a type that this program has never heard of.</returns>
    public static int BitsOf(string dtype) => dtype switch
    {
        "F4" => 4,
        "F6_E2M3" or "F6_E3M2" => 6,
        "BOOL" or "U8" or "I8" or "F8_E5M2" or "F8_E4M3" or "F8_E8M0" => 8,
        "U16" or "I16" or "F16" or "BF16" => 16,
        "U32" or "I32" or "F32" => 32,
        "U64" or "I64" or "F64" or "C64" => 64,
        _ => 0,
    };
}
