using System.Linq.Expressions;
using Gradpath.Kernels;

namespace Gradpath.Diagnostics.Ops.Families;

/// <summary>The ops of Device.LayerNorm.cs.</summary>
internal static class LayerNormOps
{
    private const int Rows = 20;
    private const int Width = 140;

    // Rows of six points, which the counted backward kernel sums up for a reader.
    private const int BaseRows = Counted.Rows / 6;

    // A chosen row and those around it.
    private const int Apart = 3;

    public static IReadOnlyList<OpRow> All { get; } =
    [
        new("LayerNorm", "LayerNorm")
        {
            Cases = [new("", OpCase.Rounding, x =>
            {
                // The centre is far from 0 against the spread: variances by differences of squares would show.
                int rows = x.Extent(Rows), width = x.Extent(Width);
                Tensor values = x.Draw((long)rows * width, 1, 3), gain = x.Draw(width, 0.3, 1), shift = x.Draw(width);
                Tensor mean = x.Out(rows), rstd = x.Out(rows), y = x.Out((long)rows * width);
                return d => d.LayerNorm(values, gain, shift, 1e-5f, rows, width, mean, rstd, y);
            })],
            Works = [new(Timed.AllRowsShape, 7 * Timed.AllElements, 2 * Timed.Float * Timed.AllElements, x =>
            {
                Tensor values = x.Tensor(Timed.AllRows, Timed.Width), gain = x.Tensor(Timed.Width), shift = x.Tensor(Timed.Width);
                Tensor mean = x.Tensor(Timed.AllRows), rstd = x.Tensor(Timed.AllRows), y = x.Tensor(Timed.AllRows, Timed.Width);
                return () => x.Device.LayerNorm(values, gain, shift, 1e-5f, Timed.AllRows, Timed.Width, mean, rstd, y);
            })],
            Kernels = [new("layerNorm", Counted.RowsShape, ((2 * Counted.Rows) + 2) * Counted.RowBytes, x => x.Device.LayerNorm(
                x.Rows(Counted.Rows), x.Rows(1), x.Rows(1), 1e-5f, Counted.Rows, Counted.Width, x.Floats(Counted.Rows),
                x.Floats(Counted.Rows), x.Rows(Counted.Rows))) { MostTraffic = 2.0 }],
            Writes = ["mean", "rstd", "y"],
        },
        new("LayerNorm", "AddLayerNorm")
        {
            Cases = [new("", OpCase.Rounding, Add)],
            Works = [new(Timed.AllRowsShape, 8 * Timed.AllElements, 4 * Timed.Float * Timed.AllElements, x =>
            {
                Tensor values = x.Tensor(Timed.AllRows, Timed.Width), addend = x.Tensor(Timed.AllRows, Timed.Width);
                Tensor sum = x.Tensor(Timed.AllRows, Timed.Width), y = x.Tensor(Timed.AllRows, Timed.Width);
                Tensor gain = x.Tensor(Timed.Width), shift = x.Tensor(Timed.Width);
                Tensor mean = x.Tensor(Timed.AllRows), rstd = x.Tensor(Timed.AllRows);
                return () => x.Device.AddLayerNorm(
                    values, addend, sum, gain, shift, 1e-5f, Timed.AllRows, Timed.Width, mean, rstd, y);
            })],
            Kernels = [new("layerNorm", "24 x 768, with an addend", ((4 * Counted.Rows) + 2) * Counted.RowBytes, x => x.Device.AddLayerNorm(
                x.Rows(Counted.Rows), x.Rows(Counted.Rows), x.Rows(Counted.Rows), x.Rows(1), x.Rows(1), 1e-5f, Counted.Rows, Counted.Width,
                x.Floats(Counted.Rows), x.Floats(Counted.Rows), x.Rows(Counted.Rows))) { MostTraffic = 2.0 }],
            Writes = ["sum", "mean", "rstd", "y"],
        },
        new("LayerNorm", "LayerNormBackward")
        {
            Cases =
            [
                new("", OpCase.Rounding, x => Backward(x, withReader: false)),
                new("with a reader", OpCase.Rounding, x => Backward(x, withReader: true)),
                new("fresh", OpCase.Rounding, x => Backward(x, withReader: true, fresh: true)),
                new("at chosen rows", OpCase.Rounding, x => Backward(x, withReader: true, chosen: true)),
                new("fresh, at chosen rows", OpCase.Rounding, x => Backward(x, withReader: false, chosen: true, fresh: true)),
            ],
            Works = [new(Timed.AllRowsShape, 11 * Timed.AllElements, 4 * Timed.Float * Timed.AllElements, x =>
            {
                Tensor dy = x.Tensor(Timed.AllRows, Timed.Width);
                Tensor values = x.Tensor(Timed.AllRows, Timed.Width);
                Tensor gain = x.Tensor(Timed.Width);
                Tensor mean = x.Tensor(Timed.AllRows), rstd = x.Tensor(Timed.AllRows), residual = x.Tensor(Timed.AllRows, Timed.Width);
                GradientRows rows = new(Timed.AllRows, Timed.AllRows, Timed.Rows);
                return () => x.Device.LayerNormBackward(dy, values, gain, mean, rstd, rows, Timed.Width, residual, null, Timed.AllRows);
            })],
            Kernels =
            [
                new(
                    "layerNormBackward",
                    Counted.RowsShape,
                    4 * Counted.Rows * Counted.RowBytes,
                    x => Backward(x, null)) { MostTraffic = 1.4 },
                new(
                    "layerNormBackward",
                    "24 x 768 of 6 points, with a reader",
                    ((4 * Counted.Rows) + (2 * BaseRows)) * Counted.RowBytes,
                    x => Backward(x, x.Rows(BaseRows))) { MostTraffic = 1.4 },
            ],
            Writes = ["residualGradient", "reader"],
        },
        new("LayerNorm", "Standardize")
        {
            Cases =
            [
                new("", OpCase.Rounding, x => Standardize(x, chosen: false)),
                new("of chosen rows", OpCase.Rounding, x => Standardize(x, chosen: true)),
            ],
            Works = [new(Timed.AllRowsShape, 2 * Timed.AllElements, 2 * Timed.Float * Timed.AllElements, x =>
            {
                Tensor values = x.Tensor(Timed.AllRows, Timed.Width);
                Tensor mean = x.Tensor(Timed.AllRows);
                Tensor rstd = x.Tensor(Timed.AllRows);
                Tensor output = x.Tensor(Timed.AllRows, Timed.Width);
                return () => x.Device.Standardize(values, mean, rstd, null, Timed.AllRows, Timed.Width, output, 0);
            })],
            Kernels = [new("standardize", Counted.RowsShape, 2 * Counted.Rows * Counted.RowBytes, x => x.Device.Standardize(
                x.Rows(Counted.Rows), x.Floats(Counted.Rows), x.Positive(Counted.Rows), null, Counted.Rows, Counted.Width,
                x.Rows(Counted.Rows), 0))],
            Writes = ["output"],
        },
    ];

