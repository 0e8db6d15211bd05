namespace Gradpath.Kernels;

// Path: sums per sequence and the step along the embedding path of EAP-GP.
public abstract partial class Device
{
    /// <summary>values[s] = sum over the rows of sequence s and all columns of x y, in float64.</summary>
    /// <param name="x">[key rows, width].</param>
    /// <param name="y">[key rows, width]; may be x, then the values are squared norms.</param>
    /// <param name="layout">Sequences; rows are key rows.</param>
    /// <param name="width">Width of a row.</param>
    /// <param name="values">[sequences], out.</param>
    internal void SequenceDots(Tensor x, Tensor y, SequenceLayout layout, int width, DeviceArray<double> values)
    {
        Need(layout);
        AtLeast(1, width);
        long size = Size(layout.KeyRows, width);
        Need(x, size);
        Need(y, size);
        Need(values, layout.Sequences);
        if (!Begins(nameof(SequenceDots))) return;
        SequenceDotsCore(x, y, layout, width, values);
        Ended();
    }

    /// <summary>
    /// The step along the path: gamma -= stepLength[s] g / W with W = sqrt(squaredNorms[s]), or the root of the sum of all squared norms;
    /// where W is below 1e-12 gamma stays.
    /// </summary>
    /// <param name="gamma">[key rows, width], changed in place.</param>
    /// <param name="gradient">[key rows, width]; must not overlap gamma.</param>
    /// <param name="squaredNorms">[sequences].</param>
    /// <param name="stepLengths">[sequences].</param>
    /// <param name="wholeBatchNorm">Whether one norm over all sequences serves every one.</param>
    /// <param name="layout">Sequences; rows are key rows.</param>
    /// <param name="width">Width of a row.</param>
    internal void PathStep(
        Tensor gamma,
        Tensor gradient,
        DeviceArray<double> squaredNorms,
        DeviceArray<double> stepLengths,
        bool wholeBatchNorm,
        SequenceLayout layout,
        int width)
    {
        Need(layout);
        AtLeast(1, width);
        long size = Size(layout.KeyRows, width);
        Need(gamma, size);
        Need(gradient, size);
        Need(squaredNorms, layout.Sequences);
        Need(stepLengths, layout.Sequences);
        Apart(gamma, size, gradient, size);
        if (!Begins(nameof(PathStep))) return;
        PathStepCore(gamma, gradient, squaredNorms, stepLengths, wholeBatchNorm, layout, width);
        Ended();
    }

    /// <inheritdoc cref="SequenceDots" />
    private protected abstract void SequenceDotsCore(Tensor x, Tensor y, SequenceLayout layout, int width, DeviceArray<double> values);

    /// <inheritdoc cref="PathStep" />
    private protected abstract void PathStepCore(
        Tensor gamma,
        Tensor gradient,
        DeviceArray<double> squaredNorms,
        DeviceArray<double> stepLengths,
        bool wholeBatchNorm,
        SequenceLayout layout,
        int width);
}
