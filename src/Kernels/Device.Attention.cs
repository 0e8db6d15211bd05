namespace Gradpath.Kernels;

// Attention: causal softmax attention over sequences of different lengths, and its backward pass.
public abstract partial class Device
{
    /// <summary>Per sequence and head: p = softmax(scale q k^T, causal), z = p v. The queries are a sequence's last positions.</summary>
    /// <param name="q">[query rows, heads * headWidth].</param>
    /// <param name="kv">[key rows, 2 heads * headWidth]: all keys of a row, then all values.</param>
    /// <param name="layout">Sequences.</param>
    /// <param name="heads">Number of heads.</param>
    /// <param name="headWidth">Width of a head.</param>
    /// <param name="scale">Factor on the scores.</param>
    /// <param name="probabilities">Out: heads * <see cref="SequenceLayout.ProbabilitiesPerHead"/> values; per sequence [heads, queries, prefix + keys], 0 above the diagonal.</param>
    /// <param name="z">[query rows, heads * headWidth], out.</param>
    /// <param name="prefix">[prefix rows, 2 heads * headWidth]: keys and values of the prefixes; null where the layout has none.</param>
    public abstract void Attention(
        Tensor q, Tensor kv, SequenceLayout layout, int heads, int headWidth, float scale, Tensor probabilities, Tensor z, Tensor? prefix = null);

    /// <summary>
    /// dp = dz v^T, ds = scale p (dp - sum(p dp)), dq = ds k, dk = ds^T q, dv = p^T dz. Several cotangents may share one forward
    /// pass: cotangent c's rows of dz, dq and dkv lie c times the layout's rows further on. A prefix's keys and values get no gradient.
    /// </summary>
    /// <param name="dz">[cotangents * query rows, heads * headWidth].</param>
    /// <param name="q">As in <see cref="Attention"/>.</param>
    /// <param name="kv">As in <see cref="Attention"/>.</param>
    /// <param name="probabilities">From <see cref="Attention"/>.</param>
    /// <param name="layout">Sequences.</param>
    /// <param name="heads">Number of heads.</param>
    /// <param name="headWidth">Width of a head.</param>
    /// <param name="scale">Factor on the scores.</param>
    /// <param name="cotangents">Number of gradients per forward pass.</param>
    /// <param name="dq">[cotangents * query rows, heads * headWidth], out.</param>
    /// <param name="dkv">[cotangents * key rows, 2 heads * headWidth], out.</param>
    /// <param name="prefix">As in <see cref="Attention"/>.</param>
    public abstract void AttentionBackward(
        Tensor dz,
        Tensor q,
        Tensor kv,
        Tensor probabilities,
        SequenceLayout layout,
        int heads,
        int headWidth,
        float scale,
        int cotangents,
        Tensor dq,
        Tensor dkv,
        Tensor? prefix = null);
}
