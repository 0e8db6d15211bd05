using System.Linq.Expressions;
using Gradpath.Kernels;
using Gradpath.Kernels.Circuits;
using Gradpath.Kernels.Cuda;

namespace Gradpath.Diagnostics.Ops.Families;

/// <summary>The ops of Device.Mix.cs.</summary>
internal static class MixOps
{
    // Every input takes every fourth writer: timed, a circuit of 8,000 edges.
    private const int Taken = Timed.Writers / 4;
    private const int Inputs = 36, Writers = 16, Rows = 6;

    public static IReadOnlyList<OpRow> All { get; } =
    [
        new("Mix", "MixInputs")
        {
            Cases = [new("", OpCase.Rounding, Mix)],
            Works = [new(
                $"{Timed.Readers} inputs of {Taken} writers, {Timed.Rows} x {Timed.Width}",
                (double)Timed.Readers * Taken * Timed.Rows * Timed.Width,
                Timed.Float * (Timed.Writers + Timed.Readers + 1.0) * Timed.Rows * Timed.Width, x =>
                {
                    Tensor baseline = x.Tensor(Timed.Rows, Timed.Width), total = x.Tensor(1, Timed.Rows, Timed.Width);
                    Tensor differences = x.Tensor(Timed.Writers, Timed.Rows, Timed.Width);
                    Tensor output = x.Tensor(Timed.Readers, Timed.Rows, Timed.Width);
                    MixPlan plan = new(
                        x.Integers(Timed.Readers), x.Integers(Timed.Readers), x.Integers(Starts(Timed.Readers, Taken)),
                        x.Integers(Slots(Timed.Readers, Timed.Writers, Taken)),
                        Timed.Readers * Taken, 1, Timed.Writers);
                    return () => x.Device.MixInputs(baseline, total, differences, plan, Timed.Readers, Timed.Rows, Timed.Width, output);
                })],
            Kernels = [new(
                "mixInputs", "36 inputs of 4 of 16 writers, 6 x 768", (1 + Writers + Inputs) * Rows * Counted.RowBytes,
                x => x.Device.MixInputs(
                    x.Rows(Rows),
                    x.Rows(Rows),
                    x.Rows(Writers * Rows),
                    new MixPlan(
                        x.Integers(new int[Inputs]), x.Integers(new int[Inputs]), x.Integers(Starts(Inputs, Writers / 4)),
                        x.Integers(Slots(Inputs, Writers, Writers / 4)),
                        Inputs * Writers / 4, 1, Writers),
                    Inputs,
                    Rows,
                    Counted.Width,
                    x.Rows(Inputs * Rows))) { MostTraffic = 4.4 }],
            Writes = ["output"],
        },
        new("Mix", "GroupedGemm")
        {
            Cases =
            [
                new("", OpCase.Rounding, x => Group(x, accumulate: false)) { RoundsFactors = true },
                new("accumulated", OpCase.Rounding, x => Group(x, accumulate: true)) { RoundsFactors = true },
            ],
            Works = [new(
                $"{Timed.Heads} of {Timed.Rows} x {Timed.HeadWidth} x {Timed.Width}",
                2.0 * Timed.Heads * Timed.Rows * Timed.HeadWidth * Timed.Width,
                Timed.Float * (((double)Timed.Heads * Timed.Rows * (Timed.Width + Timed.HeadWidth)) + (Timed.Width * Timed.Width)), x =>
                {
                    Tensor a = x.Tensor(Timed.Heads, Timed.Rows, Timed.Width), b = x.Tensor(Timed.Width, Timed.Width);
                    Tensor c = x.Tensor(Timed.Rows, Timed.Width);
                    ProductTable table = new(
                        x.Integers(Enumerable.Range(0, Timed.Heads).SelectMany(h => new[] { h, h, h, Timed.Width })), 0, Timed.Heads,
                        Timed.Heads - 1, Timed.Heads - 1, Timed.Heads - 1);
                    return () => x.Device.GroupedGemm(
                        new Matrix(a, 0, Timed.Rows, Timed.Width, Timed.Width),
                        new Matrix(b, 0, Timed.Width, Timed.HeadWidth, Timed.Width),
                        new Matrix(c, 0, Timed.Rows, Timed.HeadWidth, Timed.Width), table,
                        new GemmOptions(StepA: (long)Timed.Rows * Timed.Width, StepB: Timed.HeadWidth, StepC: Timed.HeadWidth));
                })],
            Kernels =
            [
                .. Enum.GetValues<GemmArithmetic>().Select(arithmetic => new KernelCase(
                    $"gemmGroups{(arithmetic == GemmArithmetic.Ffma ? "Plain" : arithmetic)}", "12 of 24 x 64 x 768",
                    Counted.Float * (((13.0 * Counted.Rows) + Counted.Width) * Counted.Width),
                    x => Heads(x, arithmetic))),
            ],
            Writes = ["c"],
        },
        new("Mix", "TakeDifferences")
        {
            Cases = [new("", OpCase.Rounding, x => Take(x, from: false)), new("from one total", OpCase.Rounding, x => Take(x, from: true))],
            Works = [new(
                $"{Timed.Writers} of {Timed.Rows} x {Timed.Width}", 2.0 * Timed.Writers * Timed.Rows * Timed.Width,
                Timed.Float * ((4.0 * Timed.Writers) + 1) * Timed.Rows * Timed.Width, x =>
                {
                    Tensor outputs = x.Tensor(Timed.Writers, Timed.Rows, Timed.Width), target = x.Tensor(Timed.Rows, Timed.Width);
                    Tensor slots = x.Tensor(Timed.Writers, Timed.Rows, Timed.Width);
                    Tensor totals = x.Tensor(Timed.Writers, Timed.Rows, Timed.Width);
                    DifferencePlan plan = new(
                        x.Integers(Enumerable.Range(0, 2 * Timed.Writers).Select(i => i / 2)), 0, Timed.Writers, Timed.Writers,
                        Timed.Writers);
                    return () => x.Device.TakeDifferences(outputs, target, plan, Timed.Rows, Timed.Width, slots, totals, null);
                })],
            Kernels = [new(
                "takeDifferences", $"{Writers} of 6 x 768", (1 + (4 * Writers)) * Rows * Counted.RowBytes,
                x => x.Device.TakeDifferences(
                    x.Rows(Writers * Rows), x.Rows(Rows),
                    new DifferencePlan(x.Integers([.. Enumerable.Range(0, 2 * Writers).Select(i => i / 2)]), 0, Writers, Writers, Writers),
                    Rows, Counted.Width, x.Rows(Writers * Rows), x.Rows(Writers * Rows), null)) { MostTraffic = 1.27 }],
            Writes = ["slots", "totals"],
        },
    ];

