using System.Numerics.Tensors;
using System.Runtime.CompilerServices;

namespace Gradpath.Kernels.Cpu;

// Rows are independent; a row of GPT-2 lies in the first-level cache, so several vector passes over it cost little.
public sealed unsafe partial class CpuDevice
{
    private protected override void LayerNormCore(
        Tensor x, Tensor gain, Tensor shift, float epsilon, int rows, int width, Tensor mean, Tensor rstd, Tensor y) =>
        Normalize(x, null, null, gain, shift, epsilon, rows, width, mean, rstd, y);

    private protected override void AddLayerNormCore(
        Tensor x, Tensor addend, Tensor sum, Tensor gain, Tensor shift, float epsilon, int rows, int width, Tensor mean, Tensor rstd,
        Tensor y) => Normalize(x, addend, sum, gain, shift, epsilon, rows, width, mean, rstd, y);

    private void Normalize(
        Tensor x, Tensor? addend, Tensor? sum, Tensor gain, Tensor shift, float epsilon, int rows, int width, Tensor mean, Tensor rstd,
        Tensor y)
    {
        var job = new LayerNormJob
        {
            X = P(x),
            Addend = addend is null ? null : P(addend),
            Sum = sum is null ? null : P(sum),
            Gain = P(gain),
            Shift = P(shift),
            Epsilon = epsilon,
            Width = width,
            Mean = P(mean),
            Rstd = P(rstd),
            Y = P(y),
            Range = RowRange.Divide(rows, width, Workers),
        };
        _pool.Run(ref job, job.Range.Parts);
    }

    private protected override void LayerNormBackwardCore(
        Tensor dy,
        Tensor x,
        Tensor gain,
        Tensor mean,
        Tensor rstd,
        in GradientRows rows,
        int width,
        Tensor residualGradient,
        Tensor? reader,
        int contributingRows,
        DeviceArray<int>? chosen,
        bool fresh,
        int clearedRows)
    {
        var job = new LayerNormBackwardJob
        {
            Dy = P(dy),
            X = P(x),
            Gain = P(gain),
            Mean = P(mean),
            Rstd = P(rstd),
            Rows = rows.Rows,
            ActivationRows = rows.ActivationRows,
            Width = width,
            ResidualGradient = P(residualGradient),
            Reader = reader is null ? null : P(reader),
            BaseRows = rows.BaseRows,
            Contributing = contributingRows,
            Chosen = chosen is null ? null : P(chosen),
            Fresh = fresh,
            ClearedRows = clearedRows,
            Range = RowRange.Divide(rows.BaseRows, (long)width * (rows.Rows / rows.BaseRows), Workers),
        };
        _pool.Run(ref job, job.Range.Parts);
    }

    private protected override void StandardizeCore(
        Tensor x, Tensor mean, Tensor rstd, DeviceArray<int>? indices, int rows, int width, Tensor output, int outputRow)
    {
        var job = new StandardizeJob
        {
            X = P(x),
            Mean = P(mean),
            Rstd = P(rstd),
            Indices = indices is null ? null : P(indices),
            Width = width,
            Output = P(output) + ((long)outputRow * width),
            Range = RowRange.Divide(rows, width, Workers),
        };
        _pool.Run(ref job, job.Range.Parts);
    }

    private struct LayerNormJob : IParallelJob
    {
        public float* X, Addend, Sum, Gain, Shift, Mean, Rstd, Y;
        public float Epsilon;
        public int Width;
        public RowRange Range;

