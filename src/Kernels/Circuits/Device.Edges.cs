using System.Runtime.CompilerServices;
using Gradpath.Kernels.Circuits;

namespace Gradpath.Kernels;

// Edges: gradients of readers and the contraction with the writers' differences.
//
// A reader c (one head's query, key or value) reads y_c = W_c^T (gain xhat + shift) + b_c. With dy_c the gradient at its output, the
// gradient at its input before the LayerNorm is
//
//     g_c = rstd (gain W_c dy_c - m1_c - xhat m2_c),   m1_c = (dy_c . W_c^T gain) / D,   m2_c = (dy_c . (y_c - b_c - W_c^T shift)) / D
//
// where the two means need no sum over D: they are dot products of head width. Summed over the points p of a path,
//
//     sum_p g_c = gain W_c (sum_p rstd_p dy_cp) - sum_p rstd_p m1_cp - sum_p xhat_p (rstd_p m2_cp)
//
// so a point only leaves three small sums behind (AccumulateReaders), and the D-wide gradients are made once per batch, however many
// points there are (one product per reader, then FinishReaders).
public abstract partial class Device
{
    /// <summary>
    /// Adds what a backward pass leaves behind for a group of readers of one width:
    /// sums[n, c] += rstd dy_c, offsets[c, n] += rstd m1_c, coefficients[firstPoint + p, c, n] = rstd m2_c, for gradient row r = p * base
    /// rows + n. No result may overlap another operand.
    /// </summary>
    /// <param name="points">The readers, and what is known of them.</param>
    internal void AccumulateReaders(in ReaderPoints points)
    {
        NeedPoints(points, nameof(AccumulateReaders));
        if (points.Rows.Rows == 0 || !Begins(nameof(AccumulateReaders))) return;
        AccumulateReadersCore(points);
        Ended();
    }

    /// <summary>
    /// <see cref="LayerNormBackward"/> without a reader, and <see cref="AccumulateReaders"/> of the readers behind that LayerNorm. With
    /// room for them the points' normalised rows are kept: standardized[firstPoint * base rows + i] = (x_i - mean_i) rstd_i for the
    /// gradient rows i of the points. No result may overlap another operand.
    /// </summary>
    /// <param name="dy">[gradient rows, width].</param>
    /// <param name="x">[activation rows, width]: the forward input.</param>
    /// <param name="gain">[width].</param>
    /// <param name="mean">[activation rows].</param>
    /// <param name="rstd">[activation rows].</param>
    /// <param name="rows">The rows of the LayerNorm; without any nothing is done.</param>
    /// <param name="residualGradient">[gradient rows, width], added to.</param>
    /// <param name="points">The readers, whose width is that of the LayerNorm; they may have no rows.</param>
    /// <param name="standardized">[points * base rows, width], or null.</param>
    internal void LayerNormBackwardWithReaders(
        Tensor dy,
        Tensor x,
        Tensor gain,
        Tensor mean,
        Tensor rstd,
        in GradientRows rows,
        Tensor residualGradient,
        in ReaderPoints points,
        Tensor? standardized)
    {
        NeedPoints(points, nameof(LayerNormBackwardWithReaders));
        Need(rows);
        if (rows.Rows > 0 && rows.Rows % rows.ActivationRows != 0)
        {
            OpErrors.NoMultiple(
                nameof(LayerNormBackwardWithReaders), "rows.Rows", rows.Rows, "rows.ActivationRows", rows.ActivationRows);
        }
        int width = points.Readers.Width;
        long size = Size(rows.Rows, width), activations = Size(rows.ActivationRows, width);
        long first = Product(points.FirstPoint, points.Rows.BaseRows), end = Product(Sum(first, points.Rows.Rows), width);
        Need(dy, size);
        Need(x, activations);
        Need(gain, width);
        Need(mean, rows.ActivationRows);
        Need(rstd, rows.ActivationRows);
        Need(residualGradient, size);
        Alone(residualGradient, size);
        ApartFrom(points, residualGradient, size, nameof(residualGradient), nameof(LayerNormBackwardWithReaders));
        Alone(points.Into.Sums, points.Into.Sums.Length);
        Alone(points.Into.Offsets, points.Into.Offsets.Length);
        Alone(points.Into.Coefficients, points.Into.Coefficients.Length);
        if (standardized is not null)
        {
            AtMost(rows.ActivationRows, points.Rows.Rows);
            Need(standardized, end);
            Alone(standardized, end);
            ApartFrom(points, standardized, end, nameof(standardized), nameof(LayerNormBackwardWithReaders));
            Apart(standardized, end, residualGradient, size);
        }
        if (rows.Rows == 0 || !Begins(nameof(LayerNormBackwardWithReaders))) return;
        if (points.Rows.Rows == 0) LayerNormBackwardCore(dy, x, gain, mean, rstd, rows, width, residualGradient, null, 0, null, false, 0);
        else LayerNormBackwardWithReadersCore(dy, x, gain, mean, rstd, rows, residualGradient, points, standardized);
        Ended();

        void Alone(Tensor output, long elements, [CallerArgumentExpression(nameof(output))] string name = "")
        {
            Apart(output, elements, dy, size, name, op: nameof(LayerNormBackwardWithReaders));
            Apart(output, elements, x, activations, name, op: nameof(LayerNormBackwardWithReaders));
            Apart(output, elements, gain, width, name, op: nameof(LayerNormBackwardWithReaders));
            Apart(output, elements, mean, mean.Length, name, op: nameof(LayerNormBackwardWithReaders));
            Apart(output, elements, rstd, rstd.Length, name, op: nameof(LayerNormBackwardWithReaders));
        }
    }

