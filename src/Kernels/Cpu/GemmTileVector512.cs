using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Gradpath.Kernels.Cpu;

/// <summary>
/// The inner loop of the packed product on 512-bit vectors: a tile of up to 12 x 32 of C stays in 24 of the 32 registers; each step of k
/// loads two vectors of B, broadcasts up to 12 elements of A and makes 24 fused multiply-adds. 24 independent sums cover the latency of
/// two multiply-add units (4 cycles each) three times over, and 14 loads for 24 multiply-adds leave the load ports half idle.
/// </summary>
internal static unsafe class GemmTileVector512
{
    /// <summary>The tallest tile.</summary>
    public const int MaxRows = 12;

    /// <summary>Width of a tile and of a panel of B: two vectors.</summary>
    public const int Columns = 32;

    /// <summary>Computes one tile with the loop made for its height and for the place of its panel of B.</summary>
    /// <param name="tile">What to compute.</param>
    public static void Run(GemmTile* tile)
    {
        switch (tile->Panel)
        {
            case PanelUse.Packed: ByHeight<PanelIsPacked>(tile); break;
            case PanelUse.PackedPrefetchNext: ByHeight<PanelIsPackedNextIsFetched>(tile); break;
            case PanelUse.PackOnTheWay: ByHeight<PanelIsPackedOnTheWay>(tile); break;
            default: ByHeight<PanelIsInPlace>(tile); break;
        }
    }

    private static void ByHeight<TPanel>(GemmTile* tile)
        where TPanel : struct, IPanelPlace
    {
        switch (tile->Rows)
        {
            case 12: Multiply<Height12, TPanel>(tile); break;
            case 11: Multiply<Height11, TPanel>(tile); break;
            case 10: Multiply<Height10, TPanel>(tile); break;
            case 9: Multiply<Height9, TPanel>(tile); break;
            case 8: Multiply<Height8, TPanel>(tile); break;
            case 7: Multiply<Height7, TPanel>(tile); break;
            case 6: Multiply<Height6, TPanel>(tile); break;
            case 5: Multiply<Height5, TPanel>(tile); break;
            case 4: Multiply<Height4, TPanel>(tile); break;
            case 3: Multiply<Height3, TPanel>(tile); break;
            case 2: Multiply<Height2, TPanel>(tile); break;
            default: Multiply<Height1, TPanel>(tile); break;
        }
    }

