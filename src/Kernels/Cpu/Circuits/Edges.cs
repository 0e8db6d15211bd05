using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using Gradpath.Kernels.Circuits;

namespace Gradpath.Kernels.Cpu;

public sealed unsafe partial class CpuDevice
{
    private protected override void AccumulateReadersCore(in ReaderPoints points)
    {
        (ReaderGroup readers, GradientRows rows, ReaderSums into) = (points.Readers, points.Rows, points.Into);
        var job = new AccumulateReadersJob
        {
            Dy = P(points.Dy),
            Y = P(points.Y),
            Constant = P(points.Constant),
            GainSums = P(points.GainSums),
            Rstd = P(points.Rstd),
            Readers = readers.Readers,
            HeadWidth = readers.HeadWidth,
            Width = readers.Width,
            Rows = rows.Rows,
            ActivationRows = rows.ActivationRows,
            BaseRows = rows.BaseRows,
            Sums = P(into.Sums),
            Offsets = P(into.Offsets),
            Coefficients = P(into.Coefficients),
            FirstPoint = points.FirstPoint,
            Range = RowRange.Divide(rows.BaseRows, 4L * readers.Readers * readers.HeadWidth * (rows.Rows / rows.BaseRows), Workers),
        };
        _pool.Run(ref job, job.Range.Parts);
    }

    private protected override void LayerNormBackwardWithReadersCore(
        Tensor dy,
        Tensor x,
        Tensor gain,
        Tensor mean,
        Tensor rstd,
        in GradientRows rows,
        Tensor residualGradient,
        in ReaderPoints points,
        Tensor? standardized)
    {
        int width = points.Readers.Width;
        AccumulateReadersCore(points);
        LayerNormBackwardCore(dy, x, gain, mean, rstd, rows, width, residualGradient, null, 0, null, false, 0);
        if (standardized is not null)
        {
            StandardizeCore(x, mean, rstd, null, points.Rows.Rows, width, standardized, points.FirstPoint * points.Rows.BaseRows);
        }
    }

    private protected override void FinishReadersCore(
        Tensor gradients,
        long firstElement,
        Tensor gain,
        Tensor offsets,
        Tensor coefficients,
        Tensor standardized,
        in ReaderBlocks blocks,
        Tensor? last)
    {
        var job = new FinishReadersJob
        {
            Gradients = P(gradients) + firstElement,
            Gain = P(gain),
            Offsets = P(offsets),
            Coefficients = P(coefficients),
            Standardized = P(standardized),
            Last = last is null ? null : P(last),
            Readers = blocks.Readers,
            Rows = blocks.Rows,
            Width = blocks.Width,
            Points = blocks.Points,
            Range = RowRange.Divide(blocks.Rows, (long)blocks.Readers * blocks.Width * (blocks.Points + 1), Workers),
        };
        for (int layer = 0; layer < blocks.Layers; layer++)
        {
            _pool.Run(ref job, job.Range.Parts);
            job.Gradients += ((long)blocks.Readers + (last is null ? 0 : 1)) * blocks.Rows * blocks.Width;
            job.Gain += blocks.Width;
            job.Offsets += blocks.SumsStride;
            job.Coefficients += blocks.SumsStride;
            job.Standardized += blocks.StandardizedStride;
            if (last is not null) job.Last += blocks.SumsStride;
        }
    }

    private protected override void ProximityCore(
        Tensor input,
        Tensor writerOutputs,
        int writers,
        int rows,
        int width,
        Tensor rowWeights,
        in ScoreBlock into)
    {
        // A part is a block of writers, so that every score has one owner; the sums over writers are made first.
        var totals = (double*)_proximity.Ensure(2L * rows * sizeof(double));
        double* norms = totals + rows;
        var sums = new ProximityTotalsJob
        {
            Input = P(input),
            Outputs = P(writerOutputs),
            Writers = writers,
            Rows = rows,
            Width = width,
            Totals = totals,
            Norms = norms,
        };
        _pool.Run(ref sums, rows);
        var job = new ProximityJob
        {
            Input = P(input),
            Outputs = P(writerOutputs),
            Rows = rows,
            Width = width,
            Totals = totals,
            Norms = norms,
            RowWeights = P(rowWeights),
            Scores = P(into.Scores) + into.First,
            Stride = into.Stride,
        };
        _pool.Run(ref job, writers);
    }

    private readonly NativeScratch _proximity = new();

    private struct AccumulateReadersJob : IParallelJob
    {
        public float* Dy, Y, Constant, GainSums, Rstd, Sums, Offsets, Coefficients;
        public int Readers, HeadWidth, Width, Rows, ActivationRows, BaseRows, FirstPoint;
        public RowRange Range;