    private static IEnumerable<int> Starts(int inputs, int taken) => Enumerable.Range(0, inputs + 1).Select(i => i * taken);

    private static IEnumerable<int> Slots(int inputs, int writers, int taken) =>
        Enumerable.Range(0, inputs * taken).Select(i => ((i % taken * 4) + (i / taken)) % writers);

    private static Expression<Action<Device>> Mix(OpOperands x)
    {
        int slots = x.Extent(20, 2), copies = x.Extent(3, 2), inputs = x.Extent(12), rows = x.Extent(9), width = x.Extent(130);
        long block = (long)rows * width;
        List<int> copy = [], takesTotal = [], start = [0], slot = [];
        for (int i = 0; i < inputs; i++)
        {
            copy.Add(x.Below(copies));
            takesTotal.Add(x.Below(2));
            slot.AddRange(x.Distinct(x.Below(slots + 1), slots));
            start.Add(slot.Count);
        }
        MixPlan plan = new(
            x.Integers([.. copy]), x.Integers([.. takesTotal]), x.Integers([.. start]), x.Integers([.. slot]), slot.Count, copies, slots);
        Tensor baseline = x.Draw(block);
        Tensor total = x.Draw(copies * block);
        Tensor differences = x.Draw(slots * block);
        Tensor output = x.Out(inputs * block);
        return d => d.MixInputs(baseline, total, differences, plan, inputs, rows, width, output);
    }

