namespace Gradpath.Kernels.Checks;

/// <summary>The ops of Device.Attention.cs.</summary>
internal static class AttentionChecks
{
    public static IReadOnlyList<OpCheck> All { get; } =
    [
        Check("Attention", (d, x) => Forward(d, x, Form.Whole)),
        Check("Attention, last query only", (d, x) => Forward(d, x, Form.LastQueryOnly)),
        Check("Attention, behind prefixes", (d, x) => Forward(d, x, Form.BehindPrefixes)),
        Check("AttentionBackward", (d, x) => Backward(d, x, Form.Whole)),
        Check("AttentionBackward, last query only", (d, x) => Backward(d, x, Form.LastQueryOnly)),
        Check("AttentionBackward, behind prefixes", (d, x) => Backward(d, x, Form.BehindPrefixes)),
    ];

    private enum Form
    {
        Whole,
        LastQueryOnly,
        BehindPrefixes,
    }

    private static OpCheck Check(string op, Action<Device, OpOperands> work) => OpChecks.Check("Attention", op, 2 * OpChecks.Rounding, work);

    private static Case Forward(Device d, OpOperands x, Form form)
    {
        bool lastQueryOnly = form == Form.LastQueryOnly || (form == Form.BehindPrefixes && x.Coin());
        SequenceLayout layout = x.Layout(x.Extent(3, 2), 33, x.Extent(2, 2), lastQueryOnly, form == Form.BehindPrefixes);
        int heads = x.Extent(4, 2), headWidth = x.Extent(33, 3);
        long wide = (long)heads * headWidth;
        Case made = new(
            layout, new HeadGroup(heads, headWidth, 1 / MathF.Sqrt(headWidth)),
            x.Draw(layout.QueryRows * wide, 2), x.Draw(layout.KeyRows * 2 * wide, 2), x.Out(heads * layout.ProbabilitiesPerHead),
            layout.PrefixRows == 0 ? null : x.Draw(layout.PrefixRows * 2 * wide, 2));
        d.Attention(made.Q, made.Kv, layout, made.Heads, made.Probabilities, x.Out(layout.QueryRows * wide), made.Prefix);
        return made;
    }

    private static void Backward(Device d, OpOperands x, Form form)
    {
        Case c = Forward(d, x, form);
        int cotangents = x.Extent(3, 1);
        long wide = c.Heads.Width, queries = cotangents * (long)c.Layout.QueryRows, keys = cotangents * (long)c.Layout.KeyRows;
        d.AttentionBackward(
            x.Draw(queries * wide), c.Q, c.Kv, c.Probabilities, c.Layout, c.Heads, cotangents,
            x.Out(queries * wide), x.Out(keys * 2 * wide), c.Prefix);
    }

    private sealed record Case(SequenceLayout Layout, HeadGroup Heads, Tensor Q, Tensor Kv, Tensor Probabilities, Tensor? Prefix);
}
