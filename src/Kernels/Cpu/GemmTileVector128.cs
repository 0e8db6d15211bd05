using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Gradpath.Kernels.Cpu;

/// <summary>
/// The inner loop of the packed product on 128-bit vectors (Arm64, and x86-64 without AVX2): a tile of up to 6 x 8 of C stays in 12
/// registers; each step of k loads two vectors of B, broadcasts up to 6 elements of A and makes 12 multiply-adds, fused where the
/// processor can.
/// </summary>
internal static unsafe class GemmTileVector128
{
    /// <summary>The tallest tile.</summary>
    public const int MaxRows = 6;

    /// <summary>Width of a tile and of a panel of B: two vectors.</summary>
    public const int Columns = 8;

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
            }
        }
        Vector128<float> l0 = default, r0 = default;
        Vector128<float> l1 = default, r1 = default;
        Vector128<float> l2 = default, r2 = default;
        Vector128<float> l3 = default, r3 = default;
        Vector128<float> l4 = default, r4 = default;
        Vector128<float> l5 = default, r5 = default;
        do
        {
            Vector128<float> left = Vector128.Load(b);
            Vector128<float> right = Vector128.Load(b + 4);
            if (TPanel.PacksOnTheWay)
            {
                left.StoreAligned(packed);
                right.StoreAligned(packed + 4);
                packed += Columns;
            }
            b += TPanel.InPlace ? stride : Columns;
            if (TPanel.PrefetchesNext && Sse.IsSupported)
            {
                Sse.Prefetch1(next);
                next += stride;
            }
            Vector128<float> x = Vector128.Create(a[0]);
            l0 = Vector128.MultiplyAddEstimate(x, left, l0);
            r0 = Vector128.MultiplyAddEstimate(x, right, r0);
            if (TRows.Rows > 1)
            {
                x = Vector128.Create(a[1]);
                l1 = Vector128.MultiplyAddEstimate(x, left, l1);
                r1 = Vector128.MultiplyAddEstimate(x, right, r1);
            }
            if (TRows.Rows > 2)
            {
                x = Vector128.Create(a[2]);
                l2 = Vector128.MultiplyAddEstimate(x, left, l2);
                r2 = Vector128.MultiplyAddEstimate(x, right, r2);
            }
            if (TRows.Rows > 3)
            {
                x = Vector128.Create(a[3]);
                l3 = Vector128.MultiplyAddEstimate(x, left, l3);
                r3 = Vector128.MultiplyAddEstimate(x, right, r3);
            }
            if (TRows.Rows > 4)
            {
                x = Vector128.Create(a[4]);
                l4 = Vector128.MultiplyAddEstimate(x, left, l4);
                r4 = Vector128.MultiplyAddEstimate(x, right, r4);
            }
            if (TRows.Rows > 5)
            {
                x = Vector128.Create(a[5]);
                l5 = Vector128.MultiplyAddEstimate(x, left, l5);
                r5 = Vector128.MultiplyAddEstimate(x, right, r5);
            }
            a += TRows.Rows;
        }
        while (--k > 0);

        float* c = tile->C;
        nint step = tile->StrideC;
        bool accumulate = tile->Accumulate;
        Vector128<float> biasLeft = default, biasRight = default;
        if (tile->Bias != null)
        {
            biasLeft = Vector128.Load(tile->Bias);
            biasRight = Vector128.Load(tile->Bias + 4);
        }
        Finish(c, l0 + biasLeft, r0 + biasRight, accumulate);
        if (TRows.Rows > 1) Finish(c + step, l1 + biasLeft, r1 + biasRight, accumulate);
        if (TRows.Rows > 2) Finish(c + (2 * step), l2 + biasLeft, r2 + biasRight, accumulate);
        if (TRows.Rows > 3) Finish(c + (3 * step), l3 + biasLeft, r3 + biasRight, accumulate);
        if (TRows.Rows > 4) Finish(c + (4 * step), l4 + biasLeft, r4 + biasRight, accumulate);
        if (TRows.Rows > 5) Finish(c + (5 * step), l5 + biasLeft, r5 + biasRight, accumulate);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Finish(float* c, Vector128<float> left, Vector128<float> right, bool accumulate)
    {
        if (accumulate)
        {
            left += Vector128.Load(c);
            right += Vector128.Load(c + 4);
        }
        left.Store(c);
        right.Store(c + 4);
    }
}
