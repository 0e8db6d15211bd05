using Gradpath.Kernels.Circuits;
using static Gradpath.Kernels.KernelConstants;

namespace Gradpath.Kernels.Cuda;

public sealed partial class CudaDevice
{
    private Kernel? _accumulateReaders, _layerNormBackwardWithReaders, _finishReaders, _proximityShares, _sumShares;

    private protected override void AccumulateReadersCore(in ReaderPoints points) => Launch(
        Load(ref _accumulateReaders, "Edges", "accumulateReaders"),
        AccumulateBlocks(points),
        AccumulateThreads,
        0,
        points.Dy,
        points.Y,
        points.Constant,
        points.GainSums,
        points.Rstd,
        points.Readers.Readers,
        points.Readers.HeadWidth,
        points.Readers.Width,
        points.Rows.Rows,
        points.Rows.ActivationRows,
        points.Rows.BaseRows,
        points.Into.Sums,
        points.Into.Offsets,
        FirstCoefficient(points));

    private protected override void LayerNormBackwardWithReadersCore(
        Tensor dy,
        Tensor x,
        Tensor gain,
        Tensor mean,
        Tensor rstd,
        in GradientRows rows,
        Tensor residualGradient,
        in ReaderPoints points,
        Tensor? standardized)
    {
        int width = points.Readers.Width;
        nint kept = standardized is null ? 0 : ElementAddress(standardized, (long)points.FirstPoint * points.Rows.BaseRows * width);
        bool quads = RowSplit.Of(width, dy.Address, x.Address, gain.Address, residualGradient.Address, kept).Quads;
        Launch(
            Load(ref _layerNormBackwardWithReaders, "Edges", "layerNormBackwardWithReaders"),
            checked(rows.Rows + AccumulateBlocks(points)),
            LayerNormThreads,
            0,
            dy,
            x,
            gain,
            mean,
            rstd,
            rows.Rows,
            rows.ActivationRows,
            quads,
            residualGradient,
            kept,
            points.Dy,
            points.Y,
            points.Constant,
            points.GainSums,
            points.Rstd,
            points.Readers.Readers,
            points.Readers.HeadWidth,
            width,
            points.Rows.Rows,
            points.Rows.ActivationRows,
            points.Rows.BaseRows,
            points.Into.Sums,
            points.Into.Offsets,
            FirstCoefficient(points));
    }

    private static int AccumulateBlocks(in ReaderPoints points) =>
        Blocks((long)points.Readers.Readers * points.Rows.BaseRows, AccumulateThreads / Warp);

    private static nint FirstCoefficient(in ReaderPoints points) => ElementAddress(
        points.Into.Coefficients, (long)points.FirstPoint * points.Readers.Readers * points.Rows.BaseRows);

    private protected override void FinishReadersCore(
        Tensor gradients,
        long firstElement,
        Tensor gain,
        Tensor offsets,
        Tensor coefficients,
        Tensor standardized,
        in ReaderBlocks blocks,
        Tensor? last)
    {
        nint first = ElementAddress(gradients, firstElement);
        bool even = (blocks.SumsStride | blocks.StandardizedStride) % 4 == 0;
        RowSplit split = RowSplit.Of(blocks.Width, first, gain.Address, standardized.Address, last?.Address ?? 0, even ? 0 : sizeof(float));
        Launch(
            Load(ref _finishReaders, "Edges", "finishReaders"),
            (split.Blocks(blocks.Rows), checked(blocks.Layers * (Blocks(blocks.Readers, ReadersPerThread) + (last is null ? 0 : 1)))),
            split.Threads,
            0,
            first,
            gain,
            offsets,
            coefficients,
            standardized,
            last,
            blocks.SumsStride,
            blocks.StandardizedStride,
            blocks.Readers,
            blocks.Rows,
            blocks.Points,
            split.Parts,
            blocks.Width,
            split.Quads);
    }

    private protected override void ProximityCore(
        Tensor input,
        Tensor writerOutputs,
        int writers,
        int rows,
        int width,
        Tensor rowWeights,
        in ScoreBlock into)
    {
        bool quads = RowSplit.Of(width, input.Address, writerOutputs.Address).Quads;
        nint shares = Scratch((long)writers * rows * sizeof(double));
        Launch(
            Load(ref _proximityShares, "Edges", "proximityShares"), rows, ProximityThreads, 0, input, writerOutputs, rowWeights, writers,
            rows, width, quads, shares);
        Launch(Load(ref _sumShares, "Edges", "sumShares"), writers, ProximityThreads, 0, shares, rows, into.Stride, 0, AddressOf(into));
    }

    private static nint AddressOf(in ScoreBlock block) => block.Scores.Address + (nint)(block.First * sizeof(double));
}
