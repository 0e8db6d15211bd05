using System.Numerics.Tensors;

namespace Gradpath.Kernels.Cpu;

// One part is one head of one sequence: two small products forward, five backward, each made by the thread that has the part, with the
// causal softmax in between. What a query must not see is computed along and set to 0, which is cheaper than leaving it out.
public sealed unsafe partial class CpuDevice
{
    /// <inheritdoc />
    public override void Attention(Tensor q, Tensor kv, SequenceLayout layout, int heads, int headWidth, float scale, Tensor probabilities, Tensor z)
    {
        var job = new AttentionJob { Shape = new AttentionShape(layout, heads, headWidth, scale), Q = P(q), Kv = P(kv), Probabilities = P(probabilities), Z = P(z), Gemm = SerialGemm };
        _pool.Run(ref job, layout.Sequences * heads);
    }

    /// <inheritdoc />
    public override void AttentionBackward(
        Tensor dz,
        Tensor q,
        Tensor kv,
        Tensor probabilities,
        SequenceLayout layout,
        int heads,
        int headWidth,
        float scale,
        int cotangents,
        Tensor dq,
        Tensor dkv)
    {
        var job = new AttentionBackwardJob
        {
            Shape = new AttentionShape(layout, heads, headWidth, scale),
            Q = P(q),
            Kv = P(kv),
            Probabilities = P(probabilities),
            Dz = P(dz),
            Dq = P(dq),
            Dkv = P(dkv),
            Sequences = layout.Sequences,
            KeyRows = layout.KeyRows,
            QueryRows = layout.QueryRows,
            Scratch = (float*)_attention.Ensure((long)layout.LongestKeys * layout.LongestKeys * Workers * sizeof(float)),
            ScratchStride = (long)layout.LongestKeys * layout.LongestKeys,
            Gemm = SerialGemm,
        };
        _pool.Run(ref job, cotangents * layout.Sequences * heads);
    }

    private readonly NativeScratch _attention = new();

    /// <summary>Where the rows and probabilities of a sequence and head lie.</summary>
    private readonly struct AttentionShape(SequenceLayout layout, int heads, int headWidth, float scale)
    {
        private readonly int* _keyStart = P(layout.KeyStart);
        private readonly int* _keyLength = P(layout.KeyLength);
        private readonly int* _queryStart = P(layout.QueryStart);
        private readonly int* _queryLength = P(layout.QueryLength);
        private readonly long* _probabilityStart = P(layout.ProbabilityStart);

        public readonly int Heads = heads;
        public readonly int HeadWidth = headWidth;
        public readonly float Scale = scale;

        public int Width => Heads * HeadWidth;

        public int Keys(int sequence) => _keyLength[sequence];

        public int Queries(int sequence) => _queryLength[sequence];

        public long KeyRow(int sequence) => _keyStart[sequence];

        public long QueryRow(int sequence) => _queryStart[sequence];

        public long Probabilities(int sequence, int head) =>
            (_probabilityStart[sequence] * Heads) + ((long)head * _queryLength[sequence] * _keyLength[sequence]);
    }

    private struct AttentionJob : IParallelJob
    {
        public AttentionShape Shape;
        public SerialGemm Gemm;
        public float* Q, Kv, Probabilities, Z;

        public readonly void Execute(int part, int worker)
        {
            int sequence = part / Shape.Heads;
            int head = part % Shape.Heads;
            int w = Shape.HeadWidth;
            int d = Shape.Width;
            int keys = Shape.Keys(sequence);
            int queries = Shape.Queries(sequence);
            long queryAt = (Shape.QueryRow(sequence) * d) + (head * w);
            var q = new RawMatrix(Q + queryAt, queries, w, d);
            var k = new RawMatrix(Kv + (Shape.KeyRow(sequence) * 2 * d) + (head * w), keys, w, 2L * d);
            var p = new RawMatrix(Probabilities + Shape.Probabilities(sequence, head), queries, keys, keys);
            Gemm.Multiply(worker, q, k.T, p);
            for (int i = 0; i < queries; i++) SoftmaxRow(new Span<float>(p.Data + ((long)i * keys), keys), keys - queries + i + 1, Shape.Scale);
            Gemm.Multiply(worker, p, k.Moved(d), new RawMatrix(Z + queryAt, queries, w, d));
        }

        // The largest score is taken off first: the exponential of a score above 88 is infinite.
        private static void SoftmaxRow(Span<float> row, int visible, float scale)
        {
            Span<float> seen = row[..visible];
            TensorPrimitives.Multiply(seen, scale, seen);
            TensorPrimitives.Subtract(seen, TensorPrimitives.Max<float>(seen), seen);
            TensorPrimitives.Exp(seen, seen);
            TensorPrimitives.Multiply(seen, 1 / TensorPrimitives.Sum<float>(seen), seen);
            row[visible..].Clear();
        }
    }

    private struct AttentionBackwardJob : IParallelJob
    {
        public AttentionShape Shape;
        public SerialGemm Gemm;
        public float* Q, Kv, Probabilities, Dz, Dq, Dkv, Scratch;
        public int Sequences, KeyRows, QueryRows;
        public long ScratchStride;

        public readonly void Execute(int part, int worker)
        {
            int head = part % Shape.Heads;
            int sequence = part / Shape.Heads % Sequences;
            int cotangent = part / (Shape.Heads * Sequences);
            int w = Shape.HeadWidth;
            int d = Shape.Width;
            int keys = Shape.Keys(sequence);
            int queries = Shape.Queries(sequence);
            long keyRow = Shape.KeyRow(sequence);
            long queryAt = (Shape.QueryRow(sequence) * d) + (head * w);
            long gradientAt = queryAt + ((long)cotangent * QueryRows * d);
            var q = new RawMatrix(Q + queryAt, queries, w, d);
            var k = new RawMatrix(Kv + (keyRow * 2 * d) + (head * w), keys, w, 2L * d);
            var dz = new RawMatrix(Dz + gradientAt, queries, w, d);
            var dk = new RawMatrix(Dkv + ((((long)cotangent * KeyRows) + keyRow) * 2 * d) + (head * w), keys, w, 2L * d);
            var p = new RawMatrix(Probabilities + Shape.Probabilities(sequence, head), queries, keys, keys);
            var ds = new RawMatrix(Scratch + (worker * ScratchStride), queries, keys, keys);
            Gemm.Multiply(worker, dz, k.Moved(d).T, ds);
            for (int i = 0; i < queries; i++)
            {
                // ds = scale p (dp - sum(p dp)); where p is 0 behind the diagonal, so is ds.
                var row = new Span<float>(ds.Data + ((long)i * keys), keys);
                var probabilities = new ReadOnlySpan<float>(p.Data + ((long)i * keys), keys);
                TensorPrimitives.Subtract(row, TensorPrimitives.Dot(row, probabilities), row);
                TensorPrimitives.Multiply(row, Shape.Scale, row);
                TensorPrimitives.Multiply(row, probabilities, row);
            }
            Gemm.Multiply(worker, ds, k, new RawMatrix(Dq + gradientAt, queries, w, d));
            Gemm.Multiply(worker, ds.T, q, dk);
            Gemm.Multiply(worker, p.T, dz, dk.Moved(d));
        }
    }
}
