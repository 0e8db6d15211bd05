using System.Runtime.InteropServices;
using Gradpath.Kernels.Circuits;
using static Gradpath.Kernels.KernelConstants;

namespace Gradpath.Kernels.Cpu;

public sealed unsafe partial class CpuDevice
{
    // A parameter costs about as much as this many elements of a plain elementwise op.
    private const long MaskCost = 64;

    private protected override void SampleHardConcreteCore(
        Tensor logAlpha, int count, ulong seed, DeviceArray<double> numbers, Tensor z, Tensor slope)
    {
        var job = new SampleJob
        {
            LogAlpha = P(logAlpha),
            Seed = seed,
            Step = (uint)P(numbers)[MaskStep],
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
        DeviceArray<double> scores, MaskLayout layout, Tensor z, Tensor slope, double scale, DeviceArray<double> numbers,
        Tensor gradient)
    {
        double* s = P(scores);
        float* values = P(z);
        float* slopes = P(slope);
        float* output = P(gradient);
        (double edgePull, double gatePull) = (P(numbers)[MaskEdgePull], P(numbers)[MaskGatePull]);
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
        Tensor parameters, Tensor gradient, Tensor firstMoment, Tensor secondMoment, int count, in AdamWOptions options,
        DeviceArray<double> numbers)
    {
        double* n = P(numbers);
        if (double.IsNaN(n[MaskScale])) return;
        var job = new AdamWJob
        {
            Parameters = P(parameters),
            Gradient = P(gradient),
            First = P(firstMoment),
            Second = P(secondMoment),
            Options = options,
            Rate = n[MaskRate],
            Scale = n[MaskScale],
            Correction1 = n[MaskCorrection1],
            Correction2 = n[MaskCorrection2],
            Range = RowRange.Divide(count, MaskCost, Workers),
        };
        _pool.Run(ref job, job.Range.Parts);
    }

    private protected override void ClearScoresCore(DeviceArray<double> scores, long count) =>
        NativeMemory.Clear(P(scores), (nuint)(count * sizeof(double)));

    private protected override void ConstrainMasksCore(in MaskConstraints constraints, DeviceArray<double> numbers)
    {
        double* n = P(numbers);
        double* m = n + MaskMultipliers;
        n[MaskEdgeSparsity] = 1 - (n[MaskEdgeSum] / constraints.Edges);
        n[MaskGateSparsity] = constraints.Gates == 0 ? 0 : 1 - (n[MaskGateSum] / constraints.Gates);
        (double edgeGap, double gateGap) = Gaps(constraints, n);
        n[MaskEdgeLoss] = (m[0] * edgeGap) + (m[3] * edgeGap * edgeGap);
        n[MaskGateLoss] = (m[6] * gateGap) + (m[9] * gateGap * gateGap);
        n[MaskEdgePull] = -(m[0] + (2 * m[3] * edgeGap)) / constraints.Edges;
        n[MaskGatePull] = constraints.Gates == 0 ? 0 : -(m[6] + (2 * m[9] * gateGap)) / constraints.Gates;
    }

    private protected override void BalanceMasksCore(
        in MaskConstraints constraints, DeviceArray<double> values, int items, double mostNorm, in AdamWOptions options,
        DeviceArray<double> numbers)
    {
        double* n = P(numbers);
        double mean = 0;
        for (int i = 0; i < items; i++) mean += Math.Max(P(values)[i], 0) / items;
        n[MaskMean] = mean;
        (double edgeGap, double gateGap) = Gaps(constraints, n);
        ReadOnlySpan<double> ascents = [edgeGap, edgeGap * edgeGap, gateGap, gateGap * gateGap];
        double squares = n[MaskSquares];
        foreach (double ascent in ascents) squares += ascent * ascent;
        double norm = Math.Sqrt(squares);
        bool goes = double.IsFinite(norm) && double.IsFinite(mean);
        double scale = n[MaskScale] = goes ? Math.Min(1, mostNorm / (norm + 1e-6)) : double.NaN;
        if (!goes) return;
        double rate = n[MaskMultiplierRate];
        for (int i = 0; i < constraints.Multipliers; i++)
        {
            double* m = n + MaskMultipliers + (3 * i);
            double g = -scale * ascents[i];
            m[1] = (options.Beta1 * m[1]) + ((1 - options.Beta1) * g);
            m[2] = (options.Beta2 * m[2]) + ((1 - options.Beta2) * g * g);
            m[0] -= rate * options.WeightDecay * m[0];
            m[0] -= rate * (m[1] / n[MaskCorrection1]) / (Math.Sqrt(m[2] / n[MaskCorrection2]) + options.Epsilon);
        }
    }

    private static (double Edges, double Gates) Gaps(in MaskConstraints constraints, double* n) => (
        n[MaskEdgeSparsity] - n[MaskEdgeTarget], constraints.GatesHaveTarget ? n[MaskGateSparsity] - n[MaskGateTarget] : 0);

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
        public AdamWOptions Options;
        public double Rate, Scale, Correction1, Correction2;
        public RowRange Range;

        public readonly void Execute(int part, int worker)
        {
            for (int i = Range.From(part); i < Range.To(part); i++)
            {
                double g = Scale * Gradient[i];
                double p = Parameters[i] - (Rate * Options.WeightDecay * Parameters[i]);
                First[i] = (float)((Options.Beta1 * First[i]) + ((1 - Options.Beta1) * g));
                Second[i] = (float)((Options.Beta2 * Second[i]) + ((1 - Options.Beta2) * g * g));
                Parameters[i] = (float)(
                    p - (Rate * (First[i] / Correction1) / (Math.Sqrt(Second[i] / Correction2) + Options.Epsilon)));
            }
        }
    }
}