    /// <summary>
    /// g[c, n] = gain g[c, n] - offsets[c, n] - sum over p of coefficients[p, c, n] standardized[p, n]; for every layer, whose
    /// gradients and gains follow one another.
    /// </summary>
    /// <param name="gradients">
    /// Per layer [readers, rows, width], and a block more where there is a last one: in W_c times the sums, out the readers' gradients.
    /// Must not overlap another operand.
    /// </param>
    /// <param name="firstElement">Where the first reader's block starts in them.</param>
    /// <param name="gain">[layers, width].</param>
    /// <param name="offsets">[readers, rows] of the first layer.</param>
    /// <param name="coefficients">[points, readers, rows] of the first layer.</param>
    /// <param name="standardized">[points, rows, width] of the first layer.</param>
    /// <param name="blocks">The extents.</param>
    /// <param name="last">[rows, width]: a reader's gradient that needs nothing, copied behind the others; or null.</param>
    internal void FinishReaders(
        Tensor gradients, long firstElement, Tensor gain, Tensor offsets, Tensor coefficients, Tensor standardized, in ReaderBlocks blocks,
        Tensor? last = null)
    {
        AtLeast(0, firstElement);
        AtLeast(0, blocks.Readers);
        AtLeast(0, blocks.Rows);
        AtLeast(1, blocks.Width);
        AtLeast(0, blocks.Points);
        AtLeast(0, blocks.Layers);
        AtLeast(0, blocks.SumsStride);
        AtLeast(0, blocks.StandardizedStride);
        long block = Size(blocks.Rows, blocks.Width);
        long end = Sum(firstElement, Product(Product(block, blocks.Readers + (last is null ? 0L : 1L)), blocks.Layers));
        int before = Math.Max(0, blocks.Layers - 1);
        long sums = Product(blocks.SumsStride, before), gains = Size(blocks.Layers, blocks.Width);
        long cells = Sum(sums, Size(blocks.Readers, blocks.Rows));
        long factors = Sum(sums, Product(Size(blocks.Readers, blocks.Rows), blocks.Points));
        long rows = Sum(Product(blocks.StandardizedStride, before), Size(blocks.Points, blocks.Rows, blocks.Width));
        Need(gradients, end);
        Need(gain, gains);
        Need(offsets, cells);
        Need(coefficients, factors);
        Need(standardized, rows);
        Apart(gradients, end, gain, gains);
        Apart(gradients, end, offsets, cells);
        Apart(gradients, end, coefficients, factors);
        Apart(gradients, end, standardized, rows);
        if (last is not null)
        {
            AtLeast(1, blocks.Readers);
            Need(last, Sum(sums, block));
            Apart(gradients, end, last, Sum(sums, block));
        }
        if (blocks.Readers == 0 || blocks.Rows == 0 || blocks.Layers == 0 || !Begins(nameof(FinishReaders))) return;
        FinishReadersCore(gradients, firstElement, gain, offsets, coefficients, standardized, blocks, last);
        Ended();
    }

