namespace Gradpath.Kernels;

/// <summary>The stretched binary concrete distribution of Louizos et al. (2018) that soft masks are drawn from.</summary>
public static class HardConcrete
{
    /// <summary>Lower end of the stretched interval.</summary>
    public const double Left = -0.1;

    /// <summary>Upper end of the stretched interval.</summary>
    public const double Right = 1.1;

    /// <summary>Temperature.</summary>
    public const double Temperature = 2.0 / 3;

    /// <summary>Uniform numbers are drawn from (e, 1 - e).</summary>
    public const double Margin = 1e-6;
}

/// <summary>Which cells of a mask matrix parameters stand for. Parameters are first the edges', then (where there are gates) one per writer.</summary>
/// <param name="Edges">Number of edges.</param>
/// <param name="Cell">[edges]: position in the mask matrix, growing; so a writer's edges lie together.</param>
/// <param name="Gates">Number of gates; 0 where edges stand for themselves.</param>
/// <param name="GateOf">[edges]: the gate of an edge's writer; not read without gates.</param>
/// <param name="GateStart">[gates + 1]: first edge of each gate's writer; not read without gates.</param>
public sealed record MaskLayout(int Edges, DeviceArray<int> Cell, int Gates, DeviceArray<int> GateOf, DeviceArray<int> GateStart) : IDisposable
{
    /// <summary>Edges plus gates.</summary>
    public int Parameters => Edges + Gates;

    /// <inheritdoc />
    public void Dispose()
    {
        Cell.Dispose();
        GateOf.Dispose();
        GateStart.Dispose();
    }
}

/// <summary>The constants of one AdamW step.</summary>
/// <param name="LearningRate">Step size.</param>
/// <param name="WeightDecay">Share of the parameter that a step of size 1 takes off.</param>
/// <param name="Beta1">Decay of the first moment.</param>
/// <param name="Beta2">Decay of the second moment.</param>
/// <param name="Epsilon">Added to the root of the second moment.</param>
/// <param name="Step">Number of this step, from 1.</param>
/// <param name="GradientScale">Factor on the gradient (clipping).</param>
public readonly record struct AdamWStepOptions(
    double LearningRate, double WeightDecay, double Beta1, double Beta2, double Epsilon, int Step, double GradientScale)
{
    /// <summary>1 - Beta1^Step.</summary>
    public double Correction1 => 1 - Math.Pow(Beta1, Step);

    /// <summary>1 - Beta2^Step.</summary>
    public double Correction2 => 1 - Math.Pow(Beta2, Step);
}

// Masks: soft masks on edges, drawn anew each step, and the optimiser of their parameters. Elementwise, in float64 between float32 tensors:
// there are few elements, and devices then agree to the last bit or two.
public abstract partial class Device
{
    /// <summary>
    /// With u = e + (1 - 2 e) <see cref="Philox.Uniform"/>(i, step, seed), s = 1 / (1 + exp(-(ln u - ln(1 - u) + a_i) / T)) and
    /// y = left + (right - left) s: z_i = y clipped to [0, 1], slope_i = dz_i / da_i = (right - left) s (1 - s) / T for 0 &lt; y &lt; 1,
    /// else 0. The constants are those of <see cref="HardConcrete"/>.
    /// </summary>
    /// <param name="logAlpha">[count] parameters a.</param>
    /// <param name="count">Number of parameters.</param>
    /// <param name="seed">Key of the random numbers.</param>
    /// <param name="step">Step: the second word of their counter.</param>
    /// <param name="z">[count], out.</param>
    /// <param name="slope">[count], out.</param>
    public abstract void SampleHardConcrete(Tensor logAlpha, int count, ulong seed, uint step, Tensor z, Tensor slope);

    /// <summary>mask[cell_i] = z_i, times the gate z[edges + gateOf_i] where there are gates. Other cells stay as they are.</summary>
    /// <param name="z">[edges + gates].</param>
    /// <param name="layout">Where the edges are.</param>
    /// <param name="mask">The matrix.</param>
    public abstract void PlaceMasks(Tensor z, MaskLayout layout, Tensor mask);

    /// <summary>
    /// The gradient at the parameters, with S the derivative by the mask matrix's cells: of an edge slope_i (scale S[cell_i] gate + edgePull),
    /// of a gate slope_j (scale sum of S[cell_i] z_i over its edges in order + gatePull). Without gates, gate = 1.
    /// </summary>
    /// <param name="scores">S, float64.</param>
    /// <param name="layout">Where the edges are.</param>
    /// <param name="z">[edges + gates], as drawn.</param>
    /// <param name="slope">[edges + gates], as drawn.</param>
    /// <param name="scale">Factor on S.</param>
    /// <param name="edgePull">Derivative of the loss by each edge's z through the sparsity.</param>
    /// <param name="gatePull">The same for gates.</param>
    /// <param name="gradient">[edges + gates], out.</param>
    public abstract void MaskGradients(
        DeviceArray<double> scores, MaskLayout layout, Tensor z, Tensor slope, double scale, double edgePull, double gatePull, Tensor gradient);

    /// <summary>
    /// AdamW (Loshchilov and Hutter 2019), with g = gradientScale gradient: p -= rate decay p; m = b1 m + (1 - b1) g;
    /// v = b2 v + (1 - b2) g^2; p -= rate (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + e). Moments are rounded to float32 before p takes them.
    /// </summary>
    /// <param name="parameters">[count] p, changed in place.</param>
    /// <param name="gradient">[count].</param>
    /// <param name="firstMoment">[count] m, changed in place.</param>
    /// <param name="secondMoment">[count] v, changed in place.</param>
    /// <param name="count">Number of parameters.</param>
    /// <param name="options">Constants.</param>
    public abstract void AdamWStep(Tensor parameters, Tensor gradient, Tensor firstMoment, Tensor secondMoment, int count, in AdamWStepOptions options);
}
