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

    private void ShortAttention(
        Tensor q, Tensor kv, SequenceLayout layout, in HeadGroup heads, Tensor probabilities, Tensor z, Tensor? prefix)
    {
        int tiles = ShortQueryTiles(layout);
        Launch(
            Load(ref _shortAttention, ShortAttentionFile, "attentionShort"),
            (tiles * layout.Sequences, heads.Heads),
            Warp,
            0,
            q,
            kv,
            prefix,
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
            tiles,
            RowSplit.Aligned(q.Address, kv.Address, z.Address, prefix?.Address ?? 0),
            probabilities,
            z);
    }

    private void ShortAttentionBackward(
        Tensor dz,
        Tensor q,
        Tensor kv,
        Tensor probabilities,
        SequenceLayout layout,
        in HeadGroup heads,
        int cotangents,
        Tensor dq,
        Tensor dkv,
        Tensor? prefix)
    {
        bool quads = RowSplit.Aligned(dz.Address, q.Address, kv.Address, dq.Address, dkv.Address, prefix?.Address ?? 0);
        int queryRows = cotangents * layout.QueryRows, tiles = ShortQueryTiles(layout);
        int keyTiles = Blocks(layout.LongestKeys, ShortRows);
        nint along = Scratch((long)heads.Heads * queryRows * sizeof(float));
        Launch(
            Load(ref _shortQueryGradient, ShortAttentionFile, "attentionShortQueryGradient"),
            (tiles * layout.Sequences * cotangents, heads.Heads),
            Warp,
            0,
            dz,
            kv,
            prefix,
            probabilities,
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
            tiles,
            quads,
            along,
            dq);
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

    private static int ShortQueryTiles(SequenceLayout layout) => layout.LastQueryOnly ? 1 : Blocks(layout.LongestKeys, ShortRows);
}
