using System.Linq.Expressions;
using Gradpath.Kernels;

namespace Gradpath.Diagnostics.Ops.Families;

/// <summary>The ops of Device.Path.cs.</summary>
internal static class PathOps
{
    private const double Elements = (double)Timed.Rows * Timed.Width;

    private static readonly int[] s_lengths = [14, 10], s_tall = [Counted.Tall, Counted.Tall];

    private static string TimedShape => $"{Timed.Pairs} sequences of {Timed.Tokens} x {Timed.Width}";

    public static IReadOnlyList<OpRow> All { get; } =
    [
        new("Path", "SequenceDots")
        {
            Cases =
            [
                new("", OpCase.Rounding, x => Dots(x, norms: false)), new("squared norms", OpCase.Rounding, x => Dots(x, norms: true)),
            ],
            Works = [new(TimedShape, 2 * Elements, 2 * Timed.Float * Elements, x =>
            {
                Tensor a = x.Tensor(Timed.Rows, Timed.Width), b = x.Tensor(Timed.Rows, Timed.Width);
                SequenceLayout layout = x.Layout(Timed.Pairs, Timed.Tokens);
                DeviceArray<double> values = x.Doubles(Timed.Pairs);
                return () => x.Device.SequenceDots(a, b, layout, Timed.Width, values);
            })],
            Kernels =
            [
                new("sequenceDots", "14 and 10 tokens x 768", 2 * Counted.Rows * Counted.RowBytes, x =>
                    x.Device.SequenceDots(x.Rows(Counted.Rows), x.Rows(Counted.Rows), x.Layout(s_lengths), Counted.Width, x.Doubles(2))),
                new("sumSplits", "2 sequences, 3 parts", 2 * (3 + 1) * Counted.Double, x =>
                    x.Device.SequenceDots(
                        x.Rows(2 * Counted.Tall),
                        x.Rows(2 * Counted.Tall),
                        x.Layout(s_tall),
                        Counted.Width,
                        x.Doubles(2))) { MostTraffic = 3.0 },
            ],
        },
        new("Path", "PathStep")
        {
            Cases =
            [
                new("", OpCase.Rounding, x => Step(x, wholeBatch: false)),
                new("by its own norms, embedded", OpCase.Rounding, x => Step(x, wholeBatch: false, embeds: true)),
                new("one norm for the batch", OpCase.Rounding, x => Step(x, wholeBatch: true)),
                new("no gradient", 0, x =>
                {
                    SequenceLayout layout = x.Layout(1, 9);
                    int width = x.Extent(130);
                    long n = (long)layout.KeyRows * width;
                    Tensor gamma = x.Draw(n), gradient = x.Draw(n, 1e-14);
                    DeviceArray<double> norms = x.Doubles(1e-25), steps = x.Doubles(1);
                    return d => d.PathStep(gamma, gradient, norms, steps, false, layout, width);
                }),
            ],
            Works = [new(TimedShape, 2 * Elements, 3 * Timed.Float * Elements, x =>
            {
                Tensor gamma = x.Tensor(Timed.Rows, Timed.Width), gradient = x.Tensor(Timed.Rows, Timed.Width);
                SequenceLayout layout = x.Layout(Timed.Pairs, Timed.Tokens);
                DeviceArray<double> norms = x.Doubles(Timed.Pairs, 1), steps = x.Doubles(Timed.Pairs, 1e-6);
                return () => x.Device.PathStep(gamma, gradient, norms, steps, false, layout, Timed.Width);
            })],
            Kernels = [new("pathStep", "14 and 10 tokens x 768", 3 * Counted.Rows * Counted.RowBytes, x => x.Device.PathStep(
                x.Rows(Counted.Rows), x.Rows(Counted.Rows), x.Doubles(2), x.Doubles(2), false, x.Layout(s_lengths),
                Counted.Width)) { MostTraffic = 1.15 }],
            Writes = ["gamma", "embedded"],
        },
    ];

    private static Expression<Action<Device>> Dots(OpOperands x, bool norms)
    {
        SequenceLayout layout = x.Layout(x.Extent(6), 20);
        int width = x.Extent(130);
        long n = (long)layout.KeyRows * width;
        Tensor first = x.Draw(n), second = norms ? first : x.Draw(n);
        DeviceArray<double> values = x.OutDoubles(layout.Sequences);
        return d => d.SequenceDots(first, second, layout, width, values);
    }

    private static Expression<Action<Device>> Step(OpOperands x, bool wholeBatch, bool embeds = false)
    {
        SequenceLayout layout = x.Layout(x.Extent(6), 20);
        int width = x.Extent(130);
        long n = (long)layout.KeyRows * width;
        Tensor gamma = x.Draw(n), gradient = x.Draw(n);
        DeviceArray<double>? norms = embeds ? null : x.DrawDoubles(layout.Sequences, 1, 2);
        DeviceArray<double> steps = x.DrawDoubles(layout.Sequences, 0.5, 1);
        int positions = x.Extent(20);
        Tensor? table = embeds ? x.Draw((long)positions * width) : null, embedded = embeds ? x.Out(n) : null;
        DeviceArray<int>? indices = embeds ? x.Integers([.. Enumerable.Range(0, layout.KeyRows).Select(r => r % positions)]) : null;
        return d => d.PathStep(gamma, gradient, norms, steps, wholeBatch, layout, width, table, indices, embedded);
    }
}
