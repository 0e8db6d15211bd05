using System.Linq.Expressions;
using Gradpath.Kernels;
using Gradpath.Kernels.Circuits;
using Gradpath.Kernels.Cuda;

namespace Gradpath.Diagnostics.Ops.Families;

/// <summary>The ops of Device.Edges.cs.</summary>
internal static class EdgeOps
{
    private const int ReadersWide = Timed.Readers * Timed.HeadWidth;
    private const double ReaderRows =
        (double)Timed.AllRows * ReadersWide, ReaderGradients = (double)Timed.Readers * Timed.Rows * Timed.Width;

    // Counted: rows of a point, of four points.
    private const int BaseRows = Counted.Rows / 4, Points = 4;
    private const int NearWriters = 9, NearRows = 6;

    public static IReadOnlyList<OpRow> All { get; } =
    [
        new("Edges", "AccumulateReaders")
        {
            Cases = [new("", OpCase.Rounding, Accumulate)],
            Works = [new(
                $"{Timed.AllRows} rows, {Timed.Readers} readers of {Timed.HeadWidth}", 6 * ReaderRows,
                Timed.Float * ((2 * ReaderRows) + (2.0 * Timed.Rows * ReadersWide)), x =>
                {
                    Tensor dy = x.Tensor(Timed.AllRows, ReadersWide);
                    Tensor y = x.Tensor(Timed.AllRows, ReadersWide);
                    Tensor constant = x.Tensor(ReadersWide);
                    Tensor gainSums = x.Tensor(ReadersWide);
                    Tensor rstd = x.Tensor(Timed.AllRows);
                    ReaderGroup readers = new(Timed.Readers, Timed.HeadWidth, Timed.Width);
                    GradientRows rows = new(Timed.AllRows, Timed.AllRows, Timed.Rows);
                    ReaderSums into = new(
                        x.Tensor(Timed.Rows, ReadersWide),
                        x.Tensor(Timed.Readers, Timed.Rows),
                        x.Tensor(Timed.Points, Timed.Readers, Timed.Rows));
                    ReaderPoints points = new(dy, y, constant, gainSums, rstd, readers, rows, into, 0);
                    return () => x.Device.AccumulateReaders(points);
                })],
            Kernels = [new(
                "accumulateReaders", "24 rows of 4 points, 12 readers of 64", ((2 * Counted.Rows) + (2 * BaseRows)) * Counted.RowBytes,
                x => x.Device.AccumulateReaders(CountedPoints(x))) { MostTraffic = 1.4 }],
            Writes = ["points.Into.Sums", "points.Into.Offsets", "points.Into.Coefficients"],
        },
        new("Edges", "LayerNormBackwardWithReaders")
        {
            Cases =
            [
                new("", OpCase.Rounding, x => BackwardWithReaders(x, keeps: false)),
                new("keeping rows", OpCase.Rounding, x => BackwardWithReaders(x, keeps: true)),
            ],
            Works = [new(
                $"{Timed.AllRowsShape}, {Timed.Readers} readers of {Timed.HeadWidth}", (11 * Timed.AllElements) + (6 * ReaderRows),
                Timed.Float * ((5 * Timed.AllElements) + (2 * ReaderRows) + (2.0 * Timed.Rows * ReadersWide)), x =>
                {
                    Tensor dy = x.Tensor(Timed.AllRows, Timed.Width), values = x.Tensor(Timed.AllRows, Timed.Width);
                    Tensor gain = x.Tensor(Timed.Width), mean = x.Tensor(Timed.AllRows), rstd = x.Tensor(Timed.AllRows);
                    Tensor residual = x.Tensor(Timed.AllRows, Timed.Width), kept = x.Tensor(Timed.AllRows, Timed.Width);
                    GradientRows rows = new(Timed.AllRows, Timed.AllRows, Timed.Rows);
                    ReaderPoints points = new(
                        x.Tensor(Timed.AllRows, ReadersWide),
                        x.Tensor(Timed.AllRows, ReadersWide),
                        x.Tensor(ReadersWide),
                        x.Tensor(ReadersWide),
                        rstd,
                        new ReaderGroup(Timed.Readers, Timed.HeadWidth, Timed.Width),
                        rows,
                        new ReaderSums(
                            x.Tensor(Timed.Rows, ReadersWide),
                            x.Tensor(Timed.Readers, Timed.Rows),
                            x.Tensor(Timed.Points, Timed.Readers, Timed.Rows)),
                        0);
                    return () => x.Device.LayerNormBackwardWithReaders(dy, values, gain, mean, rstd, rows, residual, points, kept);
                })],
            Kernels = [new(
                "layerNormBackwardWithReaders", "24 x 768 of 4 points, 12 readers of 64",
                ((7 * Counted.Rows) + (2 * BaseRows)) * Counted.RowBytes,
                x =>
                {
                    ReaderPoints points = CountedPoints(x);
                    x.Device.LayerNormBackwardWithReaders(
                        x.Rows(Counted.Rows), x.Rows(Counted.Rows), x.Rows(1), x.Floats(Counted.Rows), points.Rstd, points.Rows,
                        x.Rows(Counted.Rows), points, x.Rows(Counted.Rows));
                }) { MostTraffic = 1.4 }],
            Writes = ["residualGradient", "standardized", "points.Into.Sums", "points.Into.Offsets", "points.Into.Coefficients"],
        },
        new("Edges", "FinishReaders")
        {
            Cases =
            [
                new("", OpCase.Rounding, x => Finish(x, withLast: false)),
                new("with a last block", OpCase.Rounding, x => Finish(x, withLast: true)),
                new("three layers", OpCase.Rounding, x => Finish(x, withLast: true, layers: 3)),
            ],
            Works = [new(
                $"{Timed.Readers} readers, {Timed.Rows} x {Timed.Width}, {Timed.Points} points", ReaderGradients * (2 + (2 * Timed.Points)),
                Timed.Float * ((2 * ReaderGradients) + (Timed.Points * Timed.Rows * Timed.Width)), x =>
                {
                    Tensor g = x.Tensor(Timed.Readers, Timed.Rows, Timed.Width);
                    Tensor gain = x.Tensor(Timed.Width);
                    Tensor offsets = x.Tensor(Timed.Readers, Timed.Rows);
                    Tensor coefficients = x.Tensor(Timed.Points, Timed.Readers, Timed.Rows);
                    Tensor standardized = x.Tensor(Timed.Points, Timed.Rows, Timed.Width);
                    ReaderBlocks blocks = new(Timed.Readers, Timed.Rows, Timed.Width, Timed.Points);
                    return () => x.Device.FinishReaders(g, 0, gain, offsets, coefficients, standardized, blocks);
                })],
            Kernels = [new("finishReaders", "8 readers, 4 x 768, 5 points", ((2 * 8) + 5) * 4 * Counted.RowBytes, x =>
                x.Device.FinishReaders(
                    x.Rows(8 * 4), 0, x.Rows(1), x.Floats(8 * 4), x.Floats(5 * 8 * 4), x.Rows(5 * 4),
                    new ReaderBlocks(8, 4, Counted.Width, 5))) { MostTraffic = 1.5 }],
            Writes = ["gradients"],
        },
        new("Edges", "ContractEdges")
        {
            Cases =
            [
                new("", OpCase.Rounding, x => Contract(x, x.Extent(14, 4), x.Extent(14, 3), x.Extent(1500, 4))),
                new("long", OpCase.Rounding, x => Contract(x, x.Extent(3, 3), x.Extent(3, 3), x.Extent(9000, 12))),
            ],

            // The readers of layer 11 of GPT-2 small and of layer 47 of XL; 64 rows are 16 pairs that differ in the last 4 tokens.
            Works = [Contraction("small", 144, 36, 160 * 768), Contraction("XL", 1223, 75, 64 * 1600)],
            Kernels = [.. Contractions()],
        },
        new("Edges", "Proximity")
        {
            Cases = [new("", 2 * OpCase.Rounding, x =>
            {
                int writers = x.Extent(9, 2), rows = x.Extent(20), width = x.Extent(100), stride = 1 + x.Below(5), column = x.Below(stride);
                Tensor input = x.Draw((long)rows * width, 2);
                Tensor outputs = x.Draw((long)writers * rows * width);
                Tensor weights = x.Draw(rows, 0.5, 1);
                DeviceArray<double> scores = x.DrawDoubles((writers * stride) - x.Excess(stride - column - 1));
                return d => d.Proximity(input, outputs, writers, rows, width, weights, new ScoreBlock(scores, stride, column));
            })],
            Works = [new(
                $"{Timed.Writers} writers, {Timed.Rows} x {Timed.Width}", 4.0 * Timed.Writers * Timed.Rows * Timed.Width,
                Timed.Float * (Timed.Writers + 1.0) * Timed.Rows * Timed.Width, x =>
                {
                    Tensor input = x.Tensor(Timed.Rows, Timed.Width);
                    Tensor outputs = x.Tensor(Timed.Writers, Timed.Rows, Timed.Width);
                    Tensor weights = x.Tensor(Timed.Rows);
                    ScoreBlock into = new(x.Doubles(Timed.Writers), 1, 0);
                    return () => x.Device.Proximity(input, outputs, Timed.Writers, Timed.Rows, Timed.Width, weights, into);
                })],
            Kernels =
            [
                new(
                    "proximityShares",
                    "9 writers, 6 x 768",
                    ((1 + NearWriters) * NearRows * Counted.RowBytes) + (NearWriters * NearRows * Counted.Double),
                    Near) { MostTraffic = 2.65 },
                new(
                    "sumShares",
                    "9 writers, 6 rows",
                    (NearWriters * NearRows * Counted.Double) + (2 * NearWriters * Counted.Double),
                    Near) { MostTraffic = 2.0 },
            ],
        },
    ];

