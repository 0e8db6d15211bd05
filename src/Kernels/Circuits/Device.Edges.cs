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
    /// <param name="dy">[gradient rows, readers * head width] gradients at the readers' outputs.</param>
    /// <param name="y">[activation rows, readers * head width] the outputs, biases included.</param>
    /// <param name="constant">[readers * head width]: b + W^T shift.</param>
    /// <param name="gainSums">[readers * head width]: W^T gain.</param>
    /// <param name="rstd">[activation rows].</param>
    /// <param name="readers">The readers.</param>
    /// <param name="rows">The rows; gradient rows are points * base rows.</param>
    /// <param name="into">Added to; the coefficients are written.</param>
    /// <param name="firstPoint">Point of the coefficients that row 0 belongs to.</param>
    internal void AccumulateReaders(
        Tensor dy,
        Tensor y,
        Tensor constant,
        Tensor gainSums,
        Tensor rstd,
        in ReaderGroup readers,
        in GradientRows rows,
        in ReaderSums into,
        int firstPoint)
    {
        AtLeast(1, readers.Readers);
        AtLeast(1, readers.HeadWidth);
        AtLeast(1, readers.Width);
        AtMost(int.MaxValue, Size(readers.Readers, readers.HeadWidth), nameof(readers));
        Need(rows);
        AtLeast(0, firstPoint);
        int all = readers.Readers * readers.HeadWidth;
        long gradients = Size(rows.Rows, all);
        long outputs = Size(rows.ActivationRows, all);
        long sums = Size(rows.BaseRows, all);
        long offsets = Size(readers.Readers, rows.BaseRows);
        long coefficients = Product(offsets, firstPoint + (rows.Rows == 0 ? 0L : rows.Rows / rows.BaseRows));
        Need(dy, gradients);
        Need(y, outputs);
        Need(constant, all);
        Need(gainSums, all);
        Need(rstd, rows.ActivationRows);
        Need(into.Sums, sums);
        Need(into.Offsets, offsets);
        Need(into.Coefficients, coefficients);
        Alone(into.Sums, sums);
        Alone(into.Offsets, offsets);
        Alone(into.Coefficients, coefficients);
        Apart(into.Sums, sums, into.Offsets, offsets);
        Apart(into.Sums, sums, into.Coefficients, coefficients);
        Apart(into.Offsets, offsets, into.Coefficients, coefficients);
        if (rows.Rows == 0 || !Begins(nameof(AccumulateReaders))) return;
        AccumulateReadersCore(dy, y, constant, gainSums, rstd, readers, rows, into, firstPoint);
        Ended();

        void Alone(Tensor output, long elements, [CallerArgumentExpression(nameof(output))] string name = "")
        {
            Apart(output, elements, dy, gradients, name, op: nameof(AccumulateReaders));
            Apart(output, elements, y, outputs, name, op: nameof(AccumulateReaders));
            Apart(output, elements, constant, all, name, op: nameof(AccumulateReaders));
            Apart(output, elements, gainSums, all, name, op: nameof(AccumulateReaders));
            Apart(output, elements, rstd, rstd.Length, name, op: nameof(AccumulateReaders));
        }
    }

    /// <summary>g[c, n] = gain g[c, n] - offsets[c, n] - sum over p of coefficients[p, c, n] standardized[p, n].</summary>
    /// <param name="gradients">
    /// [readers, rows, width]: in W_c times the sums, out the readers' gradients. Must not overlap another operand.
    /// </param>
    /// <param name="firstElement">Where the first reader's block starts in them.</param>
    /// <param name="gain">[width].</param>
    /// <param name="offsets">[readers, rows].</param>
    /// <param name="coefficients">[points, readers, rows].</param>
    /// <param name="standardized">[points, rows, width].</param>
    /// <param name="blocks">The extents.</param>
    internal void FinishReaders(
        Tensor gradients, long firstElement, Tensor gain, Tensor offsets, Tensor coefficients, Tensor standardized, in ReaderBlocks blocks)
    {
        AtLeast(0, firstElement);
        AtLeast(0, blocks.Readers);
        AtLeast(0, blocks.Rows);
        AtLeast(1, blocks.Width);
        AtLeast(0, blocks.Points);
        long end = Sum(firstElement, Size(blocks.Readers, blocks.Rows, blocks.Width));
        long cells = Size(blocks.Readers, blocks.Rows);
        long factors = Product(cells, blocks.Points);
        long rows = Size(blocks.Points, blocks.Rows, blocks.Width);
        Need(gradients, end);
        Need(gain, blocks.Width);
        Need(offsets, cells);
        Need(coefficients, factors);
        Need(standardized, rows);
        Apart(gradients, end, gain, blocks.Width);
        Apart(gradients, end, offsets, cells);
        Apart(gradients, end, coefficients, factors);
        Apart(gradients, end, standardized, rows);
        if (cells == 0 || !Begins(nameof(FinishReaders))) return;
        FinishReadersCore(gradients, firstElement, gain, offsets, coefficients, standardized, blocks);
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
    private protected abstract void AccumulateReadersCore(
        Tensor dy,
        Tensor y,
        Tensor constant,
        Tensor gainSums,
        Tensor rstd,
        in ReaderGroup readers,
        in GradientRows rows,
        in ReaderSums into,
        int firstPoint);

    /// <inheritdoc cref="FinishReaders" />
    private protected abstract void FinishReadersCore(
        Tensor gradients, long firstElement, Tensor gain, Tensor offsets, Tensor coefficients, Tensor standardized, in ReaderBlocks blocks);

    /// <inheritdoc cref="ContractEdges" />
    private protected abstract void ContractEdgesCore(
        Tensor delta, int writers, Tensor gradients, int readers, long length, in ScoreBlock into);

    /// <inheritdoc cref="Proximity" />
    private protected abstract void ProximityCore(
        Tensor input, Tensor writerOutputs, int writers, int rows, int width, Tensor rowWeights, in ScoreBlock into);

    private void Need(in ScoreBlock into, int rows, int columns, [CallerMemberName] string op = "")
    {
        AtLeast(0, into.First, "into.First", op);
        AtLeast(1, into.Stride, "into.Stride", op);
        AtMost(into.Stride, (into.First % into.Stride) + columns, "the last column", op);
        Need(into.Scores, rows == 0 || columns == 0 ? 0 : Sum(into.First, Size(rows - 1, into.Stride) + columns), "into.Scores", op);
    }
}
