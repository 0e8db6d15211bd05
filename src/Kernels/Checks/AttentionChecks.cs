namespace Gradpath.Kernels.Checks;

/// <summary>The ops of Device.Attention.cs.</summary>
internal static class AttentionChecks
{
    public static IReadOnlyList<OpCheck> All { get; } =
    [
        Check("Attention", (d, x) => Forward(d, x, lastQueryOnly: false)),
        Check("Attention, last query only", (d, x) => Forward(d, x, lastQueryOnly: true)),
        Check("AttentionBackward", (d, x) => Backward(d, x, lastQueryOnly: false)),
        Check("AttentionBackward, last query only", (d, x) => Backward(d, x, lastQueryOnly: true)),
    ];

    private static OpCheck Check(string op, Action<Device, OpOperands> work) => OpChecks.Check("Attention", op, 2 * OpChecks.Rounding, work);

    private static Case Forward(Device d, OpOperands x, bool lastQueryOnly)
    {
        SequenceLayout layout = x.Layout(x.Extent(3, 2), 33, x.Extent(2, 2), lastQueryOnly);
        int heads = x.Extent(4, 2), headWidth = x.Extent(33, 3);
        long wide = (long)heads * headWidth;
        Case made = new(
            layout, heads, headWidth, 1 / MathF.Sqrt(headWidth),
            x.Draw(layout.QueryRows * wide, 2), x.Draw(layout.KeyRows * 2 * wide, 2), x.Out(heads * layout.ProbabilitiesPerHead));
        d.Attention(made.Q, made.Kv, layout, heads, headWidth, made.Scale, made.Probabilities, x.Out(layout.QueryRows * wide));
        return made;
    }

    private static void Backward(Device d, OpOperands x, bool lastQueryOnly)
    {
        Case c = Forward(d, x, lastQueryOnly);
        int cotangents = x.Extent(3, 1);
        long wide = (long)c.Heads * c.HeadWidth, queries = cotangents * (long)c.Layout.QueryRows, keys = cotangents * (long)c.Layout.KeyRows;
        d.AttentionBackward(
            x.Draw(queries * wide), c.Q, c.Kv, c.Probabilities, c.Layout, c.Heads, c.HeadWidth, c.Scale, cotangents, x.Out(queries * wide), x.Out(keys * 2 * wide));
    }

    private sealed record Case(SequenceLayout Layout, int Heads, int HeadWidth, float Scale, Tensor Q, Tensor Kv, Tensor Probabilities);
}
