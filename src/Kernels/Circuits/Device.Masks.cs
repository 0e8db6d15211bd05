using System.Runtime.CompilerServices;
using Gradpath.Kernels.Circuits;

namespace Gradpath.Kernels;

// Masks: soft masks on edges, drawn anew each step, and the optimiser of their parameters. Elementwise, in float64 between float32 tensors:
// there are few elements, and devices then agree to the last bit or two.
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
    /// <param name="step">Step: the second word of their counter.</param>
    /// <param name="z">[count], out.</param>
    /// <param name="slope">[count], out.</param>
    internal void SampleHardConcrete(Tensor logAlpha, int count, ulong seed, uint step, Tensor z, Tensor slope)
    {
        AtLeast(0, count);
        Need(logAlpha, count);
        Need(z, count);
        Need(slope, count);
        Apart(z, count, logAlpha, count);
        Apart(slope, count, logAlpha, count);
        Apart(z, count, slope, count);
        if (!Begins(nameof(SampleHardConcrete))) return;
        SampleHardConcreteCore(logAlpha, count, seed, step, z, slope);
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
    /// <param name="edgePull">Derivative of the loss by each edge's z through the sparsity.</param>
    /// <param name="gatePull">The same for gates.</param>
    /// <param name="gradient">[edges + gates], out; must not overlap z or the slope.</param>
    internal void MaskGradients(
        DeviceArray<double> scores, MaskLayout layout, Tensor z, Tensor slope, double scale, double edgePull, double gatePull,
        Tensor gradient)
    {
        Need(layout);
        int parameters = layout.Parameters;
        Need(scores, layout.Cells);
        Need(z, parameters);
        Need(slope, parameters);
        Need(gradient, parameters);
        Apart(gradient, parameters, z, parameters);
        Apart(gradient, parameters, slope, parameters);
        if (!Begins(nameof(MaskGradients))) return;
        MaskGradientsCore(scores, layout, z, slope, scale, edgePull, gatePull, gradient);
        Ended();
    }

    /// <summary>
    /// AdamW (Loshchilov and Hutter 2019), with g = gradientScale gradient: p -= rate decay p; m = b1 m + (1 - b1) g;
    /// v = b2 v + (1 - b2) g^2; p -= rate (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + e). Moments are rounded to float32 before p takes
    /// them. No two operands may overlap.
    /// </summary>
    /// <param name="parameters">[count] p, changed in place.</param>
    /// <param name="gradient">[count].</param>
    /// <param name="firstMoment">[count] m, changed in place.</param>
    /// <param name="secondMoment">[count] v, changed in place.</param>
    /// <param name="count">Number of parameters.</param>
    /// <param name="options">Constants.</param>
    internal void AdamWStep(
        Tensor parameters, Tensor gradient, Tensor firstMoment, Tensor secondMoment, int count, in AdamWStepOptions options)
    {
        AtLeast(0, count);
        AtLeast(1, options.Step);
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
        AdamWStepCore(parameters, gradient, firstMoment, secondMoment, count, options);
        Ended();
    }

    /// <inheritdoc cref="SampleHardConcrete" />
    private protected abstract void SampleHardConcreteCore(Tensor logAlpha, int count, ulong seed, uint step, Tensor z, Tensor slope);

    /// <inheritdoc cref="PlaceMasks" />
    private protected abstract void PlaceMasksCore(Tensor z, MaskLayout layout, Tensor mask);

    /// <inheritdoc cref="MaskGradients" />
    private protected abstract void MaskGradientsCore(
        DeviceArray<double> scores, MaskLayout layout, Tensor z, Tensor slope, double scale, double edgePull, double gatePull,
        Tensor gradient);

    /// <inheritdoc cref="AdamWStep" />
    private protected abstract void AdamWStepCore(
        Tensor parameters, Tensor gradient, Tensor firstMoment, Tensor secondMoment, int count, in AdamWStepOptions options);

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
