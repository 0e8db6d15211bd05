using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Gradpath.Kernels.Circuits;

namespace Gradpath.Kernels.Cpu;

// scores += delta G^T, with an inner dimension (rows times D) of a hundred thousand and more and a few hundred rows on either side.
// A packed product would spend its time packing, so this one reads both operands where they lie, along their long rows:
//
//   chunk   a share of the inner dimension, summed by one thread in float64; a fixed number of chunks, added in their order, makes the
//           result independent of the number of threads
//   slice   1,024 elements of every row, so that a slice of G stays in the second-level cache while the rows of delta run over it
//   tile    8 rows of delta times 3 rows of G: 24 vector sums in registers, float32 for the 64 steps of a slice; the 8 rows stay in the
//           first-level cache while all of G passes by
public sealed unsafe partial class CpuDevice
{
    private const int ContractionChunks = 16;
    private const int ContractionSlice = 1024;

    private protected override void ContractEdgesCore(
        Tensor delta, int writers, Tensor gradients, int readers, long length, in ScoreBlock into)
    {
        long slices = (length + ContractionSlice - 1) / ContractionSlice;
        int chunks = (int)Math.Min(ContractionChunks, slices);
        long cells = (long)writers * readers;
        var job = new ContractJob
        {
            Delta = P(delta),
            Writers = writers,
            Gradients = P(gradients),
            Readers = readers,
            Length = length,
            Slices = slices,
            Chunks = chunks,
            Sums = (double*)_contraction.Ensure(chunks * cells * sizeof(double)),
            Slice = (float*)_contractionSlices.Ensure((long)Workers * readers * ContractJob.Pitch * sizeof(float)),
        };
        _pool.Run(ref job, chunks);
        for (int u = 0; u < writers; u++)
        {
            double* row = P(into.Scores) + ((long)u * into.Stride) + into.First;
            for (int c = 0; c < chunks; c++)
            {
                double* sums = job.Sums + (c * cells) + ((long)u * readers);
                for (int v = 0; v < readers; v++) row[v] += sums[v];
            }
        }
    }

    private readonly NativeScratch _contraction = new();
    private readonly NativeScratch _contractionSlices = new();

    private struct ContractJob : IParallelJob
    {
        // Rows of a slice of G lie close together, and not a power of two apart: at their own distance, often a multiple of the page
        // size, they would all compete for the same few places of the cache.
        public const int Pitch = ContractionSlice + 16;

        public float* Delta, Gradients, Slice;
        public double* Sums;
        public int Writers, Readers, Chunks;
        public long Length, Slices;

        public readonly void Execute(int part, int worker)
        {
            double* sums = Sums + ((long)part * Writers * Readers);
            new Span<double>(sums, checked(Writers * Readers)).Clear();
            for (long slice = Slices * part / Chunks; slice < Slices * (part + 1) / Chunks; slice++)
            {
                long from = slice * ContractionSlice;
                AddSlice(sums, from, (int)Math.Min(ContractionSlice, Length - from), Slice + ((long)worker * Readers * Pitch));
            }
        }

        private readonly void AddSlice(double* sums, long from, int count, float* slice)
        {
            for (int v = 0; v < Readers; v++)
            {
                new ReadOnlySpan<float>(Gradients + (v * Length) + from, count).CopyTo(new Span<float>(slice + ((long)v * Pitch), count));
            }
            for (int u = 0; u < Writers; u += EdgeTile.Writers)
            {
                int rows = Math.Min(EdgeTile.Writers, Writers - u);
                for (int v = 0; v < Readers; v += EdgeTile.Readers)
                {
                    int columns = Math.Min(EdgeTile.Readers, Readers - v);
                    if (u + rows < Writers) Prefetch(u + rows, v, from, count);
                    AddTile(sums, u, rows, v, columns, from, count, slice);
                }
            }
        }

        private readonly void AddTile(double* sums, int u, int rows, int v, int columns, long from, int count, float* slice)
        {
            double* to = sums + ((long)u * Readers) + v;
            if (!Vector512.IsHardwareAccelerated || Writers < EdgeTile.Writers || Readers < EdgeTile.Readers)
            {
                EdgeTile.AddPlain(Delta + (u * Length) + from, rows, Length, slice + (v * Pitch), columns, Pitch, count, to, Readers);
            }
            else if (rows == EdgeTile.Writers && columns == EdgeTile.Readers)
            {
                EdgeTile.Add(Delta + (u * Length) + from, Length, slice + (v * Pitch), Pitch, count, to, Readers);
            }
            else
            {
                // A tile at the edge is moved back to be a full one; what it repeats is thrown away.
                int extraRows = EdgeTile.Writers - rows;
                int extraColumns = EdgeTile.Readers - columns;
                double* tile = stackalloc double[EdgeTile.Writers * EdgeTile.Readers];
                new Span<double>(tile, EdgeTile.Writers * EdgeTile.Readers).Clear();
                EdgeTile.Add(
                    Delta + ((u - extraRows) * Length) + from,
                    Length,
                    slice + ((v - extraColumns) * Pitch),
                    Pitch,
                    count,
                    tile,
                    EdgeTile.Readers);
                for (int r = 0; r < rows; r++)
                {
                    for (int c = 0; c < columns; c++)
                    {
                        to[((long)r * Readers) + c] += tile[((r + extraRows) * EdgeTile.Readers) + c + extraColumns];
                    }
                }
            }
        }

        // The next rows of delta come from memory while this tile is computed: a share of them per tile.
        private readonly void Prefetch(int u, int v, long from, int count)
        {
            if (!Sse.IsSupported) return;
            int rows = Math.Min(EdgeTile.Writers, Writers - u);
            int first = (int)((long)count * v / Readers) & ~15;
            int last = (int)((long)count * Math.Min(Readers, v + EdgeTile.Readers) / Readers);
            for (int r = 0; r < rows; r++)
            {
                float* row = Delta + ((u + r) * Length) + from;
                for (int i = first; i < last; i += 16) Sse.Prefetch1(row + i);
            }
        }
    }
}
