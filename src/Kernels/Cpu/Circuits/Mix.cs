using System.Numerics.Tensors;
using System.Runtime.Intrinsics;
using Gradpath.Kernels.Circuits;

namespace Gradpath.Kernels.Cpu;

// Rows go outside and inputs inside: one row of all slots stays in cache while every input takes its share of it, so each slot comes from
// memory once. Four slots are added at a time, which reads and writes the output a quarter as often.
public sealed unsafe partial class CpuDevice
{
    private protected override void MixInputsCore(
        Tensor baseline, Tensor total, Tensor differences, in MixPlan plan, int inputs, int rows, int width, Tensor output)
    {
        var job = new MixJob
        {
            Baseline = P(baseline),
            Total = P(total),
            Differences = P(differences),
            Copy = P(plan.Copy) + plan.First,
            TakesTotal = P(plan.TakesTotal) + plan.First,
            Start = P(plan.Start) + plan.First,
            Slot = P(plan.Slot),
            Inputs = inputs,
            Rows = rows,
            Width = width,
            Output = P(output),
            Range = RowRange.Divide(inputs * rows, 8L * width, Workers),
        };
        _pool.Run(ref job, job.Range.Parts);
    }

    // Each is a product by itself.
    private protected override void GroupedGemmCore(
        in Matrix a, in Matrix b, in Matrix c, in ProductTable table, in GemmOptions options)
    {
        float* bias = options.Bias is null ? null : P(options.Bias);
        GemmOptions single = new(options.Accumulate);
        for (int g = 0; g < table.Count; g++)
        {
            int* entry = P(table.Entries) + (ProductTable.Numbers * (table.First + g));
            GemmJob job = new(
                SerialGemm, new(a with { Offset = a.Offset + (entry[0] * options.StepA) }),
                new(b with { Offset = b.Offset + (entry[1] * options.StepB) }),
                new(c with { Offset = c.Offset + (entry[2] * options.StepC), Stride = entry[3] }),
                bias is null ? null : bias + ((long)entry[1] * c.Columns), single);
            job.Cut((long)c.Rows * c.Columns * a.Columns < WorthSharing ? 1 : Workers);
            _pool.Run(ref job, job.Parts);
        }
    }

    private protected override void TakeDifferencesCore(
        Tensor outputs, Tensor target, in DifferencePlan plan, int rows, int width, Tensor slots, Tensor totals, Tensor? from)
    {
        int block = checked(rows * width);
        var ablated = new ReadOnlySpan<float>(P(target), block);
        for (int i = 0; i < plan.Count; i++)
        {
            int* numbers = P(plan.Numbers) + (2 * (plan.First + i));
            var output = new ReadOnlySpan<float>(P(outputs) + ((long)i * block), block);
            if (numbers[0] >= 0)
            {
                var total = new Span<float>(P(totals) + ((long)numbers[0] * block), block);
                ReadOnlySpan<float> start = from is null ? total : new ReadOnlySpan<float>(P(from), block);
                for (int e = 0; e < block; e++) total[e] = start[e] + (output[e] - ablated[e]);
            }
            if (numbers[1] >= 0) TensorPrimitives.Subtract(output, ablated, new Span<float>(P(slots) + ((long)numbers[1] * block), block));
        }
    }

    private struct MixJob : IParallelJob
    {
        public float* Baseline, Total, Differences, Output;
        public int* Copy, TakesTotal, Start, Slot;
        public int Inputs, Rows, Width;
        public RowRange Range;

        public readonly void Execute(int part, int worker)
        {
            for (int at = Range.From(part); at < Range.To(part); at++) Mix(at % Inputs, at / Inputs);
        }

        private readonly void Mix(int input, int row)
        {
            float* output = Output + ((((long)input * Rows) + row) * Width);
            var sum = new Span<float>(output, Width);
            new ReadOnlySpan<float>(Baseline + ((long)row * Width), Width).CopyTo(sum);
            bool subtract = TakesTotal[input] != 0;
            if (subtract)
            {
                TensorPrimitives.Add(sum, new ReadOnlySpan<float>(Total + ((((long)Copy[input] * Rows) + row) * Width), Width), sum);
            }
            int s = Start[input];
            for (; s + 4 <= Start[input + 1]; s += 4) AddFour(Of(s, row), Of(s + 1, row), Of(s + 2, row), Of(s + 3, row), subtract, output);
            for (; s < Start[input + 1]; s++)
            {
                var difference = new ReadOnlySpan<float>(Of(s, row), Width);
                if (subtract) TensorPrimitives.Subtract(sum, difference, sum);
                else TensorPrimitives.Add(sum, difference, sum);
            }
        }

        private readonly float* Of(int s, int row) => Differences + ((((long)Slot[s] * Rows) + row) * Width);

        private readonly void AddFour(float* a, float* b, float* c, float* d, bool subtract, float* output)
        {
            int column = 0;
            if (Vector512.IsHardwareAccelerated)
            {
                Vector512<float> sign = Vector512.Create(subtract ? -0f : 0f);
                for (; column + 16 <= Width; column += 16)
                {
                    Vector512<float> four = Vector512.Load(a + column) + Vector512.Load(b + column)
                        + (Vector512.Load(c + column) + Vector512.Load(d + column));
                    (Vector512.Load(output + column) + (four ^ sign)).Store(output + column);
                }
            }
            else
            {
                Vector256<float> sign = Vector256.Create(subtract ? -0f : 0f);
                for (; column + 8 <= Width; column += 8)
                {
                    Vector256<float> four = Vector256.Load(a + column) + Vector256.Load(b + column)
                        + (Vector256.Load(c + column) + Vector256.Load(d + column));
                    (Vector256.Load(output + column) + (four ^ sign)).Store(output + column);
                }
            }
            for (; column < Width; column++)
            {
                float four = a[column] + b[column] + (c[column] + d[column]);
                output[column] += subtract ? -four : four;
            }
        }
    }
}
