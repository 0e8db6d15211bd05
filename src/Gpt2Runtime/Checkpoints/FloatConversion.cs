using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Gradpath.Gpt2Runtime.Checkpoints;

/// <summary>
/// The floating-point types that checkpoints come in (F64, F32, F16, BF16), converted to float32. Sources need no alignment.
/// </summary>
internal static unsafe class FloatConversion
{
    /// <summary>Refuses tensors that are not of a floating-point type.</summary>
    /// <param name="path">The file, for the message.</param>
    /// <param name="entry">The tensor.</param>
    /// <exception cref="GradpathException">The type cannot be converted.</exception>
    public static void RequireSupported(string path, SafetensorsEntry entry)
    {
        if (entry.Dtype is "F32" or "F16" or "BF16" or "F64") return;
        throw new GradpathException($"{path}: tensor {Quoted.Name(entry.Name)} is of type {Quoted.Name(entry.Dtype)[1..^1]}; F32, F16, "
            + $"BF16 and F64 can be read");
    }

    /// <summary>Converts values.</summary>
    /// <param name="dtype">Type of the source.</param>
    /// <param name="source">The values' bytes.</param>
    /// <param name="target">Receives one float32 a value.</param>
    public static void ToSingle(string dtype, ReadOnlySpan<byte> source, Span<float> target)
    {
        fixed (byte* start = source) Convert(dtype, start, target);
    }

    private static void Convert(string dtype, byte* source, Span<float> target)
    {
        switch (dtype)
        {
            case "F32":
                new ReadOnlySpan<byte>(source, target.Length * sizeof(float)).CopyTo(
                    System.Runtime.InteropServices.MemoryMarshal.AsBytes(target));
                break;
            case "F16":
                FromHalf(source, target);
                break;
            case "BF16":
                FromBFloat16(source, target);
                break;
            case "F64":
                for (int i = 0; i < target.Length; i++)
                    target[i] = (float)Unsafe.ReadUnaligned<double>(source + (i * (long)sizeof(double)));
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(dtype), dtype, "not a floating-point type that can be converted");
        }
    }

    private static void FromHalf(byte* source, Span<float> target)
    {
        if (((nint)source & 1) == 0)
        {
            TensorPrimitives.ConvertToSingle(new ReadOnlySpan<Half>(source, target.Length), target);
            return;
        }
        for (int i = 0; i < target.Length; i++) target[i] = (float)Unsafe.ReadUnaligned<Half>(source + (i * 2L));
    }

    // A bfloat16 is the upper half of a float32.
    private static void FromBFloat16(byte* source, Span<float> target)
    {
        int i = 0;
        fixed (float* to = target)
        {
            for (; i <= target.Length - Vector256<ushort>.Count; i += Vector256<ushort>.Count)
            {
                (Vector256<uint> low, Vector256<uint> high) = Vector256.Widen(Vector256.Load((ushort*)(source + (i * 2L))));
                (low << 16).Store((uint*)(to + i));
                (high << 16).Store((uint*)(to + i + Vector256<uint>.Count));
            }
        }
        for (; i < target.Length; i++)
            target[i] = BitConverter.UInt32BitsToSingle((uint)Unsafe.ReadUnaligned<ushort>(source + (i * 2L)) << 16);
    }
}
