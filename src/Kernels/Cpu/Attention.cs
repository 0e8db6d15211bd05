using System.Numerics.Tensors;

namespace Gradpath.Kernels.Cpu;

// One part is one head of one sequence: its keys and values stay in the cache while its queries run over them.
public sealed unsafe partial class CpuDevice
{
    /// <inheritdoc />
    public override void Attention(Tensor q, Tensor kv, SequenceLayout layout, int heads, int headWidth, float scale, Tensor probabilities, Tensor z)
    {
        var job = new AttentionJob { Shape = new AttentionShape(layout, heads, headWidth, scale), Q = P(q), Kv = P(kv), Probabilities = P(probabilities), Z = P(z) };
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
            Shape = new AttentionShape(layout, heads, headWidth, scale), Q = P(q), Kv = P(kv), Probabilities = P(probabilities),
            Dz = P(dz), Dq = P(dq), Dkv = P(dkv), Sequences = layout.Sequences, KeyRows = layout.KeyRows, QueryRows = layout.QueryRows,
            Scratch = (float*)_attention.Ensure((long)layout.LongestKeys * Workers * sizeof(float)), ScratchStride = layout.LongestKeys,
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
        public float* Q, Kv, Probabilities, Z;

        public readonly void Execute(int part, int worker)
        {
            int sequence = part / Shape.Heads;
            int head = part % Shape.Heads;
            int w = Shape.HeadWidth;
            int d = Shape.Width;
            int keys = Shape.Keys(sequence);
            int queries = Shape.Queries(sequence);
            float* k = Kv + (Shape.KeyRow(sequence) * 2 * d) + (head * w);
            float* v = k + d;
            float* p = Probabilities + Shape.Probabilities(sequence, head);
            for (int i = 0; i < queries; i++, p += keys)
            {
                long row = ((Shape.QueryRow(sequence) + i) * d) + (head * w);
                var q = new ReadOnlySpan<float>(Q + row, w);
                int visible = keys - queries + i + 1;
                for (int j = 0; j < visible; j++) p[j] = Shape.Scale * TensorPrimitives.Dot(q, new ReadOnlySpan<float>(k + ((long)j * 2 * d), w));

                // SoftMax does not subtract the largest score, and the exponential of a score above 88 is infinite.
                var scores = new Span<float>(p, visible);
                TensorPrimitives.Subtract(scores, TensorPrimitives.Max<float>(scores), scores);
                TensorPrimitives.SoftMax(scores, scores);
                new Span<float>(p + visible, keys - visible).Clear();
                var z = new Span<float>(Z + row, w);
                z.Clear();
                for (int j = 0; j < visible; j++) TensorPrimitives.FusedMultiplyAdd(new ReadOnlySpan<float>(v + ((long)j * 2 * d), w), p[j], z, z);
            }
        }
    }

    private struct AttentionBackwardJob : IParallelJob
    {
        public AttentionShape Shape;
        public float* Q, Kv, Probabilities, Dz, Dq, Dkv, Scratch;
        public int Sequences, KeyRows, QueryRows, ScratchStride;

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
            float* k = Kv + (keyRow * 2 * d) + (head * w);
            float* v = k + d;
            float* dk = Dkv + ((((long)cotangent * KeyRows) + keyRow) * 2 * d) + (head * w);
            float* dv = dk + d;
            float* p = Probabilities + Shape.Probabilities(sequence, head);
            float* ds = Scratch + ((long)worker * ScratchStride);
            for (int j = 0; j < keys; j++)
            {
                new Span<float>(dk + ((long)j * 2 * d), w).Clear();
                new Span<float>(dv + ((long)j * 2 * d), w).Clear();
            }
            for (int i = 0; i < queries; i++, p += keys)
            {
                long row = ((Shape.QueryRow(sequence) + i) * d) + (head * w);
                long gradientRow = row + ((long)cotangent * QueryRows * d);
                var q = new ReadOnlySpan<float>(Q + row, w);
                var dz = new ReadOnlySpan<float>(Dz + gradientRow, w);
                var dq = new Span<float>(Dq + gradientRow, w);
                dq.Clear();
                int visible = keys - queries + i + 1;
                float weighted = 0;
                for (int j = 0; j < visible; j++)
                {
                    float dp = TensorPrimitives.Dot(dz, new ReadOnlySpan<float>(v + ((long)j * 2 * d), w));
                    ds[j] = dp;
                    weighted += p[j] * dp;
                }
                for (int j = 0; j < visible; j++)
                {
                    float g = Shape.Scale * p[j] * (ds[j] - weighted);
                    var dkRow = new Span<float>(dk + ((long)j * 2 * d), w);
                    var dvRow = new Span<float>(dv + ((long)j * 2 * d), w);
                    TensorPrimitives.FusedMultiplyAdd(new ReadOnlySpan<float>(k + ((long)j * 2 * d), w), g, dq, dq);
                    TensorPrimitives.FusedMultiplyAdd(q, g, dkRow, dkRow);
                    TensorPrimitives.FusedMultiplyAdd(dz, p[j], dvRow, dvRow);
                }
            }
        }
    }
}
