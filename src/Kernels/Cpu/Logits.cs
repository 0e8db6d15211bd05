using System.Numerics.Tensors;

namespace Gradpath.Kernels.Cpu;

// One row is one item's vocabulary: each op takes a row per part.
public sealed unsafe partial class CpuDevice
{
    private protected override void LogSoftmaxCore(Tensor logits, int rows, int vocabulary)
    {
        var job = new LogSoftmaxJob { Logits = P(logits), Vocabulary = vocabulary };
        _pool.Run(ref job, rows);
    }

    private protected override void WeightedRowSumsCore(Tensor table, in AnswerTokens answers, int items, int width, Tensor output)
    {
        var job = new WeightedRowSumsJob { Table = P(table), Answers = new AnswerPointers(answers), Width = width, Output = P(output) };
        _pool.Run(ref job, items);
    }

    private protected override void ProbabilityDifferenceCore(
        Tensor logProbabilities, in AnswerTokens answers, int items, int rows, int vocabulary, DeviceArray<double> values, Tensor? gradient)
    {
        var job = new ProbabilityDifferenceJob
        {
            LogP = P(logProbabilities),
            Answers = new AnswerPointers(answers),
            Items = items,
            Vocabulary = vocabulary,
            Values = P(values),
            Gradient = gradient is null ? null : P(gradient),
        };
        _pool.Run(ref job, rows);
    }

    private protected override void KlDivergenceCore(
        Tensor logProbabilities, Tensor target, int items, int rows, int vocabulary, DeviceArray<double> values, Tensor? gradient)
    {
        var job = new KlJob
        {
            LogP = P(logProbabilities),
            Target = P(target),
            Items = items,
            Vocabulary = vocabulary,
            Values = P(values),
            Gradient = gradient is null ? null : P(gradient),
        };
        _pool.Run(ref job, rows);
    }

    private protected override void ProbabilityDistanceGradientCore(
        Tensor logProbabilities, Tensor target, int items, int rows, int vocabulary, Tensor gradient)
    {
        var job = new ProbabilityDistanceJob
        {
            LogP = P(logProbabilities),
            Target = P(target),
            Items = items,
            Vocabulary = vocabulary,
            Gradient = P(gradient),
        };
        _pool.Run(ref job, rows);
    }

    private protected override void RowDotsCore(Tensor x, Tensor y, int period, int rows, int width, DeviceArray<double> values)
    {
        for (int r = 0; r < rows; r++) P(values)[r] = Dot(P(x) + ((long)r * width), P(y) + ((long)(r % period) * width), width);
    }

    private protected override void ArgMaxCore(Tensor x, int rows, int width, DeviceArray<int> indices)
    {
        for (int r = 0; r < rows; r++)
        {
            P(indices)[r] = TensorPrimitives.IndexOfMax(new ReadOnlySpan<float>(P(x) + ((long)r * width), width));
        }
    }

    /// <summary>A dot product whose blocks of 512 float32 products are summed in float64.</summary>
    private static double Dot(float* x, float* y, long length)
    {
        const int Block = 512;
        double sum = 0;
        for (long at = 0; at < length; at += Block)
        {
            int n = (int)Math.Min(Block, length - at);
            sum += TensorPrimitives.Dot(new ReadOnlySpan<float>(x + at, n), new ReadOnlySpan<float>(y + at, n));
        }
        return sum;
    }

    private readonly struct AnswerPointers(in AnswerTokens answers)
    {
        public readonly int* Start = P(answers.Start);
        public readonly int* Token = P(answers.Token);
        public readonly float* Weight = P(answers.Weight);
    }

    private struct LogSoftmaxJob : IParallelJob
    {
        public float* Logits;
        public int Vocabulary;