        public readonly void Execute(int part, int worker)
        {
            var gain = new ReadOnlySpan<float>(Gain, Width);
            var shift = new ReadOnlySpan<float>(Shift, Width);
            for (int r = Range.From(part); r < Range.To(part); r++)
            {
                long at = (long)r * Width;
                var x = new ReadOnlySpan<float>(X + at, Width);
                var y = new Span<float>(Y + at, Width);
                if (Addend != null)
                {
                    var sum = new Span<float>(Sum + at, Width);
                    TensorPrimitives.Add(x, new ReadOnlySpan<float>(Addend + at, Width), sum);
                    x = sum;
                }
                float mean = TensorPrimitives.Sum(x) / Width;
                TensorPrimitives.Subtract(x, mean, y);
                float rstd = 1f / MathF.Sqrt((TensorPrimitives.SumOfSquares<float>(y) / Width) + Epsilon);
                TensorPrimitives.Multiply(y, rstd, y);
                TensorPrimitives.MultiplyAddEstimate(y, gain, shift, y);
                Mean[r] = mean;
                Rstd[r] = rstd;
            }
        }
    }

    private struct LayerNormBackwardJob : IParallelJob
    {
        public float* Dy, X, Gain, Mean, Rstd, ResidualGradient, Reader;
        public int* Chosen;
        public int Rows, ActivationRows, Width, BaseRows, Contributing, ClearedRows;
        public bool Fresh;
        public RowRange Range;

        [SkipLocalsInit]
        public readonly void Execute(int part, int worker)
        {
            Span<float> t = stackalloc float[Width];
            Span<float> standard = stackalloc float[Width];
            var gain = new ReadOnlySpan<float>(Gain, Width);
            for (int n = Range.From(part); n < Range.To(part); n++)
            {
                for (int r = n; r < Rows; r += BaseRows)
                {
                    int place = Chosen == null ? r : Chosen[r], a = Chosen == null ? r % ActivationRows : place;
                    TensorPrimitives.Multiply(new ReadOnlySpan<float>(Dy + ((long)r * Width), Width), gain, t);
                    StandardRow(X + ((long)a * Width), Mean[a], Rstd[a], standard);
                    float meanT = TensorPrimitives.Sum<float>(t) / Width;
                    float meanTx = TensorPrimitives.Dot<float>(t, standard) / Width;
                    // t <- rstd (t - mean(t) - xhat mean(t xhat))
                    TensorPrimitives.Subtract(t, meanT, t);
                    TensorPrimitives.MultiplyAddEstimate(standard, -meanTx, t, t);
                    float rstd = Rstd[a];
                    Span<float> residual = RowOf(place);
                    if (Chosen != null) ClearAround(r, place);
                    if (Fresh) residual.Clear();
                    TensorPrimitives.MultiplyAddEstimate(t, rstd, residual, residual);
                    if (Reader != null && r < Contributing)
                    {
                        var reader = new Span<float>(Reader + ((long)n * Width), Width);
                        TensorPrimitives.MultiplyAddEstimate(t, rstd, reader, reader);
                    }
                }
            }
        }

        // The rows in front of a chosen one that nobody has chosen, and those behind the last.
        private readonly void ClearAround(int r, int place)
        {
            for (int i = r == 0 ? 0 : Chosen[r - 1] + 1; i < Math.Min(place, ClearedRows); i++) RowOf(i).Clear();
            for (int i = place + 1; r == Rows - 1 && i < ClearedRows; i++) RowOf(i).Clear();
        }

        private readonly Span<float> RowOf(int i) => new(ResidualGradient + ((long)i * Width), Width);
    }

    private struct StandardizeJob : IParallelJob
    {
        public float* X, Mean, Rstd, Output;
        public int* Indices;
        public int Width;
        public RowRange Range;

        public readonly void Execute(int part, int worker)
        {
            for (int i = Range.From(part); i < Range.To(part); i++)
            {
                int r = Indices == null ? i : Indices[i];
                StandardRow(X + ((long)r * Width), Mean[r], Rstd[r], new Span<float>(Output + ((long)i * Width), Width));
            }
        }
    }

    private static void StandardRow(float* x, float mean, float rstd, Span<float> output)
    {
        TensorPrimitives.Subtract(new ReadOnlySpan<float>(x, output.Length), mean, output);
        TensorPrimitives.Multiply(output, rstd, output);
    }
}
