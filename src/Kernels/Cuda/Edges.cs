namespace Gradpath.Kernels.Cuda;

public sealed partial class CudaDevice
{
    private const int AccumulateThreads = 128;
    private const int ReadersPerThread = 4;
    private const int ProximityThreads = 256;

    private Kernel? _accumulateReaders, _finishReaders, _proximityShares, _sumShares;

    /// <inheritdoc />
    public override void AccumulateReaders(
        Tensor dy,
        Tensor y,
        Tensor constant,
        Tensor gainSums,
        Tensor rstd,
        int readers,
        int headWidth,
        int width,
        int rows,
        int activationRows,
        int baseRows,
        Tensor sums,
        Tensor offsets,
        Tensor coefficients,
        int firstPoint) => Launch(
            Load(ref _accumulateReaders, "Edges", "accumulateReaders"),
            Blocks((long)readers * baseRows, AccumulateThreads / 32),
            AccumulateThreads,
            0,
            dy,
            y,
            constant,
            gainSums,
            rstd,
            readers,
            headWidth,
            width,
            rows,
            activationRows,
            baseRows,
            sums,
            offsets,
            ElementAddress(coefficients, (long)firstPoint * readers * baseRows));

    /// <inheritdoc />
    public override void FinishReaders(
        Tensor gradients,
        long firstElement,
        Tensor gain,
        Tensor offsets,
        Tensor coefficients,
        Tensor standardized,
        int readers,
        int rows,
        int width,
        int points)
    {
        nint first = ElementAddress(gradients, firstElement);
        RowSplit split = RowSplit.Of(width, first, gain.Address, standardized.Address);
        Launch(
            Load(ref _finishReaders, "Edges", "finishReaders"),
            (split.Blocks(rows), Blocks(readers, ReadersPerThread)),
            split.Threads,
            0,
            first,
            gain,
            offsets,
            coefficients,
            standardized,
            readers,
            rows,
            points,
            split.Parts,
            width,
            split.Quads);
    }

    /// <inheritdoc />
    public override void Proximity(
        Tensor input,
        Tensor writerOutputs,
        int writers,
        int rows,
        int width,
        Tensor rowWeights,
        DeviceArray<double> scores,
        int stride,
        int column)
    {
        bool quads = RowSplit.Of(width, input.Address, writerOutputs.Address).Quads;
        nint shares = Scratch((long)writers * rows * sizeof(double));
        Launch(
            Load(ref _proximityShares, "Edges", "proximityShares"), rows, ProximityThreads, 0, input, writerOutputs, rowWeights, writers, rows, width, quads, shares);
        Launch(Load(ref _sumShares, "Edges", "sumShares"), writers, ProximityThreads, 0, shares, rows, stride, column, scores);
    }
}
