namespace Gradpath.Kernels.Checks;

/// <summary>The ops of Device.LayerNorm.cs.</summary>
internal static class LayerNormChecks
{
    private const int Rows = 20;
    private const int Width = 140;

    public static IReadOnlyList<OpCheck> All { get; } =
    [
        OpChecks.Check("LayerNorm", "LayerNorm", OpChecks.Rounding, (d, x) =>
        {
            // The centre is far from 0 against the spread: variances by differences of squares would show.
            int rows = x.Extent(Rows), width = x.Extent(Width);
            d.LayerNorm(x.Draw((long)rows * width, 1, 3), x.Draw(width, 0.3, 1), x.Draw(width), 1e-5f, rows, width, x.Out(rows), x.Out(rows), x.Out((long)rows * width));
        }),
        OpChecks.Check("LayerNorm", "LayerNormBackward", OpChecks.Rounding, (d, x) => Backward(d, x, withReader: false)),
        OpChecks.Check("LayerNorm", "LayerNormBackward, with a reader", OpChecks.Rounding, (d, x) => Backward(d, x, withReader: true)),
        OpChecks.Check("LayerNorm", "Standardize", OpChecks.Rounding, (d, x) => Standardize(d, x, chosen: false)),
        OpChecks.Check("LayerNorm", "Standardize, of chosen rows", OpChecks.Rounding, (d, x) => Standardize(d, x, chosen: true)),
    ];

    private static void Backward(Device d, OpOperands x, bool withReader)
    {
        int baseRows = x.Extent(Rows / 2), copies = x.Extent(3, 2), cotangents = x.Extent(2, 1), width = x.Extent(Width);
        int activationRows = baseRows * copies, rows = activationRows * cotangents;
        Tensor? reader = withReader ? x.Draw((long)baseRows * width) : null;
        d.LayerNormBackward(
            x.Draw((long)rows * width), x.Draw((long)activationRows * width), x.Draw(width, 0.3, 1), x.Draw(activationRows, 0.2), x.Draw(activationRows, 0.3, 1.5),
            new GradientRows(rows, activationRows, baseRows), width, x.Draw((long)rows * width), reader, baseRows * (1 + x.Below(copies * cotangents)));
    }

    private static void Standardize(Device d, OpOperands x, bool chosen)
    {
        int all = x.Extent(Rows), rows = chosen ? x.Extent(Rows) : all, width = x.Extent(Width), first = x.Below(4);
        DeviceArray<int>? indices = chosen ? x.Integers([.. Enumerable.Range(0, rows).Select(_ => x.Below(all))]) : null;
        d.Standardize(x.Draw((long)all * width, 2), x.Draw(all), x.Draw(all, 0.3, 1), indices, rows, width, x.Out((long)(first + rows) * width), first);
    }
}