    private static Expression<Action<Device>> Accumulate(OpOperands x)
    {
        int readers = x.Extent(5, 2);
        int headWidth = x.Extent(33, 3);
        int width = x.Extent(130);
        int baseRows = x.Extent(12);
        int points = x.Extent(4, 2);
        int first = x.Below(3);
        int all = readers * headWidth, rows = points * baseRows;

        // The gradient's rows may be fewer than the forward pass's (the last copy counts for nothing) or several times as many.
        int activationRows = x.Coin() ? rows + baseRows : points % 2 == 0 ? rows / 2 : rows;
        Tensor dy = x.Draw((long)rows * all);
        Tensor y = x.Draw((long)activationRows * all);
        Tensor constant = x.Draw(all);
        Tensor gainSums = x.Draw(all);
        Tensor rstd = x.Draw(activationRows, 0.3, 1);
        ReaderSums into = new(x.Draw((long)baseRows * all), x.Draw(readers * baseRows), x.Out((long)(first + points) * readers * baseRows));
        ReaderPoints given = new(
            dy, y, constant, gainSums, rstd, new ReaderGroup(readers, headWidth, width), new GradientRows(rows, activationRows, baseRows),
            into, first);
        return d => d.AccumulateReaders(given);
    }

    // The gradient has two cotangents, of which the first one's rows count for the readers, some or all of them.
    private static Expression<Action<Device>> BackwardWithReaders(OpOperands x, bool keeps)
    {
        int readers = x.Extent(5, 2), headWidth = x.Extent(33, 3), width = x.Extent(130), baseRows = x.Extent(12);
        int copies = x.Extent(3, 2), first = x.Below(3), counted = 1 + x.Below(copies);
        int all = readers * headWidth, activationRows = copies * baseRows, rows = 2 * activationRows;
        GradientRows own = new(rows, activationRows, baseRows);
        Tensor dy = x.Draw((long)rows * width), values = x.Draw((long)activationRows * width), gain = x.Draw(width, 0.3, 1);
        Tensor mean = x.Draw(activationRows, 0.2), rstd = x.Draw(activationRows, 0.3, 1), residual = x.Draw((long)rows * width);
        ReaderPoints given = new(
            x.Draw((long)counted * baseRows * all), x.Draw((long)activationRows * all), x.Draw(all), x.Draw(all),
            x.Draw(activationRows, 0.3, 1),
            new ReaderGroup(readers, headWidth, width), new GradientRows(counted * baseRows, activationRows, baseRows),
            new ReaderSums(
                x.Draw((long)baseRows * all), x.Draw(readers * baseRows), x.Out((long)(first + counted) * readers * baseRows)),
            first);
        Tensor? kept = keeps ? x.Out((long)(first + counted) * baseRows * width) : null;
        return d => d.LayerNormBackwardWithReaders(dy, values, gain, mean, rstd, own, residual, given, kept);
    }

