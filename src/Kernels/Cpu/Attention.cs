using System.Numerics.Tensors;

namespace Gradpath.Kernels.Cpu;

// One part is one head of one sequence: two small products forward, five backward, each made by the thread that has the part, with the
// causal softmax in between. What a query must not see is computed along and set to 0, which is cheaper than leaving it out. A sequence
// with a prefix gets its keys and values side by side first, so that its products stay whole.
public sealed unsafe partial class CpuDevice
{
    private protected override void AttentionCore(
        Tensor q, Tensor kv, SequenceLayout layout, in HeadGroup heads, Tensor probabilities, Tensor z, Tensor? prefix)
    {
        var job = new AttentionJob
        {
            Shape = new AttentionShape(layout, heads),
            Q = P(q),
            Keys = new KeySource(P(kv), prefix, layout, heads.HeadWidth, _attentionKeys, Workers),
            Probabilities = P(probabilities),
            Z = P(z),
            Gemm = SerialGemm,
        };
        _pool.Run(ref job, layout.Sequences * heads.Heads);
    }

    private protected override void AttentionBackwardCore(
        Tensor dz,
        Tensor q,
        Tensor kv,
        Tensor probabilities,
        SequenceLayout layout,
        in HeadGroup heads,
        int cotangents,
        Tensor dq,
        Tensor dkv,
        Tensor? prefix)
    {
        var job = new AttentionBackwardJob
        {
            Shape = new AttentionShape(layout, heads),
            Q = P(q),
            Keys = new KeySource(P(kv), prefix, layout, heads.HeadWidth, _attentionKeys, Workers),
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
        _pool.Run(ref job, cotangents * layout.Sequences * heads.Heads);
    }

    private readonly NativeScratch _attention = new();
    private readonly NativeScratch _attentionKeys = new();

    /// <summary>Where the rows and probabilities of a sequence and head lie.</summary>
    private readonly struct AttentionShape(SequenceLayout layout, in HeadGroup heads)
    {
        private readonly int* _keyStart = P(layout.KeyStart);
        private readonly int* _keyLength = P(layout.KeyLength);
        private readonly int* _queryStart = P(layout.QueryStart);
        private readonly int* _queryLength = P(layout.QueryLength);
        private readonly long* _probabilityStart = P(layout.ProbabilityStart);
        private readonly int* _prefixStart = P(layout.PrefixStart);
        private readonly int* _prefixLength = P(layout.PrefixLength);

        public readonly int Heads = heads.Heads;
        public readonly int HeadWidth = heads.HeadWidth;
        public readonly float Scale = heads.Scale;

        public readonly int QueryStride = heads.QueryStride;
        public readonly int KeyStride = heads.KeyStride;

        public int Width => Heads * HeadWidth;

        public int OwnKeys(int sequence) => _keyLength[sequence];

        public int Prefix(int sequence) => _prefixLength[sequence];

        public int Keys(int sequence) => _prefixLength[sequence] + _keyLength[sequence];

        public int Queries(int sequence) => _queryLength[sequence];

        public long KeyRow(int sequence) => _keyStart[sequence];

        public long PrefixRow(int sequence) => _prefixStart[sequence];

        public long QueryRow(int sequence) => _queryStart[sequence];

        public long Probabilities(int sequence, int head) =>
            (_probabilityStart[sequence] * Heads) + ((long)head * _queryLength[sequence] * Keys(sequence));
    }

    /// <summary>
    /// Where a head's keys and values of a sequence are read: in place, or in a worker's scratch where a prefix stands before them.
    /// </summary>
    private readonly struct KeySource(float* kv, Tensor? prefix, SequenceLayout layout, int headWidth, NativeScratch scratch, int workers)
    {
        private readonly float* _kv = kv;
        private readonly float* _prefix = prefix is null ? null : P(prefix);
        private readonly long _stride = 2L * layout.LongestKeys * headWidth;
        private readonly float* _scratch = prefix is null
            ? null
            : (float*)scratch.Ensure(2L * layout.LongestKeys * headWidth * workers * sizeof(float));

        public (RawMatrix Keys, RawMatrix Values) Of(in AttentionShape shape, int sequence, int head, int worker)
        {
            int w = shape.HeadWidth;
            int d = shape.Width;
            var own = new RawMatrix(
                _kv + (shape.KeyRow(sequence) * shape.KeyStride) + (head * w), shape.OwnKeys(sequence), w, shape.KeyStride);
            int before = shape.Prefix(sequence);
            if (before == 0) return (own, own.Moved(d));
            var known = new RawMatrix(_prefix + (shape.PrefixRow(sequence) * 2 * d) + (head * w), before, w, 2L * d);
            var keys = new RawMatrix(_scratch + (worker * _stride), shape.Keys(sequence), w, w);
            RawMatrix values = keys.Moved((nint)(_stride / 2));
            Copy(known, keys.Data);
            Copy(own, keys.Data + ((long)before * w));
            Copy(known.Moved(d), values.Data);
            Copy(own.Moved(d), values.Data + ((long)before * w));
            return (keys, values);
        }

        private static void Copy(in RawMatrix from, float* to)
        {
            for (int r = 0; r < from.Rows; r++)
            {
                new ReadOnlySpan<float>(from.Data + (r * from.Stride), from.Columns).CopyTo(
                    new Span<float>(to + ((long)r * from.Columns), from.Columns));
            }
        }
    }

    private struct AttentionJob : IParallelJob
    {
        public AttentionShape Shape;
        public SerialGemm Gemm;
        public KeySource Keys;
        public float* Q, Probabilities, Z;

        public readonly void Execute(int part, int worker)
        {
            int sequence = part / Shape.Heads;
            int head = part % Shape.Heads;
            int w = Shape.HeadWidth;
            int d = Shape.Width;
            int keys = Shape.Keys(sequence);
            int queries = Shape.Queries(sequence);
            long mixedAt = (Shape.QueryRow(sequence) * d) + (head * w);
            int stride = Shape.QueryStride;
            var q = new RawMatrix(Q + (Shape.QueryRow(sequence) * stride) + (head * w), queries, w, stride);
            (RawMatrix k, RawMatrix v) = Keys.Of(Shape, sequence, head, worker);
            var p = new RawMatrix(Probabilities + Shape.Probabilities(sequence, head), queries, keys, keys);
            Gemm.Multiply(worker, q, k.T, p);
            for (int i = 0; i < queries; i++)
            {
                SoftmaxRow(new Span<float>(p.Data + ((long)i * keys), keys), keys - queries + i + 1, Shape.Scale);
            }
            Gemm.Multiply(worker, p, v, new RawMatrix(Z + mixedAt, queries, w, d));
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
        public KeySource Keys;
        public float* Q, Probabilities, Dz, Dq, Dkv, Scratch;
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
            (int stride, int keyStride, long queryRow) = (Shape.QueryStride, Shape.KeyStride, Shape.QueryRow(sequence));
            long gradientRow = queryRow + ((long)cotangent * QueryRows);
            var q = new RawMatrix(Q + (queryRow * stride) + (head * w), queries, w, stride);
            (RawMatrix k, RawMatrix v) = Keys.Of(Shape, sequence, head, worker);
            int own = Shape.OwnKeys(sequence);
            var dz = new RawMatrix(Dz + (gradientRow * d) + (head * w), queries, w, d);
            var dk = new RawMatrix(Dkv + ((((long)cotangent * KeyRows) + keyRow) * keyStride) + (head * w), own, w, keyStride);
            var p = new RawMatrix(Probabilities + Shape.Probabilities(sequence, head), queries, keys, keys);
            var ds = new RawMatrix(Scratch + (worker * ScratchStride), queries, keys, keys);
            Gemm.Multiply(worker, dz, v.T, ds);
            for (int i = 0; i < queries; i++)
            {
                // ds = scale p (dp - sum(p dp)); where p is 0 behind the diagonal, so is ds.
                var row = new Span<float>(ds.Data + ((long)i * keys), keys);
                var probabilities = new ReadOnlySpan<float>(p.Data + ((long)i * keys), keys);
                TensorPrimitives.Subtract(row, TensorPrimitives.Dot(row, probabilities), row);
                TensorPrimitives.Multiply(row, Shape.Scale, row);
                TensorPrimitives.Multiply(row, probabilities, row);
            }
            Gemm.Multiply(worker, ds, k, new RawMatrix(Dq + (gradientRow * stride) + (head * w), queries, w, stride));
            Gemm.Multiply(worker, ds.Part(0, queries, keys - own, own).T, q, dk);
            Gemm.Multiply(worker, p.Part(0, queries, keys - own, own).T, dz, dk.Moved(d));
        }
    }
}
