using System.Numerics.Tensors;

namespace Gradpath.Kernels.Cpu;

// A part is one row of one input: it stays in the first-level cache while its slots are added.
public sealed unsafe partial class CpuDevice
{
    /// <inheritdoc />
    public override void MixInputs(Tensor baseline, Tensor total, Tensor differences, MixPlan plan, int inputs, int rows, int width, Tensor output)
    {
        var job = new MixJob
        {
            Baseline = P(baseline),
            Total = P(total),
            Differences = P(differences),
            Copy = P(plan.Copy),
            TakesTotal = P(plan.TakesTotal),
            Start = P(plan.Start),
            Slot = P(plan.Slot),
            Rows = rows,
            Width = width,
            Output = P(output),
            Range = RowRange.Divide(inputs * rows, 8L * width, Workers),
        };
        _pool.Run(ref job, job.Range.Parts);
    }

    private struct MixJob : IParallelJob
    {
        public float* Baseline, Total, Differences, Output;
        public int* Copy, TakesTotal, Start, Slot;
        public int Rows, Width;
        public RowRange Range;

        public readonly void Execute(int part, int worker)
        {
            for (int at = Range.From(part); at < Range.To(part); at++)
            {
                int input = at / Rows;
                int row = at % Rows;
                var output = new Span<float>(Output + ((long)at * Width), Width);
                new ReadOnlySpan<float>(Baseline + ((long)row * Width), Width).CopyTo(output);
                bool subtract = TakesTotal[input] != 0;
                if (subtract) TensorPrimitives.Add(output, new ReadOnlySpan<float>(Total + ((((long)Copy[input] * Rows) + row) * Width), Width), output);
                for (int s = Start[input]; s < Start[input + 1]; s++)
                {
                    var difference = new ReadOnlySpan<float>(Differences + ((((long)Slot[s] * Rows) + row) * Width), Width);
                    if (subtract) TensorPrimitives.Subtract(output, difference, output);
                    else TensorPrimitives.Add(output, difference, output);
                }
            }
        }
    }
}
