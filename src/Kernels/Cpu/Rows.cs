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

    private protected override void GatherBlocksCore(
        Tensor table, int blockRows, DeviceArray<int> indices, int count, int blocks, int width, Tensor output)
    {
        var job = new GatherBlocksJob
        {
            Table = P(table),
            Indices = P(indices),
            BlockRows = blockRows,
            Count = count,
            Width = width,
            Output = P(output),
            Range = RowRange.Divide(blocks, (long)count * width, Workers),
        };
        _pool.Run(ref job, job.Range.Parts);
    }

    private protected override void CombineBlocksCore(
        float alpha, in Matrix a, float beta, in Matrix b, Tensor? factors, int width, in Matrix output)
    {
        int piece = factors is null ? ChunkLength : width;
        int pieces = (output.Columns + piece - 1) / piece;
        var job = new CombineBlocksJob
        {
            Alpha = alpha,
            Beta = beta,
            A = P(a.Storage) + a.Offset,
            B = P(b.Storage) + b.Offset,
            Output = P(output.Storage) + output.Offset,
            StrideA = a.Stride,
            StrideB = b.Stride,
            Stride = output.Stride,
            Columns = output.Columns,
            Factors = factors is null ? null : P(factors),
            Piece = piece,
            Pieces = pieces,
            Range = RowRange.Divide(checked(output.Rows * pieces), piece, Workers),
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

    private protected override void CopyMatrixCore(in Matrix source, in Matrix target) =>
        CombineBlocksCore(1, source, 0, source, null, source.Columns, target);

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
                Combine(Alpha, A + at, Beta, B + at, (int)Math.Min(ChunkLength, to - at), scaled, Output + at);
            }
        }

        public static void Combine(float alpha, float* from, float beta, float* other, int n, Span<float> scaled, float* to)
        {
            var a = new ReadOnlySpan<float>(from, n);
            var output = new Span<float>(to, n);
            if (beta == 0)
            {
                if (alpha == 1) a.CopyTo(output);
                else TensorPrimitives.Multiply(a, alpha, output);
                return;
            }
            TensorPrimitives.Multiply(new ReadOnlySpan<float>(other, n), beta, scaled[..n]);
            TensorPrimitives.MultiplyAddEstimate(a, alpha, scaled[..n], output);
        }
    }

    private struct GatherBlocksJob : IParallelJob
    {
        public float* Table, Output;
        public int* Indices;
        public int BlockRows, Count, Width;
        public RowRange Range;

        public readonly void Execute(int part, int worker)
        {
            for (int block = Range.From(part); block < Range.To(part); block++)
            {
                for (int i = 0; i < Count; i++)
                {
                    long from = ((long)block * BlockRows) + Indices[i], to = ((long)block * Count) + i;
                    new ReadOnlySpan<float>(Table + (from * Width), Width).CopyTo(new Span<float>(Output + (to * Width), Width));
                }
            }
        }
    }

    private struct CombineBlocksJob : IParallelJob
    {
        public float* A, B, Output, Factors;
        public float Alpha, Beta;
        public long StrideA, StrideB, Stride;
        public int Columns, Piece, Pieces;
        public RowRange Range;

        [SkipLocalsInit]
        public readonly void Execute(int part, int worker)
        {
            Span<float> scaled = stackalloc float[ChunkLength];
            for (int p = Range.From(part); p < Range.To(part); p++)
            {
                (int row, int piece) = (p / Pieces, p % Pieces);
                int first = piece * Piece, end = Math.Min(Columns, first + Piece);
                for (int at = first; at < end; at += ChunkLength)
                {
                    int n = Math.Min(ChunkLength, end - at);
                    float* to = Output + (row * Stride) + at;
                    CombineJob.Combine(Alpha, A + (row * StrideA) + at, Beta, B + (row * StrideB) + at, n, scaled, to);
                    if (Factors == null) continue;
                    var output = new Span<float>(to, n);
                    TensorPrimitives.Multiply(output, Factors[piece], output);
                }
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
