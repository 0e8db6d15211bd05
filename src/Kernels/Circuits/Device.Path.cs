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
    /// where W is below 1e-12 gamma stays. Where there is room for it the new point is embedded: embedded[row] = positions[indices[row]] +
    /// gamma[row]. The results must not overlap another operand.
    /// </summary>
    /// <param name="gamma">[key rows, width], changed in place.</param>
    /// <param name="gradient">[key rows, width].</param>
    /// <param name="squaredNorms">[sequences]; null for the gradient's own, where each sequence has a norm.</param>
    /// <param name="stepLengths">[sequences].</param>
    /// <param name="wholeBatchNorm">Whether one norm over all sequences serves every one.</param>
    /// <param name="layout">Sequences; rows are key rows.</param>
    /// <param name="width">Width of a row.</param>
    /// <param name="positions">[*, width]; given where the point is embedded.</param>
    /// <param name="indices">[key rows]; given where the point is embedded.</param>
    /// <param name="embedded">[key rows, width], out; null where the point is not embedded.</param>
    internal void PathStep(
        Tensor gamma,
        Tensor gradient,
        DeviceArray<double>? squaredNorms,
        DeviceArray<double> stepLengths,
        bool wholeBatchNorm,
        SequenceLayout layout,
        int width,
        Tensor? positions = null,
        DeviceArray<int>? indices = null,
        Tensor? embedded = null)
    {
        Need(layout);
        AtLeast(1, width);
        long size = Size(layout.KeyRows, width);
        Need(gamma, size);
        Need(gradient, size);
        if (squaredNorms is not null || wholeBatchNorm) Need(squaredNorms!, layout.Sequences);
        Need(stepLengths, layout.Sequences);
        Apart(gamma, size, gradient, size);
        if (embedded is not null)
        {
            Need(embedded, size);
            NeedRows(positions!, layout.KeyRows, width);
            Need(indices!, layout.KeyRows);
            Apart(gamma, size, positions!, positions!.Length);
            Apart(embedded, size, positions, positions.Length);
            Apart(embedded, size, gamma, size);
            Apart(embedded, size, gradient, size);
        }
        if (!Begins(nameof(PathStep))) return;
        PathStepCore(gamma, gradient, squaredNorms, stepLengths, wholeBatchNorm, layout, width, positions, indices, embedded);
        Ended();
    }

    /// <inheritdoc cref="SequenceDots" />
    private protected abstract void SequenceDotsCore(Tensor x, Tensor y, SequenceLayout layout, int width, DeviceArray<double> values);

    /// <inheritdoc cref="PathStep" />
    private protected abstract void PathStepCore(
        Tensor gamma,
        Tensor gradient,
        DeviceArray<double>? squaredNorms,
        DeviceArray<double> stepLengths,
        bool wholeBatchNorm,
        SequenceLayout layout,
        int width,
        Tensor? positions,
        DeviceArray<int>? indices,
        Tensor? embedded);
}