    private static ReaderPoints CountedPoints(KernelOperands x) => new(
        x.Rows(Counted.Rows),
        x.Rows(Counted.Rows),
        x.Rows(1),
        x.Rows(1),
        x.Positive(Counted.Rows),
        new ReaderGroup(Counted.Heads, Counted.HeadWidth, Counted.Width),
        new GradientRows(Counted.Rows, Counted.Rows, BaseRows),
        new ReaderSums(x.Rows(Counted.Rows), x.Floats(Counted.Heads * Counted.Rows), x.Floats(Points * Counted.Heads * Counted.Rows)),
        0);

    private static Expression<Action<Device>> Finish(OpOperands x, bool withLast, int layers = 1)
    {
        int readers = x.Extent(6, 2), rows = x.Extent(17), width = x.Extent(70), points = x.Extent(5, 2), first = x.Below(9);
        long block = (long)rows * width;
        long sums = x.Below(9) + Math.Max(block, (long)points * readers * rows), normalised = (points * block) + x.Below(9);
        long sumsBefore = (layers - 1) * sums;
        Tensor? last = withLast ? x.Draw(sumsBefore + block) : null;
        Tensor gradients = x.Draw(first + (layers * (readers + (withLast ? 1 : 0)) * block)), gain = x.Draw(layers * width, 0.3, 1);
        Tensor offsets = x.Draw(sumsBefore + (readers * rows));
        Tensor coefficients = x.Draw(sumsBefore + ((long)points * readers * rows));
        Tensor standardized = x.Draw(((layers - 1) * normalised) + (points * block));
        ReaderBlocks blocks = new(readers, rows, width, points, layers, sums, normalised);
        return d => d.FinishReaders(
            gradients, first, gain, offsets, coefficients, standardized, blocks, last);
    }

