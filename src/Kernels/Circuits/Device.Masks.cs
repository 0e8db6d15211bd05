using System.Runtime.CompilerServices;
using Gradpath.Kernels.Circuits;

namespace Gradpath.Kernels;

// Masks: soft masks on edges, drawn anew each step, and the optimiser of their parameters. Elementwise, in float64 between float32 tensors:
// there are few elements, and devices then agree to the last bit or two. What changes from step to step (the schedule's numbers, sums,
// pulls, multipliers) lies in device memory, at the places that KernelConstants.Mask... name, so that every step is the same operations.
public abstract partial class Device
{
    /// <summary>
    /// With u = e + (1 - 2 e) <see cref="Philox.Uniform"/>(i, step, seed), s = 1 / (1 + exp(-(ln u - ln(1 - u) + a_i) / T)) and
    /// y = left + (right - left) s: z_i = y clipped to [0, 1], slope_i = dz_i / da_i = (right - left) s (1 - s) / T for 0 &lt; y &lt; 1,
    /// else 0. The constants are those of <see cref="HardConcrete"/>. No result may overlap another operand.
    /// </summary>
    /// <param name="logAlpha">[count] parameters a.</param>
    /// <param name="count">Number of parameters.</param>
    /// <param name="seed">Key of the random numbers.</param>
    /// <param name="numbers">The step's numbers; its step is the second word of their counter.</param>
    /// <param name="z">[count], out.</param>
    /// <param name="slope">[count], out.</param>
    internal void SampleHardConcrete(
        Tensor logAlpha, int count, ulong seed, DeviceArray<double> numbers, Tensor z, Tensor slope)
    {
        AtLeast(0, count);
        Need(numbers, KernelConstants.MaskNumbers);
        Need(logAlpha, count);
        Need(z, count);
        Need(slope, count);
        Apart(z, count, logAlpha, count);
        Apart(slope, count, logAlpha, count);
        Apart(z, count, slope, count);
        if (!Begins(nameof(SampleHardConcrete))) return;
        SampleHardConcreteCore(logAlpha, count, seed, numbers, z, slope);
        Ended();
    }

    /// <summary>mask[cell_i] = z_i, times the gate z[edges + gateOf_i] where there are gates. Other cells stay as they are.</summary>
    /// <param name="z">[edges + gates].</param>
    /// <param name="layout">Where the edges are.</param>
    /// <param name="mask">The matrix; must not overlap z.</param>
    internal void PlaceMasks(Tensor z, MaskLayout layout, Tensor mask)
    {
        Need(layout);
        Need(z, layout.Parameters);
        Need(mask, layout.Cells);
        Apart(mask, layout.Cells, z, layout.Parameters);
        if (!Begins(nameof(PlaceMasks))) return;
        PlaceMasksCore(z, layout, mask);
        Ended();
    }

    /// <summary>
    /// The gradient at the parameters, with S the derivative by the mask matrix's cells: of an edge slope_i (scale S[cell_i] gate +
    /// edgePull), of a gate slope_j (scale sum of S[cell_i] z_i over its edges in order + gatePull). Without gates, gate = 1.
    /// </summary>
    /// <param name="scores">S, a float64 for each cell.</param>
    /// <param name="layout">Where the edges are.</param>
    /// <param name="z">[edges + gates], as drawn.</param>
    /// <param name="slope">[edges + gates], as drawn.</param>
    /// <param name="scale">Factor on S.</param>
    /// <param name="numbers">The step's numbers; its pulls are read.</param>
    /// <param name="gradient">[edges + gates], out; must not overlap z or the slope.</param>
    internal void MaskGradients(
        DeviceArray<double> scores, MaskLayout layout, Tensor z, Tensor slope, double scale, DeviceArray<double> numbers,
        Tensor gradient)
    {
        Need(layout);
        int parameters = layout.Parameters;
        Need(scores, layout.Cells);
        Need(numbers, KernelConstants.MaskNumbers);
        Need(z, parameters);
        Need(slope, parameters);
        Need(gradient, parameters);
        Apart(gradient, parameters, z, parameters);
        Apart(gradient, parameters, slope, parameters);
        if (!Begins(nameof(MaskGradients))) return;
        MaskGradientsCore(scores, layout, z, slope, scale, numbers, gradient);
        Ended();
    }

    /// <summary>
    /// AdamW (Loshchilov and Hutter 2019), with g = scale gradient: p -= rate decay p; m = b1 m + (1 - b1) g;
    /// v = b2 v + (1 - b2) g^2; p -= rate (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + e). Moments are rounded to float32 before p takes
    /// them. Where the scale is NaN nothing changes. No two operands may overlap.
    /// </summary>
    /// <param name="parameters">[count] p, changed in place.</param>
    /// <param name="gradient">[count].</param>
    /// <param name="firstMoment">[count] m, changed in place.</param>
    /// <param name="secondMoment">[count] v, changed in place.</param>
    /// <param name="count">Number of parameters.</param>
    /// <param name="options">Constants.</param>
    /// <param name="numbers">The step's numbers; its rate, corrections and scale are read.</param>
    internal void AdamWStep(
        Tensor parameters, Tensor gradient, Tensor firstMoment, Tensor secondMoment, int count, in AdamWOptions options,
        DeviceArray<double> numbers)
    {
        AtLeast(0, count);
        Need(numbers, KernelConstants.MaskNumbers);
        Need(parameters, count);
        Need(gradient, count);
        Need(firstMoment, count);
        Need(secondMoment, count);
        Apart(parameters, count, gradient, count);
        Apart(parameters, count, firstMoment, count);
        Apart(parameters, count, secondMoment, count);
        Apart(firstMoment, count, gradient, count);
        Apart(firstMoment, count, secondMoment, count);
        Apart(secondMoment, count, gradient, count);
        if (!Begins(nameof(AdamWStep))) return;
        AdamWStepCore(parameters, gradient, firstMoment, secondMoment, count, options, numbers);
        Ended();
    }

