using Gradpath.Kernels.Circuits;
using Gradpath.Kernels.Cuda.Driver;
using static Gradpath.Kernels.KernelConstants;

namespace Gradpath.Kernels.Cuda;

public sealed partial class CudaDevice
{
    private const int MaskThreads = 128;
    private const int GatesPerBlock = MaskThreads / Warp;

    private Kernel? _sampleHardConcrete, _placeMasks, _edgeMaskGradients, _gateMaskGradients, _adamWStep, _constrainMasks, _balanceMasks;

    private protected override void SampleHardConcreteCore(
        Tensor logAlpha, int count, ulong seed, DeviceArray<double> numbers, Tensor z, Tensor slope) => Launch(
        Load(ref _sampleHardConcrete, "Masks", "sampleHardConcrete"),
        Blocks(count, MaskThreads),
        MaskThreads,
        0,
        logAlpha,
        count,
        (long)seed,
        numbers,
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
        DeviceArray<double> scores, MaskLayout layout, Tensor z, Tensor slope, double scale, DeviceArray<double> numbers,
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
            numbers,
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
            numbers,
            gradient);
    }

    private protected override void AdamWStepCore(
        Tensor parameters, Tensor gradient, Tensor firstMoment, Tensor secondMoment, int count, in AdamWOptions options,
        DeviceArray<double> numbers) => Launch(
        Load(ref _adamWStep, "Masks", "adamWStep"),
        Blocks(count, MaskThreads),
        MaskThreads,
        0,
        parameters,
        gradient,
        firstMoment,
        secondMoment,
        count,
        options.WeightDecay,
        options.Beta1,
        options.Beta2,
        options.Epsilon,
        numbers);

    private protected override void ClearScoresCore(DeviceArray<double> scores, long count)
    {
        Enter();
        try
        {
            _driver.FillBytes(scores.Address, 0, count * sizeof(double), _stream);
        }
        catch (CudaException e)
        {
            throw WorkFailed(e);
        }
    }

    private protected override void ConstrainMasksCore(in MaskConstraints constraints, DeviceArray<double> numbers) => Launch(
        Load(ref _constrainMasks, "Masks", "constrainMasks"), 1, Warp, 0, constraints.Edges, constraints.Gates, constraints.GatesHaveTarget,
        numbers);

    private protected override void BalanceMasksCore(
        in MaskConstraints constraints, DeviceArray<double> values, int items, double mostNorm, in AdamWOptions options,
        DeviceArray<double> numbers) => Launch(
        Load(ref _balanceMasks, "Masks", "balanceMasks"),
        1,
        Warp,
        0,
        values,
        items,
        constraints.GatesHaveTarget,
        mostNorm,
        options.WeightDecay,
        options.Beta1,
        options.Beta2,
        options.Epsilon,
        numbers);

    private static DeviceArray<int>? GateOf(MaskLayout layout) => layout.Gates == 0 ? null : layout.GateOf;
}
