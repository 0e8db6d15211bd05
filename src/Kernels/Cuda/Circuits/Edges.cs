using Gradpath.Kernels.Circuits;
using static Gradpath.Kernels.KernelConstants;

namespace Gradpath.Kernels.Cuda;

public sealed partial class CudaDevice
{
    private Kernel? _accumulateReaders, _finishReaders, _proximityShares, _sumShares;

    private protected override void AccumulateReadersCore(
        Tensor dy,
        Tensor y,
        Tensor constant,
        Tensor gainSums,
        Tensor rstd,
        in ReaderGroup readers,
        in GradientRows rows,
        in ReaderSums into,
        int firstPoint) => Launch(
            Load(ref _accumulateReaders, "Edges", "accumulateReaders"),
            Blocks((long)readers.Readers * rows.BaseRows, AccumulateThreads / Warp),
            AccumulateThreads,
            0,
            dy,
            y,
            constant,
            gainSums,
            rstd,
            readers.Readers,
            readers.HeadWidth,
            readers.Width,
            rows.Rows,
            rows.ActivationRows,
            rows.BaseRows,
            into.Sums,
            into.Offsets,
            ElementAddress(into.Coefficients, (long)firstPoint * readers.Readers * rows.BaseRows));

    private protected override void FinishReadersCore(
        Tensor gradients,
        long firstElement,
        Tensor gain,
        Tensor offsets,
        Tensor coefficients,
        Tensor standardized,
        in ReaderBlocks blocks)
    {
        nint first = ElementAddress(gradients, firstElement);
        RowSplit split = RowSplit.Of(blocks.Width, first, gain.Address, standardized.Address);
        Launch(
            Load(ref _finishReaders, "Edges", "finishReaders"),
            (split.Blocks(blocks.Rows), Blocks(blocks.Readers, ReadersPerThread)),
            split.Threads,
            0,
            first,
            gain,
            offsets,
            coefficients,
            standardized,
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