    // The queries of twelve heads with an input each.
    private static void Heads(KernelOperands x, GemmArithmetic arithmetic)
    {
        const int rows = Counted.Rows, width = Counted.Width;
        x.Device.Arithmetic = arithmetic;
        ProductTable table = new(
            x.Integers([.. Enumerable.Range(0, Counted.Heads).SelectMany(h => new[] { h, h, h, width })]), 0, Counted.Heads,
            Counted.Heads - 1, Counted.Heads - 1, Counted.Heads - 1);
        x.Device.GroupedGemm(
            new Matrix(x.Rows(Counted.Heads * rows), 0, rows, width, width), new Matrix(x.Rows(width), 0, width, Counted.HeadWidth, width),
            new Matrix(x.Rows(rows), 0, rows, Counted.HeadWidth, width), table,
            new GemmOptions(StepA: (long)rows * width, StepB: Counted.HeadWidth, StepC: Counted.HeadWidth));
    }

    // Members from one on of a table, with as many inputs as weights; each has a place of its own in C, of one of two strides.
    private static Expression<Action<Device>> Group(OpOperands x, bool accumulate)
    {
        int m = x.Extent(70), n = x.Extent(40), k = x.Extent(50), inputs = x.Extent(4), count = x.Extent(5), first = x.Below(3);
        int stride = n + x.Below(3), wide = stride + x.Below(9), step = (m * wide) + x.Below(4);
        Tensor a = x.Draw((inputs * m * k) + x.Spare(3)), b = x.Draw((inputs * n * k) + x.Spare(3)), bias = x.Draw(inputs * n);
        Tensor c = x.Draw(((count - 1) * step) + ((m - 1) * wide) + n + x.Spare(3));
        int[] entries =
        [
            .. Enumerable.Range(0, first + count).SelectMany(
                g => new[] { x.Below(inputs), x.Below(inputs), Math.Max(0, g - first), x.Below(2) == 0 ? stride : wide }),
        ];
        ProductTable table = new(x.Integers(entries), first, count, inputs - 1, inputs - 1, count - 1);
        Matrix left = new(a, 0, m, k, k), right = new(b, 0, k, n, n), target = new(c, 0, m, n, wide);
        GemmOptions options = new(accumulate, bias, 1, (long)m * k, (long)k * n, step);
        return d => d.GroupedGemm(left, right, target, table, options);
    }

    private static Expression<Action<Device>> Take(OpOperands x, bool from)
    {
        int rows = x.Extent(6), width = x.Extent(70), count = x.Extent(5), copies = count + x.Below(3), slots = count + x.Below(3);
        int first = x.Below(3), block = rows * width;
        int[] copy = [.. x.Distinct(count, copies)], slot = [.. x.Distinct(count, slots)];
        int[] numbers =
        [
            .. Enumerable.Repeat(-1, 2 * first),
            .. Enumerable.Range(0, count).SelectMany(i => new[] { x.Below(4) == 0 ? -1 : copy[i], x.Below(3) == 0 ? -1 : slot[i] }),
        ];
        Tensor outputs = x.Draw(count * block), target = x.Draw(block), kept = x.Draw(slots * block), totals = x.Draw(copies * block);
        Tensor? start = from ? x.Draw(block) : null;
        DifferencePlan plan = new(x.Integers(numbers), first, count, copies, slots);
        return d => d.TakeDifferences(outputs, target, plan, rows, width, kept, totals, start);
    }
}
