using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Gradpath.Kernels.Cpu;

/// <summary>
/// The inner loop of the unpacked product on 512-bit vectors: up to 6 x 4 products of rows of A with up to four rows of the transposed B,
/// both contiguous in k: 24 running sums of 16 lanes each; a step of 16 k loads 10 vectors and makes 24 fused multiply-adds.
/// </summary>
internal static unsafe class GemmDotTileVector512
{
    /// <summary>The tallest tile.</summary>
    public const int MaxRows = 6;

    /// <summary>Computes the sums of one tile with the loop made for its height.</summary>
    /// <param name="tile">What to compute.</param>
    public static void Run(GemmDotTile* tile)
    {
        switch (tile->Rows)
        {
            case 6: Multiply<Height6>(tile); break;
            case 5: Multiply<Height5>(tile); break;
            case 4: Multiply<Height4>(tile); break;
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
        float* a3 = a2 + tile->StrideA;
        float* a4 = a3 + tile->StrideA;
        float* a5 = a4 + tile->StrideA;
        Vector512<float> s00 = default, s01 = default, s02 = default, s03 = default;
        Vector512<float> s10 = default, s11 = default, s12 = default, s13 = default;
        Vector512<float> s20 = default, s21 = default, s22 = default, s23 = default;
        Vector512<float> s30 = default, s31 = default, s32 = default, s33 = default;
        Vector512<float> s40 = default, s41 = default, s42 = default, s43 = default;
        Vector512<float> s50 = default, s51 = default, s52 = default, s53 = default;
        float* next = tile->Next;
        nint end = tile->Depth;
        for (nint k = 0; k < end; k += 16)
        {
            Vector512<float> y0 = Vector512.Load(b0 + k);
            Vector512<float> y1 = Vector512.Load(b1 + k);
            Vector512<float> y2 = Vector512.Load(b2 + k);
            Vector512<float> y3 = Vector512.Load(b3 + k);
            if (Sse.IsSupported) Sse.Prefetch1(next + k);
            Vector512<float> x = Vector512.Load(a0 + k);
            s00 = Vector512.FusedMultiplyAdd(x, y0, s00);
            s01 = Vector512.FusedMultiplyAdd(x, y1, s01);
            s02 = Vector512.FusedMultiplyAdd(x, y2, s02);
            s03 = Vector512.FusedMultiplyAdd(x, y3, s03);
            if (TRows.Rows > 1)
            {
                x = Vector512.Load(a1 + k);
                s10 = Vector512.FusedMultiplyAdd(x, y0, s10);
                s11 = Vector512.FusedMultiplyAdd(x, y1, s11);
                s12 = Vector512.FusedMultiplyAdd(x, y2, s12);
                s13 = Vector512.FusedMultiplyAdd(x, y3, s13);
            }
            if (TRows.Rows > 2)
            {
                x = Vector512.Load(a2 + k);
                s20 = Vector512.FusedMultiplyAdd(x, y0, s20);
                s21 = Vector512.FusedMultiplyAdd(x, y1, s21);
                s22 = Vector512.FusedMultiplyAdd(x, y2, s22);
                s23 = Vector512.FusedMultiplyAdd(x, y3, s23);
            }
            if (TRows.Rows > 3)
            {
                x = Vector512.Load(a3 + k);
                s30 = Vector512.FusedMultiplyAdd(x, y0, s30);
                s31 = Vector512.FusedMultiplyAdd(x, y1, s31);
                s32 = Vector512.FusedMultiplyAdd(x, y2, s32);
                s33 = Vector512.FusedMultiplyAdd(x, y3, s33);
            }
            if (TRows.Rows > 4)
            {
                x = Vector512.Load(a4 + k);
                s40 = Vector512.FusedMultiplyAdd(x, y0, s40);
                s41 = Vector512.FusedMultiplyAdd(x, y1, s41);
                s42 = Vector512.FusedMultiplyAdd(x, y2, s42);
                s43 = Vector512.FusedMultiplyAdd(x, y3, s43);
            }
            if (TRows.Rows > 5)
            {
                x = Vector512.Load(a5 + k);
                s50 = Vector512.FusedMultiplyAdd(x, y0, s50);
                s51 = Vector512.FusedMultiplyAdd(x, y1, s51);
                s52 = Vector512.FusedMultiplyAdd(x, y2, s52);
                s53 = Vector512.FusedMultiplyAdd(x, y3, s53);
            }
        }
        float* sums = tile->Sums;
        Sum(s00, s01, s02, s03).Store(sums);
        if (TRows.Rows > 1) Sum(s10, s11, s12, s13).Store(sums + 4);
        if (TRows.Rows > 2) Sum(s20, s21, s22, s23).Store(sums + 8);
        if (TRows.Rows > 3) Sum(s30, s31, s32, s33).Store(sums + 12);
        if (TRows.Rows > 4) Sum(s40, s41, s42, s43).Store(sums + 16);
        if (TRows.Rows > 5) Sum(s50, s51, s52, s53).Store(sums + 20);
    }

    // The four horizontal sums: two rounds of interleave-and-add within 128 bits, then the halves.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Sum(Vector512<float> w, Vector512<float> x, Vector512<float> y, Vector512<float> z)
    {
        Vector512<float> wy = Avx512F.UnpackLow(w, y) + Avx512F.UnpackHigh(w, y);
        Vector512<float> xz = Avx512F.UnpackLow(x, z) + Avx512F.UnpackHigh(x, z);
        Vector512<float> all = Avx512F.UnpackLow(wy, xz) + Avx512F.UnpackHigh(wy, xz);
        Vector256<float> half = all.GetLower() + all.GetUpper();
        return half.GetLower() + half.GetUpper();
    }
}
