using static Gradpath.Kernels.KernelConstants;

namespace Gradpath.Kernels.Cuda;

public sealed partial class CudaDevice
{
    private const int LayerNormOwnSharedBytes = 1024;

    private Kernel? _layerNorm, _layerNormBackward, _standardize;

    private protected override void LayerNormCore(
        Tensor x, Tensor gain, Tensor shift, float epsilon, int rows, int width, Tensor mean, Tensor rstd, Tensor y) =>
        LaunchLayerNorm(x, null, null, gain, shift, epsilon, rows, width, mean, rstd, y);

    private protected override void AddLayerNormCore(
        Tensor x, Tensor addend, Tensor sum, Tensor gain, Tensor shift, float epsilon, int rows, int width, Tensor mean, Tensor rstd,
        Tensor y) => LaunchLayerNorm(x, addend, sum, gain, shift, epsilon, rows, width, mean, rstd, y);

    private void LaunchLayerNorm(
        Tensor x, Tensor? addend, Tensor? sum, Tensor gain, Tensor shift, float epsilon, int rows, int width, Tensor mean, Tensor rstd,
        Tensor y)
    {
        bool quads = RowSplit.Of(
            width, x.Address, addend?.Address ?? 0, sum?.Address ?? 0, gain.Address, shift.Address, y.Address).Quads;
        Launch(
            Load(ref _layerNorm, "LayerNorm", "layerNorm"),
            rows,
            LayerNormThreads,
            0,
            x,
            addend,
            sum,
            gain,
            shift,
            epsilon,
            width,
            quads,
            mean,
            rstd,
            y);
    }

    private protected override void LayerNormBackwardCore(
        Tensor dy,
        Tensor x,
        Tensor gain,
        Tensor mean,
        Tensor rstd,
        in GradientRows rows,
        int width,
        Tensor residualGradient,
        Tensor? reader,
        int contributingRows,
        DeviceArray<int>? chosen,
        bool fresh,
        int clearedRows)
    {
        bool quads = RowSplit.Of(width, dy.Address, x.Address, gain.Address, residualGradient.Address, reader?.Address ?? 0).Quads;

        // Without a reader the rows are independent: a block each. With one, a block has all rows that are summed into a row of the reader.
        int baseRows = reader is null ? rows.Rows : rows.BaseRows;
        int fitting = (SharedBytesWithoutLeave - LayerNormOwnSharedBytes) / (width * sizeof(float));
        int groups = Math.Max(1, Math.Min(Math.Min(rows.Rows / baseRows, LayerNormMostGroups), fitting));
        Launch(
            Load(ref _layerNormBackward, "LayerNorm", "layerNormBackward"),
            baseRows,
            groups * LayerNormThreads,
            groups == 1 ? 0 : groups * width * sizeof(float),
            dy,
            x,
            gain,
            mean,
            rstd,
            rows.Rows,
            rows.ActivationRows,
            width,
            quads,
            residualGradient,
            chosen,
            fresh,
            clearedRows,
            reader,
            baseRows,
            contributingRows);
    }

    private protected override void StandardizeCore(
        Tensor x, Tensor mean, Tensor rstd, DeviceArray<int>? indices, int rows, int width, Tensor output, int outputRow)
    {
        nint to = ElementAddress(output, (long)outputRow * width);
        RowSplit split = RowSplit.Of(width, x.Address, to);
        Launch(
            Load(ref _standardize, "LayerNorm", "standardize"), split.Blocks(rows), split.Threads, 0, x, mean, rstd, indices,
            split.Parts, width, split.Quads, to);
    }
}
