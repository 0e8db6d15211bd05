using System.Numerics.Tensors;
using static Gradpath.Kernels.KernelConstants;

namespace Gradpath.Kernels.Cpu;

public sealed unsafe partial class CpuDevice
{
    private protected override void SequenceDotsCore(Tensor x, Tensor y, SequenceLayout layout, int width, DeviceArray<double> values)
    {
        var job = new SequenceDotsJob
        {
            X = P(x),
            Y = P(y),
            Start = P(layout.KeyStart),
            Length = P(layout.KeyLength),
            Width = width,
            Values = P(values),
        };
        _pool.Run(ref job, layout.Sequences);
    }

    private protected override void PathStepCore(
        Tensor gamma,
        Tensor gradient,
        DeviceArray<double>? squaredNorms,
        DeviceArray<double> stepLengths,
        bool wholeBatchNorm,
        SequenceLayout layout,
        int width,
        Tensor? positions,
        DeviceArray<int>? indices,
        Tensor? embedded)
    {
        double all = 0;
        for (int s = 0; squaredNorms is not null && s < layout.Sequences; s++) all += P(squaredNorms)[s];
        var job = new PathStepJob
        {
            Gamma = P(gamma),
            Gradient = P(gradient),
            SquaredNorms = squaredNorms is null ? null : P(squaredNorms),
            StepLengths = P(stepLengths),
            WholeBatchNorm = wholeBatchNorm,
            All = all,
            Start = P(layout.KeyStart),
            Length = P(layout.KeyLength),
            Width = width,
            Positions = embedded is null ? null : P(positions!),
            Indices = embedded is null ? null : P(indices!),
            Embedded = embedded is null ? null : P(embedded),
        };
        _pool.Run(ref job, layout.Sequences);
    }

    private struct SequenceDotsJob : IParallelJob
    {
        public float* X, Y;
        public int* Start, Length;
        public int Width;
        public double* Values;

        public readonly void Execute(int part, int worker)
        {
            long at = (long)Start[part] * Width;
            Values[part] = Dot(X + at, Y + at, (long)Length[part] * Width);
        }
    }

    private struct PathStepJob : IParallelJob
    {
        public float* Gamma, Gradient, Positions, Embedded;
        public double* SquaredNorms, StepLengths;
        public double All;
        public bool WholeBatchNorm;
        public int* Start, Length, Indices;
        public int Width;

        public readonly void Execute(int part, int worker)
        {
            long first = (long)Start[part] * Width, floats = (long)Length[part] * Width;
            double own = SquaredNorms == null ? Dot(Gradient + first, Gradient + first, floats) : SquaredNorms[part];
            double norm = Math.Sqrt(WholeBatchNorm ? All : own);
            bool still = norm < NoDirection;
            float factor = (float)(-StepLengths[part] / norm);
            for (int r = Start[part]; r < Start[part] + Length[part]; r++)
            {
                var gamma = new Span<float>(Gamma + ((long)r * Width), Width);
                if (!still)
                {
                    TensorPrimitives.MultiplyAddEstimate(
                        new ReadOnlySpan<float>(Gradient + ((long)r * Width), Width), factor, gamma, gamma);
                }
                if (Embedded == null) continue;
                var position = new ReadOnlySpan<float>(Positions + ((long)Indices[r] * Width), Width);
                TensorPrimitives.Add(position, gamma, new Span<float>(Embedded + ((long)r * Width), Width));
            }
        }
    }
}
