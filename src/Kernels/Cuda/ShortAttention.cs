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

    private void ShortGradients(
        Tensor dz, Tensor q, Tensor kv, Tensor probabilities, SequenceLayout layout, in HeadGroup heads, int cotangents, Tensor dq,
        Tensor dkv, Tensor? prefix) => Launch(
            Load(ref _shortGradients, ShortAttentionFile, "attentionShortGradients"),
            (layout.Sequences * cotangents, heads.Heads),
            Blocks(layout.LongestKeys, ShortRows) * Warp,
            0,
            dz,
            q,
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
            layout.KeyRows,
            IsWhole(
                true, heads, dz.Address, q.Address, kv.Address, dq.Address, dkv.Address, prefix?.Address ?? 0),
            dq,
            dkv);

    // Whether rows are read by 16 bytes: heads that are a multiple of 16 wide need aligned addresses alone.
    private static bool IsWhole(bool isShort, in HeadGroup heads, params ReadOnlySpan<nint> addresses) =>
        isShort ? RowSplit.Aligned(addresses) : RowSplit.Of(heads.HeadWidth, addresses).Quads;

    private static int ShortQueryTiles(SequenceLayout layout) => layout.LastQueryOnly ? 1 : Blocks(layout.LongestKeys, ShortRows);
}
