using static Gradpath.Kernels.KernelConstants;

namespace Gradpath.Kernels.Cuda;

public sealed partial class CudaDevice
{
    private const int SumThreads = 128;

    // A block sums about this many products before another one shares a sequence's work.
    private const int ProductsPerSplit = 16 * 1024;

    private Kernel? _sequenceDots, _sumSplits, _pathStep;

    private protected override void SequenceDotsCore(Tensor x, Tensor y, SequenceLayout layout, int width, DeviceArray<double> values)
    {
        bool quads = RowSplit.Of(width, x.Address, y.Address).Quads;
        int splitRows = Math.Max(1, ProductsPerSplit / width);
        int splits = Blocks(layout.LongestKeys, splitRows);
        nint sums = splits == 1 ? values.Address : Scratch((long)layout.Sequences * splits * sizeof(double));
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
    }

    private protected override void PathStepCore(
        Tensor gamma,
        Tensor gradient,
        DeviceArray<double> squaredNorms,
        DeviceArray<double> stepLengths,
        bool wholeBatchNorm,
        SequenceLayout layout,
        int width)
    {
        bool quads = RowSplit.Of(width, gamma.Address, gradient.Address).Quads;
        int parts = Blocks((long)layout.LongestKeys * width, PathThreads * (quads ? 4 : 1));
        Launch(
            Load(ref _pathStep, "Path", "pathStep"),
            (layout.Sequences, parts),
            PathThreads,
            0,
            gamma,
            gradient,
            squaredNorms,
            stepLengths,
            wholeBatchNorm,
            layout.KeyStart,
            layout.KeyLength,
            layout.Sequences,
            width,
            quads);
    }
}
