using System.Runtime.CompilerServices;

namespace Gradpath.Kernels;

// Attention: causal softmax attention over sequences of different lengths, and its backward pass.
public abstract partial class Device
{
    /// <summary>
    /// Per sequence and head: p = softmax(scale q k^T, causal), z = p v. The queries are a sequence's last positions. No result may overlap
    /// another operand.
    /// </summary>
    /// <param name="q">[query rows, heads * head width].</param>
    /// <param name="kv">[key rows, 2 heads * head width]: all keys of a row, then all values.</param>
    /// <param name="layout">Sequences.</param>
    /// <param name="heads">The heads.</param>
    /// <param name="probabilities">
    /// Out: heads * <see cref="SequenceLayout.ProbabilitiesPerHead"/> values; per sequence [heads, queries, prefix + keys], 0 above the
    /// diagonal.
    /// </param>
    /// <param name="z">[query rows, heads * head width], out.</param>
    /// <param name="prefix">[prefix rows, 2 heads * head width]: keys and values of the prefixes; null where the layout has none.</param>
    internal void Attention(
        Tensor q, Tensor kv, SequenceLayout layout, in HeadGroup heads, Tensor probabilities, Tensor z, Tensor? prefix = null)
    {
        Need(layout);
        int width = NeedHeads(heads);
        long queries = RowSpan(layout.QueryRows, heads.QueryStride, width), mixed = Size(layout.QueryRows, width);
        long keys = RowSpan(layout.KeyRows, heads.KeyStride, 2L * width);
        long pairs = Product(layout.ProbabilitiesPerHead, heads.Heads);
        Need(q, queries);
        Need(kv, keys);
        Need(probabilities, pairs);
        Need(z, mixed);
        Apart(z, mixed, q, queries);
        Apart(z, mixed, kv, keys);
        Apart(z, mixed, probabilities, pairs);
        Apart(probabilities, pairs, q, queries);
        Apart(probabilities, pairs, kv, keys);
        NeedPrefix(prefix, layout, width);
        if (prefix is not null)
        {
            Apart(z, mixed, prefix, prefix.Length);
            Apart(probabilities, pairs, prefix, prefix.Length);
        }
        if (!Begins(nameof(Attention))) return;
        AttentionCore(q, kv, layout, heads, probabilities, z, prefix);
        Ended();
    }

    /// <summary>
    /// dp = dz v^T, ds = scale p (dp - sum(p dp)), dq = ds k, dk = ds^T q, dv = p^T dz. Several cotangents may share one forward
    /// pass: cotangent c's rows of dz, dq and dkv lie c times the layout's rows further on. A prefix's keys and values get no gradient.
    /// No result may overlap another operand.
    /// </summary>
    /// <param name="dz">[cotangents * query rows, heads * head width].</param>
    /// <param name="q">As in <see cref="Attention"/>.</param>
    /// <param name="kv">As in <see cref="Attention"/>.</param>
    /// <param name="probabilities">From <see cref="Attention"/>.</param>
    /// <param name="layout">Sequences.</param>
    /// <param name="heads">The heads.</param>
    /// <param name="cotangents">Number of gradients per forward pass.</param>
    /// <param name="dq">[cotangents * query rows, heads * head width], out.</param>
    /// <param name="dkv">[cotangents * key rows, 2 heads * head width], out.</param>
    /// <param name="prefix">As in <see cref="Attention"/>.</param>
    internal void AttentionBackward(
        Tensor dz,
        Tensor q,
        Tensor kv,
        Tensor probabilities,
        SequenceLayout layout,
        in HeadGroup heads,
        int cotangents,
        Tensor dq,
        Tensor dkv,
        Tensor? prefix = null)
    {
        Need(layout);
        int width = NeedHeads(heads);
        AtLeast(0, cotangents);
        long queries = RowSpan(layout.QueryRows, heads.QueryStride, width);
        long keys = RowSpan(layout.KeyRows, heads.KeyStride, 2L * width);
        long pairs = Product(layout.ProbabilitiesPerHead, heads.Heads);
        long mixed = Size(cotangents, layout.QueryRows, width);
        long queryGradientRows = Size(cotangents, layout.QueryRows), keyGradientRows = Size(cotangents, layout.KeyRows);
        long queryGradients = RowSpan(queryGradientRows, heads.QueryStride, width);
        long keyGradients = RowSpan(keyGradientRows, heads.KeyStride, 2L * width);
        Need(dz, mixed);
        Need(q, queries);
        Need(kv, keys);
        Need(probabilities, pairs);
        Need(dq, queryGradients);
        Need(dkv, keyGradients);
        Apart(dq, queryGradients, dz, mixed);
        Apart(dq, queryGradients, q, queries);
        Apart(dq, queryGradients, kv, keys);
        Apart(dq, queryGradients, probabilities, pairs);
        if (!heads.Joined || !SideBySide(dq, dkv, width)) Apart(dq, queryGradients, dkv, keyGradients);
        Apart(dkv, keyGradients, dz, mixed);
        Apart(dkv, keyGradients, q, queries);
        Apart(dkv, keyGradients, kv, keys);
        Apart(dkv, keyGradients, probabilities, pairs);
        NeedPrefix(prefix, layout, width);
        if (prefix is not null)
        {
            Apart(dq, queryGradients, prefix, prefix.Length);
            Apart(dkv, keyGradients, prefix, prefix.Length);
        }
        if (!Begins(nameof(AttentionBackward))) return;
        AttentionBackwardCore(dz, q, kv, probabilities, layout, heads, cotangents, dq, dkv, prefix);
        Ended();
    }

    /// <inheritdoc cref="Attention" />
    private protected abstract void AttentionCore(
        Tensor q, Tensor kv, SequenceLayout layout, in HeadGroup heads, Tensor probabilities, Tensor z, Tensor? prefix);

    /// <inheritdoc cref="AttentionBackward" />
    private protected abstract void AttentionBackwardCore(
        Tensor dz,
        Tensor q,
        Tensor kv,
        Tensor probabilities,
        SequenceLayout layout,
        in HeadGroup heads,
        int cotangents,
        Tensor dq,
        Tensor dkv,
        Tensor? prefix);

    /// <summary>The widest head that the device takes.</summary>
    private protected virtual int WidestHead => int.MaxValue;

    // The width of all heads.
    private int NeedHeads(in HeadGroup heads, [CallerMemberName] string op = "")
    {
        AtLeast(1, heads.Heads, nameof(heads.Heads), op);
        AtLeast(1, heads.HeadWidth, nameof(heads.HeadWidth), op);
        AtMost(WidestHead, heads.HeadWidth, nameof(heads.HeadWidth), op);
        AtMost(int.MaxValue, Size(heads.Heads, heads.HeadWidth), nameof(heads.Width), op);
        return heads.Width;
    }

    // Elements from the first row to the last, those between the rows included.
    private static long RowSpan(long rows, int stride, long width) => rows == 0 ? 0 : Product(rows - 1, stride) is var before
        && before > long.MaxValue - width ? long.MaxValue : before + width;

    // Whether the second operand starts where a row of the first ends, so that rows of both fill the distance between them.
    private static bool SideBySide(Tensor first, Tensor second, int width) =>
        second.Address == first.Address + ((nint)width * sizeof(float));

    private void NeedPrefix(Tensor? prefix, SequenceLayout layout, int width, [CallerMemberName] string op = "")
    {
        if (layout.PrefixRows > 0 && prefix is null) OpErrors.Missing(op, nameof(prefix));
        if (prefix is not null) Need(prefix, Size(2, layout.PrefixRows, width), nameof(prefix), op);
    }
}
