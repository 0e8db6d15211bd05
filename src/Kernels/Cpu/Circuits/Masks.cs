using Gradpath.Kernels.Circuits;

namespace Gradpath.Kernels.Cpu;

public sealed unsafe partial class CpuDevice
{
    // A parameter costs about as much as this many elements of a plain elementwise op.
    private const long MaskCost = 64;

    private protected override void SampleHardConcreteCore(Tensor logAlpha, int count, ulong seed, uint step, Tensor z, Tensor slope)
    {
        var job = new SampleJob
        {
            LogAlpha = P(logAlpha),
            Seed = seed,
            Step = step,
            Z = P(z),
            Slope = P(slope),
            Range = RowRange.Divide(count, MaskCost, Workers),
        };
        _pool.Run(ref job, job.Range.Parts);
    }

    private protected override void PlaceMasksCore(Tensor z, MaskLayout layout, Tensor mask)
    {
        float* values = P(z);
        float* cells = P(mask);
        int* cell = P(layout.Cell);
        int* gate = P(layout.GateOf);
        for (int i = 0; i < layout.Edges; i++) cells[cell[i]] = layout.Gates == 0 ? values[i] : values[i] * values[layout.Edges + gate[i]];
    }

    private protected override void MaskGradientsCore(
        DeviceArray<double> scores, MaskLayout layout, Tensor z, Tensor slope, double scale, double edgePull, double gatePull,
        Tensor gradient)
    {
        double* s = P(scores);
        float* values = P(z);
        float* slopes = P(slope);
        float* output = P(gradient);
        int* cell = P(layout.Cell);
        int* gate = P(layout.GateOf);
        int* start = P(layout.GateStart);
        for (int i = 0; i < layout.Edges; i++)
        {
            double factor = layout.Gates == 0 ? 1 : values[layout.Edges + gate[i]];
            output[i] = (float)(slopes[i] * ((scale * s[cell[i]] * factor) + edgePull));
        }
        for (int g = 0; g < layout.Gates; g++)
        {
            double sum = 0;
            for (int i = start[g]; i < start[g + 1]; i++) sum += s[cell[i]] * values[i];
            output[layout.Edges + g] = (float)(slopes[layout.Edges + g] * ((scale * sum) + gatePull));
        }
    }

    private protected override void AdamWStepCore(
        Tensor parameters, Tensor gradient, Tensor firstMoment, Tensor secondMoment, int count, in AdamWStepOptions options)
    {
        var job = new AdamWJob
        {
            Parameters = P(parameters),
            Gradient = P(gradient),
            First = P(firstMoment),
            Second = P(secondMoment),
            Options = options,
            Correction1 = options.Correction1,
            Correction2 = options.Correction2,
            Range = RowRange.Divide(count, MaskCost, Workers),
        };
        _pool.Run(ref job, job.Range.Parts);
    }

    private struct SampleJob : IParallelJob
    {
        public float* LogAlpha, Z, Slope;
        public ulong Seed;
        public uint Step;
        public RowRange Range;

        public readonly void Execute(int part, int worker)
        {
            const double Stretch = HardConcrete.Right - HardConcrete.Left;
            for (int i = Range.From(part); i < Range.To(part); i++)
            {
                double u = HardConcrete.Margin + ((1 - (2 * HardConcrete.Margin)) * Philox.Uniform((uint)i, Step, Seed));
                double s = 1 / (1 + Math.Exp(-(Math.Log(u) - Math.Log(1 - u) + LogAlpha[i]) / HardConcrete.Temperature));
                double y = HardConcrete.Left + (Stretch * s);
                Z[i] = (float)Math.Clamp(y, 0, 1);
                Slope[i] = y is > 0 and < 1 ? (float)(Stretch * s * (1 - s) / HardConcrete.Temperature) : 0;
            }
        }
    }

    private struct AdamWJob : IParallelJob
    {
        public float* Parameters, Gradient, First, Second;
        public AdamWStepOptions Options;
        public double Correction1, Correction2;
        public RowRange Range;

        public readonly void Execute(int part, int worker)
        {
            for (int i = Range.From(part); i < Range.To(part); i++)
            {
                double g = Options.GradientScale * Gradient[i];
                double p = Parameters[i] - (Options.LearningRate * Options.WeightDecay * Parameters[i]);
                First[i] = (float)((Options.Beta1 * First[i]) + ((1 - Options.Beta1) * g));
                Second[i] = (float)((Options.Beta2 * Second[i]) + ((1 - Options.Beta2) * g * g));
                Parameters[i] = (float)(
                    p - (Options.LearningRate * (First[i] / Correction1) / (Math.Sqrt(Second[i] / Correction2) + Options.Epsilon)));
            }
        }
    }
}