    private static Expression<Action<Device>> Add(OpOperands x)
    {
        int rows = x.Extent(Rows), width = x.Extent(Width);
        Tensor values = x.Draw((long)rows * width, 1, 3), addend = x.Draw((long)rows * width);
        Tensor gain = x.Draw(width, 0.3, 1), shift = x.Draw(width);
        Tensor sum = x.Out((long)rows * width), mean = x.Out(rows), rstd = x.Out(rows), y = x.Out((long)rows * width);
        return d => d.AddLayerNorm(values, addend, sum, gain, shift, 1e-5f, rows, width, mean, rstd, y);
    }

    private static Expression<Action<Device>> Backward(OpOperands x, bool withReader, bool chosen = false, bool fresh = false)
    {
        int baseRows = x.Extent(Rows / 2), copies = x.Extent(3, 2), cotangents = x.Extent(2, 1), width = x.Extent(Width);
        int activationRows = baseRows * copies;
        int rows = activationRows * cotangents;
        int contributing = baseRows * (1 + x.Below(copies * cotangents));
        Tensor? reader = withReader ? x.Draw((long)baseRows * width) : null;
        int forward = chosen ? Apart * rows : activationRows;
        Tensor dy = x.Draw((long)rows * width), values = x.Draw((long)forward * width), gain = x.Draw(width, 0.3, 1);
        Tensor mean = x.Draw(forward, 0.2), rstd = x.Draw(forward, 0.3, 1.5);
        DeviceArray<int>? targets = chosen ? x.Integers([.. Enumerable.Range(0, rows).Select(r => (r * 3) + 1)]) : null;
        long size = (chosen ? Apart * rows : rows) * (long)width;
        Tensor residual = fresh && !chosen ? x.Out(size) : x.Draw(size);
        int cleared = chosen ? x.Below((Apart * rows) + 1) : 0;
        return d => d.LayerNormBackward(
            dy, values, gain, mean, rstd, new GradientRows(rows, activationRows, baseRows), width, residual, reader, contributing,
            targets, fresh, cleared);
    }

    private static Expression<Action<Device>> Standardize(OpOperands x, bool chosen)
    {
        int all = x.Extent(Rows), rows = chosen ? x.Extent(Rows) : all, width = x.Extent(Width), first = x.Below(4);
        DeviceArray<int>? indices = chosen ? x.Integers([.. Enumerable.Range(0, rows).Select(_ => x.Below(all))]) : null;
        Tensor values = x.Draw((long)all * width, 2);
        Tensor mean = x.Draw(all);
        Tensor rstd = x.Draw(all, 0.3, 1);
        Tensor output = x.Out((long)(first + rows) * width);
        return d => d.Standardize(values, mean, rstd, indices, rows, width, output, first);
    }

    private static void Backward(KernelOperands x, Tensor? reader) => x.Device.LayerNormBackward(
        x.Rows(Counted.Rows),
        x.Rows(Counted.Rows),
        x.Rows(1),
        x.Floats(Counted.Rows),
        x.Positive(Counted.Rows),
        new GradientRows(Counted.Rows, Counted.Rows, reader is null ? Counted.Rows : BaseRows),
        Counted.Width,
        x.Rows(Counted.Rows),
        reader,
        Counted.Rows);
}
