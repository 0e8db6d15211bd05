using Gradpath.Kernels.Circuits;

namespace Gradpath.Kernels.Checks;

/// <summary>The ops of Device.Edges.cs.</summary>
internal static class EdgeChecks
{
    public static IReadOnlyList<OpCheck> All { get; } =
    [
        OpChecks.Check("Edges", "AccumulateReaders", OpChecks.Rounding, Accumulate),
        OpChecks.Check("Edges", "FinishReaders", OpChecks.Rounding, (d, x) =>
        {
            int readers = x.Extent(6, 2), rows = x.Extent(17), width = x.Extent(70), points = x.Extent(5, 2), first = x.Below(9);
            long block = (long)rows * width;
            d.FinishReaders(
                x.Draw(first + (readers * block)), first, x.Draw(width, 0.3, 1), x.Draw(readers * rows), x.Draw((long)points * readers * rows), x.Draw(points * block),
                new ReaderBlocks(readers, rows, width, points));
        }),
        OpChecks.Check("Edges", "ContractEdges", OpChecks.Rounding, (d, x) => Contract(d, x, x.Extent(14, 4), x.Extent(14, 3), x.Extent(1500, 4))),
        OpChecks.Check("Edges", "ContractEdges, long", OpChecks.Rounding, (d, x) => Contract(d, x, x.Extent(3, 3), x.Extent(3, 3), x.Extent(9000, 12))),
        OpChecks.Check("Edges", "Proximity", 2 * OpChecks.Rounding, (d, x) =>
        {
            int writers = x.Extent(9, 2), rows = x.Extent(20), width = x.Extent(100), stride = 1 + x.Below(5);
            d.Proximity(
                x.Draw((long)rows * width, 2), x.Draw((long)writers * rows * width), writers, rows, width, x.Draw(rows, 0.5, 1),
                new ScoreBlock(x.DrawDoubles(writers * stride), stride, x.Below(stride)));
        }),
    ];

    private static void Accumulate(Device d, OpOperands x)
    {
        int readers = x.Extent(5, 2), headWidth = x.Extent(33, 3), width = x.Extent(130), baseRows = x.Extent(12), points = x.Extent(4, 2), first = x.Below(3);
        int all = readers * headWidth, rows = points * baseRows;

        // The gradient's rows may be fewer than the forward pass's (the last copy counts for nothing) or several times as many.
        int activationRows = x.Coin() ? rows + baseRows : points % 2 == 0 ? rows / 2 : rows;
        d.AccumulateReaders(
            x.Draw((long)rows * all), x.Draw((long)activationRows * all), x.Draw(all), x.Draw(all), x.Draw(activationRows, 0.3, 1),
            new ReaderGroup(readers, headWidth, width), new GradientRows(rows, activationRows, baseRows),
            new ReaderSums(x.Draw((long)baseRows * all), x.Draw(readers * baseRows), x.Out((long)(first + points) * readers * baseRows)), first);
    }

    private static void Contract(Device d, OpOperands x, int writers, int readers, int length)
    {
        int first = x.Below(5), stride = first + readers + x.Below(5);
        d.ContractEdges(
            x.Draw((long)(writers + x.Below(2)) * length), writers, x.Draw((long)readers * length), readers, length, new ScoreBlock(x.DrawDoubles(writers * stride), stride, first));
    }
}