    /// <summary>
    /// The edge contraction: scores[u, v] += sum over i of delta[u, i] gradients[v, i]. Long sums end in float64 in a fixed order.
    /// </summary>
    /// <param name="delta">[writers or more, length].</param>
    /// <param name="writers">Number of writers that feed the readers.</param>
    /// <param name="gradients">[readers, length].</param>
    /// <param name="readers">Number of readers.</param>
    /// <param name="length">Rows times D; at most what an int holds.</param>
    /// <param name="into">Where the scores are; added to.</param>
    internal void ContractEdges(Tensor delta, int writers, Tensor gradients, int readers, long length, in ScoreBlock into)
    {
        AtLeast(0, writers);
        AtLeast(0, readers);
        AtLeast(0, length);
        AtMost(int.MaxValue, length);
        Need(delta, Product(length, writers));
        Need(gradients, Product(length, readers));
        Need(into, writers, readers);
        if (writers == 0 || readers == 0 || length == 0 || !Begins(nameof(ContractEdges))) return;
        ContractEdgesCore(delta, writers, gradients, readers, length, into);
        Ended();
    }

    /// <summary>
    /// Information flow: with prox[u, n] = max(0, |x_n|_1 - |x_n - w_{u,n}|_1) of reader input x and writer output w,
    /// scores[u] += sum over n of rowWeights[n] prox[u, n] / sum over u of prox[u, n]; 0/0 counts 0.
    /// </summary>
    /// <param name="input">[rows, width].</param>
    /// <param name="writerOutputs">[writers or more, rows, width].</param>
    /// <param name="writers">Number of writers that feed the reader.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="width">D.</param>
    /// <param name="rowWeights">[rows].</param>
    /// <param name="into">Where the reader's scores are; added to.</param>
    internal void Proximity(Tensor input, Tensor writerOutputs, int writers, int rows, int width, Tensor rowWeights, in ScoreBlock into)
    {
        AtLeast(0, writers);
        AtLeast(0, rows);
        AtLeast(1, width);
        Need(input, Size(rows, width));
        Need(writerOutputs, Size(writers, rows, width));
        Need(rowWeights, rows);
        Need(into, writers, 1);
        if (writers == 0 || rows == 0 || !Begins(nameof(Proximity))) return;
        ProximityCore(input, writerOutputs, writers, rows, width, rowWeights, into);
        Ended();
    }

    /// <inheritdoc cref="AccumulateReaders" />
    private protected abstract void AccumulateReadersCore(in ReaderPoints points);

    /// <inheritdoc cref="LayerNormBackwardWithReaders" />
    private protected abstract void LayerNormBackwardWithReadersCore(
        Tensor dy,
        Tensor x,
        Tensor gain,
        Tensor mean,
        Tensor rstd,
        in GradientRows rows,
        Tensor residualGradient,
        in ReaderPoints points,
        Tensor? standardized);

    /// <inheritdoc cref="FinishReaders" />
    private protected abstract void FinishReadersCore(
        Tensor gradients, long firstElement, Tensor gain, Tensor offsets, Tensor coefficients, Tensor standardized, in ReaderBlocks blocks,
        Tensor? last);

