using Gradpath.Kernels.Cuda.Driver;
using static Gradpath.Kernels.KernelConstants;

namespace Gradpath.Kernels.Cuda;

public sealed partial class CudaDevice
{
    private const int RunThreads = 256;

    private Kernel? _gatherRows, _scatterAddRows, _combine, _combineBlocks, _fill, _scaleRows, _copyMatrix, _subtractRows;
    private Kernel? _mirrorUpperTriangle;

    private protected override void GatherRowsCore(
        Tensor table, DeviceArray<int> indices, int count, int width, Tensor output, Tensor? addend)
    {
        RowSplit split = RowSplit.Of(width, table.Address, output.Address, addend?.Address ?? 0);
        Launch(
            Load(ref _gatherRows, "Rows", "gatherRows"),
            split.Blocks(count),
            split.Threads,
            0,
            table,
            0L,
            indices,
            count,
            addend,
            split.Parts,
            width,
            split.Quads,
            output);
    }

    private protected override void GatherBlocksCore(
        Tensor table, int blockRows, DeviceArray<int> indices, int count, int blocks, int width, Tensor output)
    {
        RowSplit split = RowSplit.Of(width, table.Address, output.Address);
        Launch(
            Load(ref _gatherRows, "Rows", "gatherRows"),
            split.Blocks((long)blocks * count),
            split.Threads,
            0,
            table,
            (long)blockRows * width,
            indices,
            count,
            (nint)0,
            split.Parts,
            width,
            split.Quads,
            output);
    }

    private protected override void CombineBlocksCore(
        float alpha, in Matrix a, float beta, in Matrix b, Tensor? factors, int width, in Matrix output)
    {
        nint first = AddressOf(a), second = AddressOf(b), to = AddressOf(output);
        RowSplit split = RowSplit.Of(
            output.Columns, first, second, to, (nint)a.Stride * sizeof(float), (nint)b.Stride * sizeof(float),
            (nint)output.Stride * sizeof(float), (nint)width * sizeof(float));
        Launch(
            Load(ref _combineBlocks, "Rows", "combineBlocks"), split.Blocks(output.Rows), split.Threads, 0, alpha, first, a.Stride, beta,
            second, b.Stride, factors, width, split.Parts, output.Columns, split.Quads, to, output.Stride);
    }

    private protected override void ScatterAddRowsCore(Tensor source, DeviceArray<int> indices, int count, int width, Tensor target)
    {
        RowSplit split = RowSplit.Of(width, source.Address, target.Address);
        Launch(
            Load(ref _scatterAddRows, "Rows", "scatterAddRows"),
            split.Blocks(count),
            split.Threads,
            0,
            source,
            indices,
            split.Parts,
            width,
            split.Quads,
            target);
    }

    private protected override void CombineCore(float alpha, Tensor a, float beta, Tensor b, long length, Tensor output) =>
        LaunchCombine(alpha, a.Address, beta, b.Address, length, output.Address);

    private protected override void FillCore(Tensor target, float value, long length)
    {
        bool quads = RowSplit.Aligned(target.Address);
        Launch(Load(ref _fill, "Rows", "fill"), RunBlocks(length, quads), RunThreads, 0, target, value, length, quads);
    }

    private protected override void ScaleRowsCore(Tensor x, Tensor factors, int period, int rows, int width, Tensor output)
    {
        RowSplit split = RowSplit.Of(width, x.Address, output.Address);
        Launch(
            Load(ref _scaleRows, "Rows", "scaleRows"),
            split.Blocks(rows),
            split.Threads,
            0,
            x,
            factors,
            period,
            split.Parts,
            width,
            split.Quads,
            output);
    }

    private protected override void CopyBlockCore(Tensor source, long sourceOffset, Tensor target, long targetOffset, long length)
    {
        Enter();
        try
        {
            _driver.CopyOnDevice(
                ElementAddress(target, targetOffset), ElementAddress(source, sourceOffset), length * sizeof(float), _stream);
        }
        catch (CudaException e)
        {
            throw WorkFailed(e);
        }
    }

    private protected override void AddBlockCore(Tensor source, long sourceOffset, Tensor target, long targetOffset, long length)
    {
        nint to = ElementAddress(target, targetOffset);
        LaunchCombine(1, ElementAddress(source, sourceOffset), 1, to, length, to);
    }

    private protected override void CopyMatrixCore(in Matrix source, in Matrix target)
    {
        nint from = ElementAddress(source.Storage, source.Offset), to = ElementAddress(target.Storage, target.Offset);

        // Strides take part like addresses: rows start at multiples of four floats only where they are multiples too.
        RowSplit split = RowSplit.Of(source.Columns, from, to, (nint)source.Stride * sizeof(float), (nint)target.Stride * sizeof(float));
        Launch(
            Load(ref _copyMatrix, "Rows", "copyMatrix"), split.Blocks(source.Rows), split.Threads, 0, from, source.Stride, split.Parts,
            source.Columns, split.Quads, to, target.Stride);
    }

    private protected override void SubtractRowsCore(Tensor x, Tensor y, int period, int rows, int width)
    {
        RowSplit split = RowSplit.Of(width, x.Address, y.Address);
        Launch(
            Load(ref _subtractRows, "Rows", "subtractRows"),
            split.Blocks(rows),
            split.Threads,
            0,
            x,
            y,
            period,
            split.Parts,
            width,
            split.Quads);
    }

    private protected override void MirrorUpperTriangleCore(Tensor matrix, int size)
    {
        int tiles = Blocks(size, MirrorTile);
        Launch(Load(ref _mirrorUpperTriangle, "Rows", "mirrorUpperTriangle"), (tiles, tiles), MirrorTile * MirrorTileRows, 0, matrix, size);
    }

    private void LaunchCombine(float alpha, nint a, float beta, nint b, long length, nint output)
    {
        bool quads = RowSplit.Aligned(a, b, output);
        Launch(Load(ref _combine, "Rows", "combine"), RunBlocks(length, quads), RunThreads, 0, alpha, a, beta, b, length, quads, output);
    }

    private static Grid RunBlocks(long length, bool quads) => Blocks(length, RunThreads * (quads ? 4 : 1));

    private static nint ElementAddress(Tensor tensor, long element) => tensor.Address + (nint)(element * sizeof(float));
}
