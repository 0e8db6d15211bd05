using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Gradpath.Kernels.Cpu;

/// <summary>
/// The inner loop of the unpacked product on 256-bit vectors: up to 3 x 4 products of rows of A with up to four rows of the transposed B,
/// both contiguous in k: 12 running sums of 8 lanes each; a step of 8 k loads 7 vectors and makes 12 fused multiply-adds.
/// </summary>
internal static unsafe class GemmDotTileVector256
{
    /// <summary>The tallest tile.</summary>
    public const int MaxRows = 3;

    /// <summary>Computes the sums of one tile with the loop made for its height.</summary>
    /// <param name="tile">What to compute.</param>
    public static void Run(GemmDotTile* tile)
    {
        switch (tile->Rows)
        {
            case 3: Multiply<Height3>(tile); break;
            case 2: Multiply<Height2>(tile); break;
            default: Multiply<Height1>(tile); break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Multiply<TRows>(GemmDotTile* tile)
        where TRows : struct, ITileHeight
    {
        // The columns that a narrow tile lacks repeat its last one; their sums are not used.
        int last = tile->Columns - 1;
        float* b0 = tile->B;
        float* b1 = tile->B + (Math.Min(1, last) * tile->StrideB);
        float* b2 = tile->B + (Math.Min(2, last) * tile->StrideB);
        float* b3 = tile->B + (Math.Min(3, last) * tile->StrideB);
        float* a0 = tile->A;
        float* a1 = a0 + tile->StrideA;
        float* a2 = a1 + tile->StrideA;
        Vector256<float> s00 = default, s01 = default, s02 = default, s03 = default;
        Vector256<float> s10 = default, s11 = default, s12 = default, s13 = default;
        Vector256<float> s20 = default, s21 = default, s22 = default, s23 = default;
        float* next = tile->Next;
        nint end = tile->Depth;
        for (nint k = 0; k < end; k += 8)
        {
            Vector256<float> y0 = Vector256.Load(b0 + k);
            Vector256<float> y1 = Vector256.Load(b1 + k);
            Vector256<float> y2 = Vector256.Load(b2 + k);
            Vector256<float> y3 = Vector256.Load(b3 + k);
            if (Sse.IsSupported) Sse.Prefetch1(next + k);
            Vector256<float> x = Vector256.Load(a0 + k);
            s00 = Vector256.FusedMultiplyAdd(x, y0, s00);
            s01 = Vector256.FusedMultiplyAdd(x, y1, s01);
            s02 = Vector256.FusedMultiplyAdd(x, y2, s02);
            s03 = Vector256.FusedMultiplyAdd(x, y3, s03);
            if (TRows.Rows > 1)
            {
                x = Vector256.Load(a1 + k);
                s10 = Vector256.FusedMultiplyAdd(x, y0, s10);
                s11 = Vector256.FusedMultiplyAdd(x, y1, s11);
                s12 = Vector256.FusedMultiplyAdd(x, y2, s12);
                s13 = Vector256.FusedMultiplyAdd(x, y3, s13);
            }
            if (TRows.Rows > 2)
            {
                x = Vector256.Load(a2 + k);
                s20 = Vector256.FusedMultiplyAdd(x, y0, s20);
                s21 = Vector256.FusedMultiplyAdd(x, y1, s21);
                s22 = Vector256.FusedMultiplyAdd(x, y2, s22);
                s23 = Vector256.FusedMultiplyAdd(x, y3, s23);
            }
        }
        float* sums = tile->Sums;
        Sum(s00, s01, s02, s03).Store(sums);
        if (TRows.Rows > 1) Sum(s10, s11, s12, s13).Store(sums + 4);
        if (TRows.Rows > 2) Sum(s20, s21, s22, s23).Store(sums + 8);
    }

    // The four horizontal sums: two rounds of interleave-and-add within 128 bits, then the halves.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Sum(Vector256<float> w, Vector256<float> x, Vector256<float> y, Vector256<float> z)
    {
        Vector256<float> wy = Avx.UnpackLow(w, y) + Avx.UnpackHigh(w, y);
        Vector256<float> xz = Avx.UnpackLow(x, z) + Avx.UnpackHigh(x, z);
        Vector256<float> all = Avx.UnpackLow(wy, xz) + Avx.UnpackHigh(wy, xz);
        return all.GetLower() + all.GetUpper();
    }
}
