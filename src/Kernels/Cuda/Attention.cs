using static Gradpath.Kernels.KernelConstants;

namespace Gradpath.Kernels.Cuda;

public sealed partial class CudaDevice
{
    private const int AttentionWarps = AttentionThreads / Warp;

    private readonly Kernel?[] _attentionKernels = new Kernel?[3];
    private readonly Kernel?[] _queryGradientKernels = new Kernel?[3];
    private Kernel? _attentionKeyGradient;
    private Kernel? _shortAttention;
    private Kernel? _shortGradients;

    private protected override int WidestHead => 128;

    private protected override void AttentionCore(
        Tensor q, Tensor kv, SequenceLayout layout, in HeadGroup heads, Tensor probabilities, Tensor z, Tensor? prefix)
    {
        bool isShort = IsShort(layout, heads);
        var tiles = new AttentionTiles(layout, heads.HeadWidth);
        int ofQueries = isShort ? ShortQueryTiles(layout) : tiles.OfQueries;
        bool quads = IsWhole(isShort, heads, q.Address, kv.Address, z.Address, prefix?.Address ?? 0);
        Launch(
            isShort
                ? Load(ref _shortAttention, ShortAttentionFile, "attentionShort")
                : LoadAttention(_attentionKernels, "attention", tiles),
            (ofQueries * layout.Sequences, heads.Heads),
            isShort ? Warp : AttentionThreads,
            isShort ? 0 : tiles.SharedBytes,
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
            ofQueries,
            quads,
            probabilities,
            z);
    }

    private protected override void AttentionBackwardCore(
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
        if (IsShort(layout, heads))
        {
            ShortGradients(dz, q, kv, probabilities, layout, heads, cotangents, dq, dkv, prefix);
            return;
        }
        var tiles = new AttentionTiles(layout, heads.HeadWidth);
        bool quads = IsWhole(
            false, heads, dz.Address, q.Address, kv.Address, dq.Address, dkv.Address, prefix?.Address ?? 0);
        int queryRows = cotangents * layout.QueryRows;
        nint along = Scratch((long)heads.Heads * queryRows * sizeof(float));
        Launch(
            LoadAttention(_queryGradientKernels, "attentionQueryGradient", tiles),
            (tiles.OfQueries * layout.Sequences * cotangents, heads.Heads),
            AttentionThreads,
            tiles.SharedBytes,
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
            tiles.OfQueries,
            quads,
            along,
            dq);
        Launch(
            Load(ref _attentionKeyGradient, "Attention", "attentionKeyGradient"),
            (tiles.OfKeys * layout.Sequences * cotangents, heads.Heads),
            AttentionThreads,
            tiles.KeyGradientSharedBytes,
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
            tiles.OfKeys,
            tiles.Keys,
            quads,
            dkv);
    }

    private Kernel LoadAttention(Kernel?[] kernels, string name, in AttentionTiles tiles) =>
        Load(ref kernels[int.Log2(tiles.RowsPerWarp) - 1], "Attention", $"{name}{tiles.RowsPerWarp}");

    /// <summary>
    /// How queries and keys are dealt to blocks: a thread makes four floats of at most <see cref="AttentionSlots"/> rows of a tile.
    /// </summary>
    private readonly struct AttentionTiles
    {
        private readonly int _stride;

        public AttentionTiles(SequenceLayout layout, int headWidth)
        {
            int units = (headWidth + 3) / 4;
            _stride = 4 * (units | 1);
            int rowsAtOnce = AttentionThreads / units;
            int queries = layout.LastQueryOnly ? 1 : layout.LongestKeys;
            RowsPerWarp = 8;
            while (RowsPerWarp > 2 && (RowsPerWarp > rowsAtOnce || RowsPerWarp / 2 * AttentionWarps >= queries)) RowsPerWarp /= 2;
            OfQueries = Blocks(queries, RowsPerWarp * AttentionWarps);
            Keys = Math.Min(AttentionKeys, AttentionSlots * rowsAtOnce);
            OfKeys = Blocks(layout.LongestKeys, Keys);
        }

        public int RowsPerWarp { get; }

        public int OfQueries { get; }

        public int Keys { get; }

        public int OfKeys { get; }

        // Queries, keys, values and the weights in between, whose rows are padded.
        public int SharedBytes =>
            (((RowsPerWarp * AttentionWarps) + (2 * AttentionKeys)) * _stride * sizeof(float))
                + (RowsPerWarp * AttentionWarps * (AttentionKeys + AttentionPadding) * sizeof(float));

        // Values, queries, gradients, and two tiles of weights with the keys as rows.
        public int KeyGradientSharedBytes =>
            ((AttentionKeys + (2 * AttentionQueries)) * _stride * sizeof(float))
                + (2 * AttentionKeys * (AttentionQueries + AttentionPadding) * sizeof(float));
    }
}
