using Gradpath.Kernels.Circuits;
using static Gradpath.Kernels.KernelConstants;

namespace Gradpath.Kernels.Cuda;

public sealed partial class CudaDevice
{
    private const int MaskThreads = 128;
    private const int GatesPerBlock = MaskThreads / Warp;

    private Kernel? _sampleHardConcrete, _placeMasks, _edgeMaskGradients, _gateMaskGradients, _adamWStep;

    private protected override void SampleHardConcreteCore(
        Tensor logAlpha, int count, ulong seed, uint step, Tensor z, Tensor slope) => Launch(
        Load(ref _sampleHardConcrete, "Masks", "sampleHardConcrete"),
        Blocks(count, MaskThreads),
        MaskThreads,
        0,
        logAlpha,
        count,
        (long)seed,
        (int)step,
        HardConcrete.Left,
        HardConcrete.Right,
        HardConcrete.Temperature,
        HardConcrete.Margin,
        z,
        slope);

    private protected override void PlaceMasksCore(Tensor z, MaskLayout layout, Tensor mask) => Launch(
        Load(ref _placeMasks, "Masks", "placeMasks"), Blocks(layout.Edges, MaskThreads), MaskThreads, 0, z, layout.Cell, GateOf(layout),
        layout.Edges, mask);

    private protected override void MaskGradientsCore(
        DeviceArray<double> scores, MaskLayout layout, Tensor z, Tensor slope, double scale, double edgePull, double gatePull,
        Tensor gradient)
    {
        Launch(
            Load(ref _edgeMaskGradients, "Masks", "edgeMaskGradients"),
            Blocks(layout.Edges, MaskThreads),
            MaskThreads,
            0,
            scores,
            layout.Cell,
            GateOf(layout),
            z,
            slope,
            layout.Edges,
            scale,
            edgePull,
            gradient);
        Launch(
            Load(ref _gateMaskGradients, "Masks", "gateMaskGradients"),
            Blocks(layout.Gates, GatesPerBlock),
            MaskThreads,
            0,
            scores,
            layout.Cell,
            layout.GateStart,
            z,
            slope,
            layout.Edges,
            layout.Gates,
            scale,
            gatePull,
            gradient);
    }

    private protected override void AdamWStepCore(
        Tensor parameters, Tensor gradient, Tensor firstMoment, Tensor secondMoment, int count, in AdamWStepOptions options) => Launch(
        Load(ref _adamWStep, "Masks", "adamWStep"),
        Blocks(count, MaskThreads),
        MaskThreads,
        0,
        parameters,
        gradient,
        firstMoment,
        secondMoment,
        count,
        options.LearningRate,
        options.WeightDecay,
        options.Beta1,
        options.Beta2,
        options.Epsilon,
        options.GradientScale,
        options.Correction1,
        options.Correction2);

    private static DeviceArray<int>? GateOf(MaskLayout layout) => layout.Gates == 0 ? null : layout.GateOf;
}
