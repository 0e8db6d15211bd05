using static Gradpath.Kernels.KernelConstants;

namespace Gradpath.Kernels.Cuda;

public sealed partial class CudaDevice
{
    private const int SumThreads = 128;

    // A block sums about this many products before another one shares a sequence's work.
    private const int ProductsPerSplit = 16 * 1024;

    private Kernel? _sequenceDots, _sumSplits, _pathStep;

    private protected override void SequenceDotsCore(Tensor x, Tensor y, SequenceLayout layout, int width, DeviceArray<double> values) =>
        SumProducts(x, y, layout, width, values.Address);

    private static int RowsPerSplit(int width) => Math.Max(1, ProductsPerSplit / width);

    // Where the sums are: at the values, or in scratch memory where that is 0, which several splits need anyway.
    private nint SumProducts(Tensor x, Tensor y, SequenceLayout layout, int width, nint values)
    {
        bool quads = RowSplit.Of(width, x.Address, y.Address).Quads;
        int splitRows = RowsPerSplit(width);
        int splits = Blocks(layout.LongestKeys, splitRows);
        long partial = (long)layout.Sequences * splits;
        nint sums = splits == 1 ? values : Scratch((partial + layout.Sequences) * sizeof(double));
        if (values == 0) values = sums + (nint)(partial * sizeof(double));
        Launch(
            Load(ref _sequenceDots, "Path", "sequenceDots"), (layout.Sequences, splits), PathThreads, 0, x, y, layout.KeyStart,
            layout.KeyLength, width, splitRows, quads, sums);
        if (splits > 1)
        {
            Launch(
                Load(ref _sumSplits, "Path", "sumSplits"),
                Blocks(layout.Sequences, SumThreads),
                SumThreads,
                0,
                sums,
                layout.Sequences,
                splits,
                values);
        }
        return values;
    }

    private protected override void PathStepCore(
        Tensor gamma,
        Tensor gradient,
        DeviceArray<double>? squaredNorms,
        DeviceArray<double> stepLengths,
        bool wholeBatchNorm,
        SequenceLayout layout,
        int width,
        Tensor? positions,
        DeviceArray<int>? indices,
        Tensor? embedded)
    {
        bool quads = RowSplit.Of(
            width, gamma.Address, gradient.Address, positions?.Address ?? 0, embedded?.Address ?? 0).Quads;

        // Blocks of a long sequence do not each sum up all of it. The bits are the same either way.
        nint norms = squaredNorms?.Address ?? 0;
        if (norms == 0 && layout.LongestKeys > RowsPerSplit(width)) norms = SumProducts(gradient, gradient, layout, width, 0);
        int parts = Blocks((long)layout.LongestKeys * width, PathThreads * (quads ? 4 : 1));
        Launch(
            Load(ref _pathStep, "Path", "pathStep"),
            (layout.Sequences, parts),
            PathThreads,
            0,
            gamma,
            gradient,
            norms,
            stepLengths,
            wholeBatchNorm,
            layout.KeyStart,
            layout.KeyLength,
            layout.Sequences,
            width,
            quads,
            positions,
            indices,
            embedded);
    }
}