    // The height and the panel's place are type arguments, so that the compiler drops the rows and the stores that a loop does not have.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Multiply<TRows, TPanel>(GemmTile* tile)
        where TRows : struct, ITileHeight
        where TPanel : struct, IPanelPlace
    {
        float* a = tile->A;
        float* b = tile->B;
        float* packed = tile->PackTo;
        nint stride = tile->StrideB;
        float* next = tile->Next;
        int k = tile->Depth;
        if (Sse.IsSupported)
        {
            float* target = tile->C;
            for (int i = 0; i < TRows.Rows; i++, target += tile->StrideC)
            {
                Sse.Prefetch0(target);
                Sse.Prefetch0(target + 16);
            }
        }
        Vector512<float> l0 = default, r0 = default;
        Vector512<float> l1 = default, r1 = default;
        Vector512<float> l2 = default, r2 = default;
        Vector512<float> l3 = default, r3 = default;
        Vector512<float> l4 = default, r4 = default;
        Vector512<float> l5 = default, r5 = default;
        Vector512<float> l6 = default, r6 = default;
        Vector512<float> l7 = default, r7 = default;
        Vector512<float> l8 = default, r8 = default;
        Vector512<float> l9 = default, r9 = default;
        Vector512<float> l10 = default, r10 = default;
        Vector512<float> l11 = default, r11 = default;
        do
        {
            Vector512<float> left = Vector512.Load(b);
            Vector512<float> right = Vector512.Load(b + 16);
            if (TPanel.PacksOnTheWay)
            {
                left.StoreAligned(packed);
                right.StoreAligned(packed + 16);
                packed += Columns;
            }
            b += TPanel.InPlace ? stride : Columns;
            if (TPanel.PrefetchesNext && Sse.IsSupported)
            {
                Sse.Prefetch1(next);
                Sse.Prefetch1(next + 16);
                next += stride;
            }
            Vector512<float> x = Vector512.Create(a[0]);
            l0 = Vector512.FusedMultiplyAdd(x, left, l0);
            r0 = Vector512.FusedMultiplyAdd(x, right, r0);
            if (TRows.Rows > 1)
            {
                x = Vector512.Create(a[1]);
                l1 = Vector512.FusedMultiplyAdd(x, left, l1);
                r1 = Vector512.FusedMultiplyAdd(x, right, r1);
            }
            if (TRows.Rows > 2)
            {
                x = Vector512.Create(a[2]);
                l2 = Vector512.FusedMultiplyAdd(x, left, l2);
                r2 = Vector512.FusedMultiplyAdd(x, right, r2);
            }
            if (TRows.Rows > 3)
            {
                x = Vector512.Create(a[3]);
                l3 = Vector512.FusedMultiplyAdd(x, left, l3);
                r3 = Vector512.FusedMultiplyAdd(x, right, r3);
            }
            if (TRows.Rows > 4)
            {
                x = Vector512.Create(a[4]);
                l4 = Vector512.FusedMultiplyAdd(x, left, l4);
                r4 = Vector512.FusedMultiplyAdd(x, right, r4);
            }
            if (TRows.Rows > 5)
            {
                x = Vector512.Create(a[5]);
                l5 = Vector512.FusedMultiplyAdd(x, left, l5);
                r5 = Vector512.FusedMultiplyAdd(x, right, r5);
            }
            if (TRows.Rows > 6)
            {
                x = Vector512.Create(a[6]);
                l6 = Vector512.FusedMultiplyAdd(x, left, l6);
                r6 = Vector512.FusedMultiplyAdd(x, right, r6);
            }
            if (TRows.Rows > 7)
            {
                x = Vector512.Create(a[7]);
                l7 = Vector512.FusedMultiplyAdd(x, left, l7);
                r7 = Vector512.FusedMultiplyAdd(x, right, r7);
            }
            if (TRows.Rows > 8)
            {
                x = Vector512.Create(a[8]);
                l8 = Vector512.FusedMultiplyAdd(x, left, l8);
                r8 = Vector512.FusedMultiplyAdd(x, right, r8);
            }
            if (TRows.Rows > 9)
            {
                x = Vector512.Create(a[9]);
                l9 = Vector512.FusedMultiplyAdd(x, left, l9);
                r9 = Vector512.FusedMultiplyAdd(x, right, r9);
            }
            if (TRows.Rows > 10)
            {
                x = Vector512.Create(a[10]);
                l10 = Vector512.FusedMultiplyAdd(x, left, l10);
                r10 = Vector512.FusedMultiplyAdd(x, right, r10);
            }
            if (TRows.Rows > 11)
            {
                x = Vector512.Create(a[11]);
                l11 = Vector512.FusedMultiplyAdd(x, left, l11);
                r11 = Vector512.FusedMultiplyAdd(x, right, r11);
            }
            a += TRows.Rows;
        }
        while (--k > 0);

        float* c = tile->C;
        nint step = tile->StrideC;
        bool accumulate = tile->Accumulate;
        Vector512<float> biasLeft = default, biasRight = default;
        if (tile->Bias != null)
        {
            biasLeft = Vector512.Load(tile->Bias);
            biasRight = Vector512.Load(tile->Bias + 16);
        }
        Finish(c, l0 + biasLeft, r0 + biasRight, accumulate);
        if (TRows.Rows > 1) Finish(c + step, l1 + biasLeft, r1 + biasRight, accumulate);
        if (TRows.Rows > 2) Finish(c + (2 * step), l2 + biasLeft, r2 + biasRight, accumulate);
        if (TRows.Rows > 3) Finish(c + (3 * step), l3 + biasLeft, r3 + biasRight, accumulate);
        if (TRows.Rows > 4) Finish(c + (4 * step), l4 + biasLeft, r4 + biasRight, accumulate);
        if (TRows.Rows > 5) Finish(c + (5 * step), l5 + biasLeft, r5 + biasRight, accumulate);
        if (TRows.Rows > 6) Finish(c + (6 * step), l6 + biasLeft, r6 + biasRight, accumulate);
        if (TRows.Rows > 7) Finish(c + (7 * step), l7 + biasLeft, r7 + biasRight, accumulate);
        if (TRows.Rows > 8) Finish(c + (8 * step), l8 + biasLeft, r8 + biasRight, accumulate);
        if (TRows.Rows > 9) Finish(c + (9 * step), l9 + biasLeft, r9 + biasRight, accumulate);
        if (TRows.Rows > 10) Finish(c + (10 * step), l10 + biasLeft, r10 + biasRight, accumulate);
        if (TRows.Rows > 11) Finish(c + (11 * step), l11 + biasLeft, r11 + biasRight, accumulate);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Finish(float* c, Vector512<float> left, Vector512<float> right, bool accumulate)
    {
        if (accumulate)
        {
            left += Vector512.Load(c);
            right += Vector512.Load(c + 16);
        }
        left.Store(c);
        right.Store(c + 16);
    }
}
