using System.Numerics.Tensors;
using System.Runtime.CompilerServices;

namespace Gradpath.Kernels.Cpu;

public sealed unsafe partial class CpuDevice
{
    private protected override void GatherRowsCore(
        Tensor table, DeviceArray<int> indices, int count, int width, Tensor output, Tensor? addend)
    {
        var job = new GatherJob
        {
            Table = P(table),
            Indices = P(indices),
            Width = width,
            Output = P(output),
            Addend = addend is null ? null : P(addend),
            Range = RowRange.Divide(count, width, Workers),
        };
        _pool.Run(ref job, job.Range.Parts);
    }

    private protected override void ScatterAddRowsCore(Tensor source, DeviceArray<int> indices, int count, int width, Tensor target)
    {
        for (int i = 0; i < count; i++)
        {
            var row = new Span<float>(P(target) + ((long)P(indices)[i] * width), width);
            TensorPrimitives.Add(row, new ReadOnlySpan<float>(P(source) + ((long)i * width), width), row);
        }
    }

    private protected override void CombineCore(float alpha, Tensor a, float beta, Tensor b, long length, Tensor output)
    {
        var job = new CombineJob
        {
            Alpha = alpha,
            A = P(a),
            Beta = beta,
            B = P(b),
            Length = length,
            Output = P(output),
            Range = RowRange.Divide(Chunks(length), ChunkLength, Workers),
        };
        _pool.Run(ref job, job.Range.Parts);
    }

    private protected override void FillCore(Tensor target, float value, long length)
    {
        for (long at = 0; at < length; at += ChunkLength)
        {
            new Span<float>(P(target) + at, (int)Math.Min(ChunkLength, length - at)).Fill(value);
        }
    }

    private protected override void ScaleRowsCore(Tensor x, Tensor factors, int period, int rows, int width, Tensor output)
    {
        var job = new ScaleJob
        {
            X = P(x),
            Factors = P(factors),
            Period = period,
            Width = width,
            Output = P(output),
            Range = RowRange.Divide(rows, width, Workers),
        };
        _pool.Run(ref job, job.Range.Parts);
    }

    private protected override void CopyBlockCore(Tensor source, long sourceOffset, Tensor target, long targetOffset, long length)
    {
        var job = new CombineJob
        {
            Alpha = 1,
            A = P(source) + sourceOffset,
            B = P(source) + sourceOffset,
            Length = length,
            Output = P(target) + targetOffset,
            Range = RowRange.Divide(Chunks(length), ChunkLength, Workers),
        };
        _pool.Run(ref job, job.Range.Parts);
    }

    private protected override void AddBlockCore(Tensor source, long sourceOffset, Tensor target, long targetOffset, long length)
    {
        var job = new CombineJob
        {
            Alpha = 1,
            A = P(source) + sourceOffset,
            Beta = 1,
            B = P(target) + targetOffset,
            Length = length,
            Output = P(target) + targetOffset,
            Range = RowRange.Divide(Chunks(length), ChunkLength, Workers),
        };
        _pool.Run(ref job, job.Range.Parts);
    }

    private protected override void CopyMatrixCore(in Matrix source, in Matrix target)
    {
        for (int r = 0; r < source.Rows; r++)
        {
            new ReadOnlySpan<float>(P(source.Storage) + source.Offset + ((long)r * source.Stride), source.Columns)
                .CopyTo(new Span<float>(P(target.Storage) + target.Offset + ((long)r * target.Stride), target.Columns));
        }
    }

    private protected override void SubtractRowsCore(Tensor x, Tensor y, int period, int rows, int width)
    {
        var job = new SubtractRowsJob { X = P(x), Y = P(y), Period = period, Width = width, Range = RowRange.Divide(rows, width, Workers) };
        _pool.Run(ref job, job.Range.Parts);
    }

    private protected override void MirrorUpperTriangleCore(Tensor matrix, int size)
    {
        float* m = P(matrix);
        for (int i = 0; i < size; i++)
        {
            for (int j = i + 1; j < size; j++) m[((long)j * size) + i] = m[((long)i * size) + j];
        }
    }

    private const int ChunkLength = 4096;

    private static int Chunks(long length) => (int)((length + ChunkLength - 1) / ChunkLength);

    private struct GatherJob : IParallelJob
    {
        public float* Table, Output, Addend;
        public int* Indices;
        public int Width;
        public RowRange Range;

        public readonly void Execute(int part, int worker)
        {
            for (int i = Range.From(part); i < Range.To(part); i++)
            {
                var from = new ReadOnlySpan<float>(Table + ((long)Indices[i] * Width), Width);
                var to = new Span<float>(Output + ((long)i * Width), Width);
                if (Addend == null) from.CopyTo(to);
                else TensorPrimitives.Add(from, new ReadOnlySpan<float>(Addend + ((long)i * Width), Width), to);
            }
        }
    }

    private struct CombineJob : IParallelJob
    {
        public float* A, B, Output;
        public float Alpha, Beta;
        public long Length;
        public RowRange Range;

        [SkipLocalsInit]
        public readonly void Execute(int part, int worker)
        {
            long to = Math.Min(Length, (long)Range.To(part) * ChunkLength);
            Span<float> scaled = stackalloc float[ChunkLength];
            for (long at = (long)Range.From(part) * ChunkLength; at < to; at += ChunkLength)
            {
                int n = (int)Math.Min(ChunkLength, to - at);
                var a = new ReadOnlySpan<float>(A + at, n);
                var b = new ReadOnlySpan<float>(B + at, n);
                var output = new Span<float>(Output + at, n);
                if (Beta == 0)
                {
                    if (Alpha == 1) a.CopyTo(output);
                    else TensorPrimitives.Multiply(a, Alpha, output);
                    continue;
                }
                TensorPrimitives.Multiply(b, Beta, scaled[..n]);
                TensorPrimitives.MultiplyAddEstimate(a, Alpha, scaled[..n], output);
            }
        }
    }

    private struct ScaleJob : IParallelJob
    {
        public float* X, Factors, Output;
        public int Period, Width;
        public RowRange Range;

        public readonly void Execute(int part, int worker)
        {
            for (int r = Range.From(part); r < Range.To(part); r++)
            {
                long at = (long)r * Width;
                TensorPrimitives.Multiply(new ReadOnlySpan<float>(X + at, Width), Factors[r % Period], new Span<float>(Output + at, Width));
            }
        }
    }

    private struct SubtractRowsJob : IParallelJob
    {
        public float* X, Y;
        public int Period, Width;
        public RowRange Range;

        public readonly void Execute(int part, int worker)
        {
            for (int r = Range.From(part); r < Range.To(part); r++)
            {
                var row = new Span<float>(X + ((long)r * Width), Width);
                TensorPrimitives.Subtract(row, new ReadOnlySpan<float>(Y + ((long)(r % Period) * Width), Width), row);
            }
        }
    }
}