        [SkipLocalsInit]
        public readonly void Execute(int part, int worker)
        {
            int all = Readers * HeadWidth;
            Span<float> withoutConstant = stackalloc float[HeadWidth];
            for (int n = Range.From(part); n < Range.To(part); n++)
            {
                var sums = new Span<float>(Sums + ((long)n * all), all);
                for (int r = n, p = FirstPoint; r < Rows; r += BaseRows, p++)
                {
                    int a = r % ActivationRows;
                    float rstd = Rstd[a];
                    float* dy = Dy + ((long)r * all);
                    float* y = Y + ((long)a * all);
                    TensorPrimitives.MultiplyAddEstimate(new ReadOnlySpan<float>(dy, all), rstd, sums, sums);
                    for (int c = 0; c < Readers; c++)
                    {
                        int at = c * HeadWidth;
                        var gradient = new ReadOnlySpan<float>(dy + at, HeadWidth);
                        TensorPrimitives.Subtract(
                            new ReadOnlySpan<float>(y + at, HeadWidth), new ReadOnlySpan<float>(Constant + at, HeadWidth), withoutConstant);
                        float m1 = TensorPrimitives.Dot(gradient, new ReadOnlySpan<float>(GainSums + at, HeadWidth)) / Width;
                        float m2 = TensorPrimitives.Dot(gradient, withoutConstant) / Width;
                        Offsets[((long)c * BaseRows) + n] += rstd * m1;
                        Coefficients[((((long)p * Readers) + c) * BaseRows) + n] = rstd * m2;
                    }
                }
            }
        }
    }

    private struct FinishReadersJob : IParallelJob
    {
        public float* Gradients, Gain, Offsets, Coefficients, Standardized, Last;
        public int Readers, Rows, Width, Points;
        public RowRange Range;

        public readonly void Execute(int part, int worker)
        {
            var gain = new ReadOnlySpan<float>(Gain, Width);
            for (int n = Range.From(part); n < Range.To(part); n++)
            {
                if (Last != null)
                {
                    var kept = new Span<float>(Gradients + ((((long)Readers * Rows) + n) * Width), Width);
                    new ReadOnlySpan<float>(Last + ((long)n * Width), Width).CopyTo(kept);
                }
                for (int c = 0; c < Readers; c++)
                {
                    long cn = ((long)c * Rows) + n;
                    var g = new Span<float>(Gradients + (cn * Width), Width);
                    TensorPrimitives.Multiply(g, gain, g);
                    TensorPrimitives.Subtract(g, Offsets[cn], g);
                    for (int p = 0; p < Points; p++)
                    {
                        var standard = new ReadOnlySpan<float>(Standardized + ((((long)p * Rows) + n) * Width), Width);
                        TensorPrimitives.MultiplyAddEstimate(standard, -Coefficients[((long)p * Readers * Rows) + cn], g, g);
                    }
                }
            }
        }
    }

    private struct ProximityTotalsJob : IParallelJob
    {
        public float* Input, Outputs;
        public int Writers, Rows, Width;
        public double* Totals, Norms;

        public readonly void Execute(int part, int worker)
        {
            float* input = Input + ((long)part * Width);
            Norms[part] = TensorPrimitives.SumOfMagnitudes(new ReadOnlySpan<float>(input, Width));
            double total = 0;
            for (int u = 0; u < Writers; u++) total += Near(input, Outputs + ((((long)u * Rows) + part) * Width), Width, Norms[part]);
            Totals[part] = total;
        }
    }

    private struct ProximityJob : IParallelJob
    {
        public float* Input, Outputs, RowWeights;
        public int Rows, Width, Stride;
        public double* Totals, Norms, Scores;

        public readonly void Execute(int part, int worker)
        {
            double sum = 0;
            for (int n = 0; n < Rows; n++)
            {
                if (Totals[n] <= 0) continue;
                sum += RowWeights[n] * Near(
                    Input + ((long)n * Width), Outputs + ((((long)part * Rows) + n) * Width), Width, Norms[n]) / Totals[n];
            }
            Scores[(long)part * Stride] += sum;
        }
    }

    /// <summary>max(0, |x| - |x - w|) in the L1 norm.</summary>
    [SkipLocalsInit]
    private static double Near(float* input, float* output, int width, double inputNorm)
    {
        Span<float> difference = stackalloc float[width];
        TensorPrimitives.Subtract(new ReadOnlySpan<float>(input, width), new ReadOnlySpan<float>(output, width), difference);
        return Math.Max(0, inputNorm - TensorPrimitives.SumOfMagnitudes<float>(difference));
    }
}
