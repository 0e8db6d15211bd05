using static Gradpath.Kernels.KernelConstants;

namespace Gradpath.Kernels.Cuda;

// Attention of sequences whose keys fit into a warp's registers, on tensor cores.
public sealed partial class CudaDevice
{
    private const string ShortAttentionFile = "AttentionShort";

    // By shape alone, so that the same call gives the same bits wherever its operands lie. A device whose products keep off tensor cores
    // keeps off them here too.
    private bool IsShort(SequenceLayout layout, in HeadGroup heads) =>
        Arithmetic != GemmArithmetic.Ffma && layout.LongestKeys <= ShortKeys && heads.HeadWidth % ShortRows == 0;

    private void ShortKeyGradient(
        Tensor dz, Tensor q, Tensor kv, Tensor probabilities, nint along, SequenceLayout layout, in HeadGroup heads, int cotangents,
        bool quads, Tensor dkv)
    {
        int queryRows = cotangents * layout.QueryRows, keyTiles = Blocks(layout.LongestKeys, ShortRows);
        Launch(
            Load(ref _shortKeyGradient, ShortAttentionFile, "attentionShortKeyGradient"),
            (keyTiles * layout.Sequences * cotangents, heads.Heads),
            Warp,
            0,
            dz,
            q,
            kv,
            probabilities,
            along,
            layout.KeyStart,
            layout.KeyLength,
            layout.QueryStart,
            layout.QueryLength,
            layout.ProbabilityStart,
            layout.PrefixStart,
            layout.PrefixLength,
            heads.Heads,
            heads.HeadWidth,
            heads.QueryStride,
            heads.KeyStride,
            heads.Scale,
            layout.Sequences,
            layout.QueryRows,
            queryRows,
            layout.KeyRows,
            keyTiles,
            quads,
            dkv);
    }

    // Whether rows are read by 16 bytes: heads that are a multiple of 16 wide need aligned addresses alone.
    private static bool IsWhole(bool isShort, in HeadGroup heads, params ReadOnlySpan<nint> addresses) =>
        isShort ? RowSplit.Aligned(addresses) : RowSplit.Of(heads.HeadWidth, addresses).Quads;

    private static int ShortQueryTiles(SequenceLayout layout) => layout.LastQueryOnly ? 1 : Blocks(layout.LongestKeys, ShortRows);
}