    private static Expression<Action<Device>> Contract(OpOperands x, int writers, int readers, int length)
    {
        int first = x.Below(5), stride = first + readers + x.Below(5);
        Tensor delta = x.Draw((long)(writers + x.Spare(2)) * length), gradients = x.Draw((long)readers * length);
        DeviceArray<double> scores = x.DrawDoubles((writers * stride) - x.Excess(stride - first - readers));
        return d => d.ContractEdges(delta, writers, gradients, readers, length, new ScoreBlock(scores, stride, first));
    }

    private static OpWork Contraction(string model, int writers, int readers, int length) => new(
        $"{model}: {writers} x {readers} x {length}", 2.0 * writers * readers * length, Timed.Float * (writers + readers) * (double)length,
        x =>
        {
            Tensor delta = x.Tensor(writers, length), gradients = x.Tensor(readers, length);
            ScoreBlock into = new(x.Doubles(writers * readers), readers, 0);
            return () => x.Device.ContractEdges(delta, writers, gradients, readers, length, into);
        });

    private static IEnumerable<KernelCase> Contractions()
    {
        const int writers = 64, length = 8 * Counted.Width;
        foreach (int readers in new[] { 8, 24, 40, 64, 80 })
        {
            int slice = CudaDevice.SliceLength(writers, readers, length), slices = (length + slice - 1) / slice;
            string shape = $"{writers} writers, {readers} readers, 8 x {Counted.Width}";
            double partials = (double)Counted.Float * slices * writers * readers;
            void Contract(KernelOperands x) => x.Device.ContractEdges(
                x.Floats(writers * length), writers, x.Floats((long)readers * length), readers, length,
                new ScoreBlock(x.Doubles(writers * readers), readers, 0));
            yield return new($"contractEdges{readers}", shape, (Counted.Float * (double)(writers + readers) * length) + partials, Contract);
            if (readers == 80)
            {
                yield return new(
                    "contractAddSlices", $"{shape}: {slices} slices", partials + (2.0 * Counted.Double * writers * readers), Contract);
            }
        }
    }

    private static void Near(KernelOperands x) => x.Device.Proximity(
        x.Rows(NearRows), x.Rows(NearWriters * NearRows), NearWriters, NearRows, Counted.Width, x.Floats(NearRows),
        new ScoreBlock(x.Doubles(NearWriters), 1, 0));
}
