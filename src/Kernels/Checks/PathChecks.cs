namespace Gradpath.Kernels.Checks;

/// <summary>The ops of Device.Path.cs.</summary>
internal static class PathChecks
{
    public static IReadOnlyList<OpCheck> All { get; } =
    [
        OpChecks.Check("Path", "SequenceDots", OpChecks.Rounding, (d, x) => Dots(d, x, norms: false)),
        OpChecks.Check("Path", "SequenceDots, squared norms", OpChecks.Rounding, (d, x) => Dots(d, x, norms: true)),
        OpChecks.Check("Path", "PathStep", OpChecks.Rounding, (d, x) => Step(d, x, wholeBatch: false)),
        OpChecks.Check("Path", "PathStep, one norm for the batch", OpChecks.Rounding, (d, x) => Step(d, x, wholeBatch: true)),
        OpChecks.Check("Path", "PathStep, no gradient", 0, (d, x) =>
        {
            SequenceLayout layout = x.Layout(1, 9);
            int width = x.Extent(130);
            long n = (long)layout.KeyRows * width;
            d.PathStep(x.Draw(n), x.Draw(n, 1e-14), x.Doubles(1e-25), x.Doubles(1), false, layout, width);
        }),
    ];

    private static void Dots(Device d, OpOperands x, bool norms)
    {
        SequenceLayout layout = x.Layout(x.Extent(6), 20);
        int width = x.Extent(130);
        long n = (long)layout.KeyRows * width;
        Tensor first = x.Draw(n);
        d.SequenceDots(first, norms ? first : x.Draw(n), layout, width, x.OutDoubles(layout.Sequences));
    }

    private static void Step(Device d, OpOperands x, bool wholeBatch)
    {
        SequenceLayout layout = x.Layout(x.Extent(6), 20);
        int width = x.Extent(130);
        long n = (long)layout.KeyRows * width;
        d.PathStep(x.Draw(n), x.Draw(n), x.DrawDoubles(layout.Sequences, 1, 2), x.DrawDoubles(layout.Sequences, 0.5, 1), wholeBatch, layout, width);
    }
}
