using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Gradpath.Kernels.Cpu;

// f and f' from one evaluation of exp or erf. With u = c (x + a x^3) and t = tanh u:
//   gelu_new:  f = x/2 (1 + t),           f' = (1 + t)/2 + x/2 (1 - t^2) c (1 + 3 a x^2)
// and with e = erf(x / sqrt 2):
//   gelu:      f = x/2 (1 + e),           f' = (1 + e)/2 + x exp(-x^2/2) / sqrt(2 pi)
// and with s = 1 / (1 + exp(-k x)), k = 1 and 1.702:
//   silu, quick_gelu:  f = x s,           f' = s + k x s (1 - s)
public sealed unsafe partial class CpuDevice
{
    private protected override void ActivateCore(ActivationFunction function, Tensor x, long length, Tensor output)
    {
        var job = new ActivateJob
        {
            Function = function,
            X = P(x),
            Output = P(output),
            Length = length,
            Range = RowRange.Divide(ActivateJob.Chunks(length), ActivateJob.Chunk * 8, Workers),
        };
        _pool.Run(ref job, job.Range.Parts);
    }

    private protected override void RatiosCore(Tensor x, Tensor y, float atZero, long length)
    {
        var job = new RatiosJob
        {
            X = P(x),
            Y = P(y),
            AtZero = atZero,
            Length = length,
            Range = RowRange.Divide(ActivateJob.Chunks(length), ActivateJob.Chunk, Workers),
        };
        _pool.Run(ref job, job.Range.Parts);
    }

    private protected override void MultiplyRowsCore(Tensor gradient, Tensor derivative, int rows, int activationRows, int width)
    {
        var job = new MultiplyJob
        {
            Gradient = P(gradient),
            Derivative = P(derivative),
            ActivationRows = activationRows,
            Width = width,
            Range = RowRange.Divide(rows, width, Workers),
        };
        _pool.Run(ref job, job.Range.Parts);
    }

    private struct ActivateJob : IParallelJob
    {
        public const int Chunk = 512;

        public ActivationFunction Function;
        public float* X, Output;
        public long Length;
        public RowRange Range;

        public static int Chunks(long length) => (int)((length + Chunk - 1) / Chunk);

        public readonly void Execute(int part, int worker)
        {
            long to = Math.Min(Length, (long)Range.To(part) * Chunk);
            for (long at = (long)Range.From(part) * Chunk; at < to; at += Chunk)
            {
                int n = (int)Math.Min(Chunk, to - at);
                var x = new Span<float>(X + at, n);
                var output = new Span<float>(Output + at, n);
                switch (Function)
                {
                    case ActivationFunction.GeluTanh: Each<GeluTanh>(x, output); break;
                    case ActivationFunction.GeluErf: GeluErf(x, output); break;
                    case ActivationFunction.Silu: Each<Silu>(x, output); break;
                    case ActivationFunction.QuickGelu: Each<QuickGelu>(x, output); break;
                    case ActivationFunction.Tanh: Each<HyperbolicTangent>(x, output); break;
                    default: Relu(x, output); break;
                }
            }
        }

        private static void Each<TFunction>(Span<float> x, Span<float> output)
            where TFunction : IElementFunction
        {
            if (!Vector128.IsHardwareAccelerated)
            {
                for (int at = 0; at < x.Length; at++) (output[at], x[at]) = TFunction.At(x[at]);
                return;
            }
            ref float input = ref MemoryMarshal.GetReference(x);
            ref float result = ref MemoryMarshal.GetReference(output);
            int i = 0;
            for (; i <= x.Length - Vector512<float>.Count; i += Vector512<float>.Count)
                Store<TFunction>(ref Unsafe.Add(ref input, i), ref Unsafe.Add(ref result, i));
            if (i == x.Length) return;

            // The rest by the same arithmetic, so that an element's bits do not depend on where it stands.
            Span<float> rest = stackalloc float[2 * Vector512<float>.Count];
            rest.Clear();
            x[i..].CopyTo(rest);
            Store<TFunction>(ref rest[0], ref rest[Vector512<float>.Count]);
            rest[..(x.Length - i)].CopyTo(x[i..]);
            rest.Slice(Vector512<float>.Count, x.Length - i).CopyTo(output[i..]);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void Store<TFunction>(ref float input, ref float result)
            where TFunction : IElementFunction
        {
            TFunction.At(Vector512.LoadUnsafe(ref input), out Vector512<float> value, out Vector512<float> slope);
            value.StoreUnsafe(ref result);
            slope.StoreUnsafe(ref input);
        }

        private static void GeluErf(Span<float> x, Span<float> output)
        {
            for (int i = 0; i < x.Length; i++)
            {
                double value = x[i];
                double half = 0.5 * (1 + ErrorFunction.Erf(value * 0.70710678118654752));
                output[i] = (float)(value * half);
                x[i] = (float)(half + (value * 0.39894228040143268 * Math.Exp(-0.5 * value * value)));
            }
        }

        private static void Relu(Span<float> x, Span<float> output)
        {
            TensorPrimitives.Max(x, 0f, output);
            for (int i = 0; i < x.Length; i++) x[i] = x[i] > 0 ? 1 : 0;
        }
    }

    private struct RatiosJob : IParallelJob
    {
        public float* X, Y;
        public float AtZero;
        public long Length;
        public RowRange Range;

        public readonly void Execute(int part, int worker)
        {
            long to = Math.Min(Length, (long)Range.To(part) * ActivateJob.Chunk);
            for (long at = (long)Range.From(part) * ActivateJob.Chunk; at < to; at++) X[at] = X[at] == 0 ? AtZero : Y[at] / X[at];
        }
    }

    private struct MultiplyJob : IParallelJob
    {
        public float* Gradient, Derivative;
        public int ActivationRows, Width;
        public RowRange Range;

        public readonly void Execute(int part, int worker)
        {
            for (int r = Range.From(part); r < Range.To(part); r++)
            {
                var gradient = new Span<float>(Gradient + ((long)r * Width), Width);
                TensorPrimitives.Multiply(
                    gradient, new ReadOnlySpan<float>(Derivative + ((long)(r % ActivationRows) * Width), Width), gradient);
            }
        }
    }
}
