using System.Runtime.Intrinsics;

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

    /// <inheritdoc />
    public override void ContractEdges(Tensor delta, int writers, Tensor gradients, int readers, long length, DeviceArray<double> scores, int stride, int firstColumn)
    {
        long slices = (length + ContractionSlice - 1) / ContractionSlice;
        int chunks = (int)Math.Min(ContractionChunks, slices);
        long cells = (long)writers * readers;
        var job = new ContractJob
        {
            Delta = P(delta), Writers = writers, Gradients = P(gradients), Readers = readers, Length = length, Slices = slices, Chunks = chunks,
            Sums = (double*)_contraction.Ensure(chunks * cells * sizeof(double)),
        };
        _pool.Run(ref job, chunks);
        for (int u = 0; u < writers; u++)
        {
            double* row = P(scores) + ((long)u * stride) + firstColumn;
            for (int c = 0; c < chunks; c++)
            {
                double* sums = job.Sums + (c * cells) + ((long)u * readers);
                for (int v = 0; v < readers; v++) row[v] += sums[v];
            }
        }
    }

    private readonly NativeScratch _contraction = new();

    private struct ContractJob : IParallelJob
    {
        public float* Delta, Gradients;
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
                AddSlice(sums, from, (int)Math.Min(ContractionSlice, Length - from));
            }
        }

        private readonly void AddSlice(double* sums, long from, int count)
        {
            for (int u = 0; u < Writers; u += EdgeTile.Writers)
            {
                int rows = Math.Min(EdgeTile.Writers, Writers - u);
                for (int v = 0; v < Readers; v += EdgeTile.Readers)
                {
                    int columns = Math.Min(EdgeTile.Readers, Readers - v);
                    float* d = Delta + (u * Length) + from;
                    float* g = Gradients + (v * Length) + from;
                    double* to = sums + ((long)u * Readers) + v;
                    if (rows == EdgeTile.Writers && columns == EdgeTile.Readers && Vector512.IsHardwareAccelerated) EdgeTile.Add(d, g, Length, count, to, Readers);
                    else EdgeTile.AddPlain(d, rows, g, columns, Length, count, to, Readers);
                }
            }
        }
    }
}