        public readonly void Execute(int part, int worker)
        {
            var row = new Span<float>(Logits + ((long)part * Vocabulary), Vocabulary);
            float largest = TensorPrimitives.Max<float>(row);
            double sum = 0;
            for (int j = 0; j < row.Length; j++) sum += Math.Exp((double)row[j] - largest);
            TensorPrimitives.Subtract(row, largest, row);
            TensorPrimitives.Subtract(row, (float)Math.Log(sum), row);
        }
    }

    private struct WeightedRowSumsJob : IParallelJob
    {
        public float* Table, Output;
        public AnswerPointers Answers;
        public int Width;

        public readonly void Execute(int part, int worker)
        {
            var output = new Span<float>(Output + ((long)part * Width), Width);
            output.Clear();
            for (int a = Answers.Start[part]; a < Answers.Start[part + 1]; a++)
            {
                TensorPrimitives.MultiplyAddEstimate(
                    new ReadOnlySpan<float>(Table + ((long)Answers.Token[a] * Width), Width), Answers.Weight[a], output, output);
            }
        }
    }

    private struct ProbabilityDifferenceJob : IParallelJob
    {
        public float* LogP, Gradient;
        public AnswerPointers Answers;
        public int Items, Vocabulary;
        public double* Values;

        public readonly void Execute(int part, int worker)
        {
            float* logP = LogP + ((long)part * Vocabulary);
            int item = part % Items;
            double value = 0;
            for (int a = Answers.Start[item]; a < Answers.Start[item + 1]; a++)
            {
                value += Answers.Weight[a] * Math.Exp(logP[Answers.Token[a]]);
            }
            Values[part] = value;
            if (Gradient == null) return;
            var gradient = new Span<float>(Gradient + ((long)part * Vocabulary), Vocabulary);
            TensorPrimitives.Exp(new ReadOnlySpan<float>(logP, Vocabulary), gradient);

            int first = Answers.Start[item];
            Span<float> judged = stackalloc float[Answers.Start[item + 1] - first];
            for (int a = 0; a < judged.Length; a++)
            {
                judged[a] = (float)(gradient[Answers.Token[first + a]] * (Answers.Weight[first + a] - value));
            }
            TensorPrimitives.Multiply(gradient, -(float)value, gradient);
            for (int a = 0; a < judged.Length; a++) gradient[Answers.Token[first + a]] = judged[a];
        }
    }

    private struct KlJob : IParallelJob
    {
        public float* LogP, Target, Gradient;
        public int Items, Vocabulary;
        public double* Values;

        public readonly void Execute(int part, int worker)
        {
            float* logP = LogP + ((long)part * Vocabulary);
            float* target = Target + ((long)(part % Items) * Vocabulary);
            float* gradient = Gradient == null ? null : Gradient + ((long)part * Vocabulary);
            double value = 0;
            for (int j = 0; j < Vocabulary; j++)
            {
                double t = Math.Exp(target[j]);
                value += t * ((double)target[j] - logP[j]);
                if (gradient != null) gradient[j] = (float)(Math.Exp(logP[j]) - t);
            }
            Values[part] = value;
        }
    }

    private struct ProbabilityDistanceJob : IParallelJob
    {
        public float* LogP, Target, Gradient;
        public int Items, Vocabulary;

        public readonly void Execute(int part, int worker)
        {
            float* logP = LogP + ((long)part * Vocabulary);
            float* target = Target + ((long)(part % Items) * Vocabulary);
            float* gradient = Gradient + ((long)part * Vocabulary);

            // With u_j = 2 (p_j - t_j): d/d logit_j = p_j (u_j - sum_k p_k u_k).
            double mean = 0;
            for (int j = 0; j < Vocabulary; j++)
            {
                double p = Math.Exp(logP[j]);
                mean += 2 * p * (p - Math.Exp(target[j]));
            }
            for (int j = 0; j < Vocabulary; j++)
            {
                double p = Math.Exp(logP[j]);
                gradient[j] = (float)(p * ((2 * (p - Math.Exp(target[j]))) - mean));
            }
        }
    }
}
