using System.Numerics.Tensors;
using System.Runtime.CompilerServices;

namespace Gradpath.Kernels.Cpu;

// f and f' from one evaluation of tanh or erf. With t = tanh(u), u = c (x + a x^3):
//   gelu_new:  f = x/2 (1 + t),           f' = (1 + t)/2 + x/2 (1 - t^2) c (1 + 3 a x^2)
// and with e = erf(x / sqrt 2):
//   gelu:      f = x/2 (1 + e),           f' = (1 + e)/2 + x exp(-x^2/2) / sqrt(2 pi)
public sealed unsafe partial class CpuDevice
{
    /// <inheritdoc />
    public override void Activate(ActivationFunction function, Tensor x, long length, Tensor output)
    {
        var job = new ActivateJob
        {
            Function = function, X = P(x), Output = P(output), Length = length, Range = RowRange.Divide(ActivateJob.Chunks(length), ActivateJob.Chunk * 8, Workers),
        };
        _pool.Run(ref job, job.Range.Parts);
    }

    /// <inheritdoc />
    public override void MultiplyRows(Tensor gradient, Tensor derivative, int rows, int activationRows, int width)
    {
        var job = new MultiplyJob
        {
            Gradient = P(gradient), Derivative = P(derivative), ActivationRows = activationRows, Width = width, Range = RowRange.Divide(rows, width, Workers),
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
                    case ActivationFunction.GeluTanh: GeluTanh(x, output); break;
                    case ActivationFunction.GeluErf: GeluErf(x, output); break;
                    default: Relu(x, output); break;
                }
            }
        }

        [SkipLocalsInit]
        private static void GeluTanh(Span<float> x, Span<float> output)
        {
            const float Cubic = 0.044715f;
            const float Root = 0.7978845608028654f;
            Span<float> slope = stackalloc float[Chunk];
            Span<float> t = stackalloc float[Chunk];
            slope = slope[..x.Length];
            t = t[..x.Length];
            TensorPrimitives.Multiply(x, x, slope);
            TensorPrimitives.Multiply(slope, Root * Cubic, t);
            TensorPrimitives.Add(t, Root, t);
            TensorPrimitives.Multiply(t, x, t);
            TensorPrimitives.Tanh(t, t);
            TensorPrimitives.Multiply(slope, 3 * Root * Cubic, slope);
            TensorPrimitives.Add(slope, Root, slope);

            // Here slope = u'. f = (x + x t) / 2.
            TensorPrimitives.FusedMultiplyAdd(x, t, x, output);
            TensorPrimitives.Multiply(output, 0.5f, output);

            // f' = (1 + t + x (1 - t^2) u') / 2, built in x.
            TensorPrimitives.Multiply(slope, x, slope);
            TensorPrimitives.Multiply(t, t, x);
            TensorPrimitives.Subtract(1f, x, x);
            TensorPrimitives.FusedMultiplyAdd(slope, x, t, x);
            TensorPrimitives.Add(x, 1f, x);
            TensorPrimitives.Multiply(x, 0.5f, x);
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
                TensorPrimitives.Multiply(gradient, new ReadOnlySpan<float>(Derivative + ((long)(r % ActivationRows) * Width), Width), gradient);
            }
        }
    }
}
