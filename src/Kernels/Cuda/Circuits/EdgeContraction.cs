using Gradpath.Kernels.Circuits;
using static Gradpath.Kernels.KernelConstants;

namespace Gradpath.Kernels.Cuda;

// The edge contraction: a product with few rows, fewer columns and a very long inner dimension, cut into slices that are summed in float32
// by tensor cores (or by the ordinary units, where the options want that) and then in float64, in their order.
public sealed partial class CudaDevice
{
    private const int MostInY = 65_535;

    // A slice is short enough for float32 sums and long enough that its sums are few beside what it reads.
    private const int ShortestSlice = 512, LongestSlice = 4096;

    // Blocks that fill a large GPU several times over. Not read off the GPU: the slices, and so the bits, depend on the shape only.
    private const int ContractionBlocks = 1024;

    private static readonly int[] ContractionColumns = [8, 24, 40, 64, 80];

    private readonly Kernel?[] _contract = new Kernel?[ContractionColumns.Length];
    private Kernel? _contractAddSlices;

    private protected override void ContractEdgesCore(
        Tensor delta, int writers, Tensor gradients, int readers, long length, in ScoreBlock into)
    {
        var rows = new Matrix(delta, 0, writers, (int)length, (int)length);
        var columns = new Matrix(gradients, 0, readers, (int)length, (int)length, Transposed: true);
        Contract(rows, columns, SliceLength(writers, readers, length), AddressOf(into), into.Stride);
    }

    /// <summary>Elements of a slice: about as many slices as fill a GPU, within bounds; a multiple of the kernel's step.</summary>
    /// <param name="writers">Rows of scores.</param>
    /// <param name="readers">Columns of scores.</param>
    /// <param name="length">Elements to sum over.</param>
    /// <returns>The length, between 512 and 4,096.</returns>
    internal static int SliceLength(int writers, int readers, long length)
    {
        int tiles = Blocks(writers, ContractionRows) * Blocks(readers, ContractionColumns[^1]);
        long wanted = Math.Max(1, ContractionBlocks / tiles);
        long elements = Math.Clamp((length + wanted - 1) / wanted, ShortestSlice, LongestSlice);
        return (int)((elements + MmaDepth - 1) / MmaDepth * MmaDepth);
    }

    private static int ContractionSharedBytes(int columns) =>
        sizeof(float) * ContractionStages * MmaDepth * (ContractionRows + columns);

    private void Contract(in Matrix delta, in Matrix gradients, int slice, nint scores, int stride)
    {
        long bytes = new GemmShape(delta.Rows, gradients.Rows, slice, 1).PartialPitch * sizeof(float) * (long)delta.Rows;
        if (bytes > PartialsLimit && delta.Rows > 1)
        {
            int half = delta.Rows / 2;
            Contract(delta.SliceRows(0, half), gradients, slice, scores, stride);
            Contract(delta.SliceRows(half, delta.Rows - half), gradients, slice, scores + ((nint)half * stride * sizeof(double)), stride);
            return;
        }
        if (bytes > PartialsLimit)
        {
            int half = gradients.Rows / 2;
            Contract(delta, gradients.SliceRows(0, half), slice, scores, stride);
            Contract(delta, gradients.SliceRows(half, gradients.Rows - half), slice, scores + (half * sizeof(double)), stride);
            return;
        }
        int slicesAtOnce = (int)Math.Min(PartialsLimit / bytes, MostInY);
        int length = delta.Columns;
        for (long from = 0; from < length; from += (long)slicesAtOnce * slice)
        {
            int elements = (int)Math.Min(length - from, (long)slicesAtOnce * slice);
            int slices = Blocks(elements, slice);
            ContractSlices(delta.SliceColumns((int)from, elements), gradients.SliceColumns((int)from, elements), slice, slices);
            Launch(
                Load(ref _contractAddSlices, "EdgeContraction", "contractAddSlices"),
                Blocks(bytes / sizeof(float), ContractionCells),
                ContractionCells * ContractionParts,
                0,
                Partials, slices, delta.Rows, gradients.Rows, scores, stride, 0);
        }
    }

    // Partial sums of some slices.
    private void ContractSlices(in Matrix delta, in Matrix gradients, int slice, int slices)
    {
        int readers = gradients.Rows;
        int columns, threads, sharedBytes, copyA, copyB;
        Kernel kernel;
        if (Arithmetic == GemmArithmetic.Ffma)
        {
            GemmTile tile = GemmTile.Contraction;
            (columns, threads, sharedBytes, kernel) = (tile.Columns, tile.Threads, tile.SharedBytes(true), LoadTile(tile, true));
            copyA = copyB = CopyTransposed;
        }
        else
        {
            int index = 0;
            while (index < ContractionColumns.Length - 1 && ContractionColumns[index] < readers) index++;
            columns = ContractionColumns[index];
            threads = ContractionThreads;
            sharedBytes = ContractionSharedBytes(columns);
            kernel = Load(ref _contract[index], "EdgeContraction", $"contractEdges{columns}", sharedBytes);
            (copyA, copyB) = (CopyAlong(delta, 0), CopyAlong(gradients, 0));
        }
        Launch(
            kernel,
            (checked(Blocks(delta.Rows, ContractionRows) * Blocks(readers, columns)), slices),
            threads,
            sharedBytes,
            AddressOf(delta), AddressOf(gradients), (nint)0, (nint)0, Partials, 0L, 0L, 0L,
            delta.Rows, readers, delta.Columns, delta.Stride, gradients.Stride, 0, copyA, copyB, 0, 0, slice, (nint)0, 0, (nint)0, 0);
    }
}
