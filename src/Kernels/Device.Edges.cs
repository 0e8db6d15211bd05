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
    /// sums[n, c] += rstd dy_c, offsets[c, n] += rstd m1_c, coefficients[p, c, n] = rstd m2_c, for row r = p * baseRows + n.
    /// </summary>
    /// <param name="dy">[rows, readers * headWidth] gradients at the readers' outputs.</param>
    /// <param name="y">[activationRows, readers * headWidth] the outputs, biases included; row r belongs to row r mod activationRows.</param>
    /// <param name="constant">[readers * headWidth]: b + W^T shift.</param>
    /// <param name="gainSums">[readers * headWidth]: W^T gain.</param>
    /// <param name="rstd">[activationRows].</param>
    /// <param name="readers">Number of readers.</param>
    /// <param name="headWidth">Width of one.</param>
    /// <param name="width">D.</param>
    /// <param name="rows">Gradient rows that count: points * baseRows.</param>
    /// <param name="activationRows">Rows of the forward pass.</param>
    /// <param name="baseRows">Rows of one point.</param>
    /// <param name="sums">[baseRows, readers * headWidth], added to.</param>
    /// <param name="offsets">[readers, baseRows], added to.</param>
    /// <param name="coefficients">[points, readers, baseRows], out.</param>
    /// <param name="firstPoint">Point of the coefficients that row 0 belongs to.</param>
    public abstract void AccumulateReaders(
        Tensor dy,
        Tensor y,
        Tensor constant,
        Tensor gainSums,
        Tensor rstd,
        int readers,
        int headWidth,
        int width,
        int rows,
        int activationRows,
        int baseRows,
        Tensor sums,
        Tensor offsets,
        Tensor coefficients,
        int firstPoint);

    /// <summary>g[c, n] = gain g[c, n] - offsets[c, n] - sum over p of coefficients[p, c, n] standardized[p, n].</summary>
    /// <param name="gradients">[readers, rows, width]: in W_c times the sums, out the readers' gradients.</param>
    /// <param name="firstElement">Where the first reader's block starts in them.</param>
    /// <param name="gain">[width].</param>
    /// <param name="offsets">[readers, rows].</param>
    /// <param name="coefficients">[points, readers, rows].</param>
    /// <param name="standardized">[points, rows, width].</param>
    /// <param name="readers">Number of readers.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="width">D.</param>
    /// <param name="points">Number of points.</param>
    public abstract void FinishReaders(
        Tensor gradients,
        long firstElement,
        Tensor gain,
        Tensor offsets,
        Tensor coefficients,
        Tensor standardized,
        int readers,
        int rows,
        int width,
        int points);

    /// <summary>
    /// The edge contraction: scores[u, first + v] += sum over i of delta[u, i] gradients[v, i]. Long sums end in float64 in a fixed order.
    /// </summary>
    /// <param name="delta">[writers or more, length].</param>
    /// <param name="writers">Number of writers that feed the readers.</param>
    /// <param name="gradients">[readers, length].</param>
    /// <param name="readers">Number of readers.</param>
    /// <param name="length">Rows times D.</param>
    /// <param name="scores">[*, stride], float64, added to.</param>
    /// <param name="stride">Columns of the score matrix.</param>
    /// <param name="firstColumn">Column of the first reader.</param>
    public abstract void ContractEdges(Tensor delta, int writers, Tensor gradients, int readers, long length, DeviceArray<double> scores, int stride, int firstColumn);

    /// <summary>
    /// Information flow: with prox[u, n] = max(0, |x_n|_1 - |x_n - w_{u,n}|_1) of reader input x and writer output w,
    /// scores[u, column] += sum over n of rowWeights[n] prox[u, n] / sum over u of prox[u, n]; 0/0 counts 0.
    /// </summary>
    /// <param name="input">[rows, width].</param>
    /// <param name="writerOutputs">[writers or more, rows, width].</param>
    /// <param name="writers">Number of writers that feed the reader.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="width">D.</param>
    /// <param name="rowWeights">[rows].</param>
    /// <param name="scores">[*, stride], float64, added to.</param>
    /// <param name="stride">Columns of the score matrix.</param>
    /// <param name="column">The reader's column.</param>
    public abstract void Proximity(
        Tensor input,
        Tensor writerOutputs,
        int writers,
        int rows,
        int width,
        Tensor rowWeights,
        DeviceArray<double> scores,
        int stride,
        int column);
}