    /// <summary>The first elements of an array become 0.</summary>
    /// <param name="scores">The array.</param>
    /// <param name="count">Number of elements.</param>
    internal void ClearScores(DeviceArray<double> scores, long count)
    {
        AtLeast(0, count);
        Need(scores, count);
        if (count == 0 || !Begins(nameof(ClearScores))) return;
        ClearScoresCore(scores, count);
        Ended();
    }

    /// <summary>
    /// From the sums of a step's masks and its targets: the sparsities, with gap = sparsity - target what they add to the loss,
    /// l1 gap + l2 gap^2, and its derivative by each mask, -(l1 + 2 l2 gap) / masks. Gates without a target have no gap.
    /// </summary>
    /// <param name="constraints">What is pulled.</param>
    /// <param name="numbers">The step's numbers.</param>
    internal void ConstrainMasks(in MaskConstraints constraints, DeviceArray<double> numbers)
    {
        Need(constraints);
        Need(numbers, KernelConstants.MaskNumbers);
        if (!Begins(nameof(ConstrainMasks))) return;
        ConstrainMasksCore(constraints, numbers);
        Ended();
    }

    /// <summary>
    /// The mean of max(value, 0) of a step's prompts; with the norm n of the gradient and of the multipliers' own gradients (gap and gap^2)
    /// the gradient's scale min(1, most / (n + 1e-6)); and a step of AdamW upwards for every multiplier. Where the mean or the norm is not
    /// finite the scale is NaN and the multipliers stay.
    /// </summary>
    /// <param name="constraints">What is pulled.</param>
    /// <param name="values">[items]: the prompts' values.</param>
    /// <param name="items">Number of prompts.</param>
    /// <param name="mostNorm">Norm to which gradients are shortened.</param>
    /// <param name="options">Constants of AdamW.</param>
    /// <param name="numbers">The step's numbers; its sparsities and the sum of the gradient's squares are there.</param>
    internal void BalanceMasks(
        in MaskConstraints constraints, DeviceArray<double> values, int items, double mostNorm, in AdamWOptions options,
        DeviceArray<double> numbers)
    {
        Need(constraints);
        AtLeast(1, items);
        Need(values, items);
        Need(numbers, KernelConstants.MaskNumbers);
        if (!Begins(nameof(BalanceMasks))) return;
        BalanceMasksCore(constraints, values, items, mostNorm, options, numbers);
        Ended();
    }

    /// <inheritdoc cref="SampleHardConcrete" />
    private protected abstract void SampleHardConcreteCore(
        Tensor logAlpha, int count, ulong seed, DeviceArray<double> numbers, Tensor z, Tensor slope);

    /// <inheritdoc cref="PlaceMasks" />
    private protected abstract void PlaceMasksCore(Tensor z, MaskLayout layout, Tensor mask);

    /// <inheritdoc cref="MaskGradients" />
    private protected abstract void MaskGradientsCore(
        DeviceArray<double> scores, MaskLayout layout, Tensor z, Tensor slope, double scale, DeviceArray<double> numbers,
        Tensor gradient);

    /// <inheritdoc cref="AdamWStep" />
    private protected abstract void AdamWStepCore(
        Tensor parameters, Tensor gradient, Tensor firstMoment, Tensor secondMoment, int count, in AdamWOptions options,
        DeviceArray<double> numbers);

    /// <inheritdoc cref="ClearScores" />
    private protected abstract void ClearScoresCore(DeviceArray<double> scores, long count);

    /// <inheritdoc cref="ConstrainMasks" />
    private protected abstract void ConstrainMasksCore(in MaskConstraints constraints, DeviceArray<double> numbers);

    /// <inheritdoc cref="BalanceMasks" />
    private protected abstract void BalanceMasksCore(
        in MaskConstraints constraints, DeviceArray<double> values, int items, double mostNorm, in AdamWOptions options,
        DeviceArray<double> numbers);

    private static void Need(in MaskConstraints constraints, [CallerMemberName] string op = "")
    {
        AtLeast(1, constraints.Edges, "constraints.Edges", op);
        AtLeast(constraints.GatesHaveTarget ? 1 : 0, constraints.Gates, "constraints.Gates", op);
    }

    private void Need(MaskLayout layout, [CallerMemberName] string op = "")
    {
        if (layout is null) OpErrors.Missing(op, nameof(layout));
        AtLeast(0, layout.Edges, "layout.Edges", op);
        AtLeast(0, layout.Gates, "layout.Gates", op);
        AtLeast(layout.Edges, layout.Cells, "layout.Cells", op);
        AtMost(int.MaxValue, (long)layout.Edges + layout.Gates, "layout.Parameters", op);
        Need(layout.Cell, layout.Edges, "layout.Cell", op);
        Need(layout.GateOf, layout.Gates == 0 ? 0 : layout.Edges, "layout.GateOf", op);
        Need(layout.GateStart, layout.Gates == 0 ? 0 : layout.Gates + 1L, "layout.GateStart", op);
    }
}