    /// <inheritdoc cref="ContractEdges" />
    private protected abstract void ContractEdgesCore(
        Tensor delta, int writers, Tensor gradients, int readers, long length, in ScoreBlock into);

    /// <inheritdoc cref="Proximity" />
    private protected abstract void ProximityCore(
        Tensor input, Tensor writerOutputs, int writers, int rows, int width, Tensor rowWeights, in ScoreBlock into);

    // What AccumulateReaders needs.
    private void NeedPoints(in ReaderPoints points, string op)
    {
        (ReaderGroup readers, GradientRows rows, ReaderSums into) = (points.Readers, points.Rows, points.Into);
        AtLeast(1, readers.Readers, op: op);
        AtLeast(1, readers.HeadWidth, op: op);
        AtLeast(1, readers.Width, op: op);
        AtMost(int.MaxValue, Size(readers.Readers, readers.HeadWidth), nameof(readers), op);
        Need(rows, op);
        AtLeast(0, points.FirstPoint, op: op);
        int all = readers.Readers * readers.HeadWidth;
        long sums = Size(rows.BaseRows, all), offsets = Size(readers.Readers, rows.BaseRows);
        long coefficients = Product(offsets, points.FirstPoint + (rows.Rows == 0 ? 0L : rows.Rows / rows.BaseRows));
        Need(points.Dy, Size(rows.Rows, all), op: op);
        Need(points.Y, Size(rows.ActivationRows, all), op: op);
        Need(points.Constant, all, op: op);
        Need(points.GainSums, all, op: op);
        Need(points.Rstd, rows.ActivationRows, op: op);
        Need(into.Sums, sums, op: op);
        Need(into.Offsets, offsets, op: op);
        Need(into.Coefficients, coefficients, op: op);
        ApartFromInputs(points, into.Sums, sums, "points.Into.Sums", op);
        ApartFromInputs(points, into.Offsets, offsets, "points.Into.Offsets", op);
        ApartFromInputs(points, into.Coefficients, coefficients, "points.Into.Coefficients", op);
        Apart(into.Sums, sums, into.Offsets, offsets, op: op);
        Apart(into.Sums, sums, into.Coefficients, coefficients, op: op);
        Apart(into.Offsets, offsets, into.Coefficients, coefficients, op: op);
    }

    private static void ApartFromInputs(in ReaderPoints points, Tensor output, long elements, string name, string op)
    {
        Apart(output, elements, points.Dy, points.Dy.Length, name, op: op);
        Apart(output, elements, points.Y, points.Y.Length, name, op: op);
        Apart(output, elements, points.Constant, points.Constant.Length, name, op: op);
        Apart(output, elements, points.GainSums, points.GainSums.Length, name, op: op);
        Apart(output, elements, points.Rstd, points.Rstd.Length, name, op: op);
    }

    private static void ApartFrom(in ReaderPoints points, Tensor output, long elements, string name, string op)
    {
        ApartFromInputs(points, output, elements, name, op);
        Apart(output, elements, points.Into.Sums, points.Into.Sums.Length, name, op: op);
        Apart(output, elements, points.Into.Offsets, points.Into.Offsets.Length, name, op: op);
        Apart(output, elements, points.Into.Coefficients, points.Into.Coefficients.Length, name, op: op);
    }

    private void Need(in ScoreBlock into, int rows, int columns, [CallerMemberName] string op = "")
    {
        AtLeast(0, into.First, "into.First", op);
        AtLeast(1, into.Stride, "into.Stride", op);
        AtMost(into.Stride, (into.First % into.Stride) + columns, "the last column", op);
        Need(into.Scores, rows == 0 || columns == 0 ? 0 : Sum(into.First, Size(rows - 1, into.Stride) + columns), "into.Scores", op);
    }
}
