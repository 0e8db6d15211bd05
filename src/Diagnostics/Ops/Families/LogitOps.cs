using System.Linq.Expressions;
using Gradpath.Kernels;

namespace Gradpath.Diagnostics.Ops.Families;

/// <summary>The ops of Device.Logits.cs.</summary>
internal static class LogitOps
{
    private const int Rows = 12;
    private const int Vocabulary = 300;

    public static IReadOnlyList<OpRow> All { get; } =
    [
        new("Logits", "LogSoftmax")
        {
            Cases = [new("", OpCase.Rounding, x =>
            {
                int rows = x.Extent(Rows), vocabulary = x.Extent(Vocabulary);
                Tensor logits = x.Draw((long)rows * vocabulary, 9, x.Coin() ? 0 : 300);
                return d => d.LogSoftmax(logits, rows, vocabulary);
            })],
            Works = [new(Timed.LogitsShape, 4 * Timed.Logits, 2 * Timed.Float * Timed.Logits, x =>
            {
                Tensor logits = x.Tensor(Timed.Pairs, Timed.Vocabulary);
                return () => x.Device.LogSoftmax(logits, Timed.Pairs, Timed.Vocabulary);
            })],
            Kernels =
            [
                new(
                    "logSoftmax",
                    Counted.LogitsShape,
                    2 * Counted.LogitBytes,
                    x => x.Device.LogSoftmax(x.Logits(), Counted.Items, Counted.Vocabulary)) { MostTraffic = 2.4 },
            ],
            Writes = ["logits"],
        },
        new("Logits", "WeightedRowSums")
        {
            Cases = [new("", OpCase.Rounding, x =>
            {
                int items = x.Extent(Rows), width = x.Extent(130), vocabulary = 4 + x.Extent(60);
                Tensor table = x.Draw((long)vocabulary * width), output = x.Out((long)items * width);
                AnswerTokens answers = Answers(x, items, vocabulary);
                return d => d.WeightedRowSums(table, answers, items, width, output);
            })],
            Works = [new(
                $"{Timed.Pairs} x {Timed.Width}, 2 tokens each", 4.0 * Timed.Pairs * Timed.Width,
                3 * Timed.Float * Timed.Pairs * Timed.Width, x =>
                {
                    Tensor table = x.Tensor(Timed.Vocabulary, Timed.Width), output = x.Tensor(Timed.Pairs, Timed.Width);
                    AnswerTokens answers = x.Answers(Timed.Pairs);
                    return () => x.Device.WeightedRowSums(table, answers, Timed.Pairs, Timed.Width, output);
                })],
            Kernels = [new("weightedRowSums", "24 x 768, 2 tokens each", 3 * Counted.Rows * Counted.RowBytes, x =>
                x.Device.WeightedRowSums(
                    x.Rows(2 * Counted.Rows),
                    x.Answers(Counted.Rows),
                    Counted.Rows,
                    Counted.Width,
                    x.Rows(Counted.Rows))) { MostTraffic = 1.15 }],
            Writes = ["output"],
        },
        new("Logits", "ProbabilityDifference")
        {
            Cases = [.. Metric((x, p) =>
            {
                AnswerTokens answers = Answers(x, p.Items, p.Vocabulary);
                DeviceArray<double> values = x.OutDoubles(p.Rows);
                return d => d.ProbabilityDifference(p.LogProbabilities, answers, p.Items, p.Rows, p.Vocabulary, values, p.Gradient);
            })],
            Works = [new(Timed.LogitsShape, 3 * Timed.Logits, 2 * Timed.Float * Timed.Logits, x =>
            {
                Tensor p = x.Tensor(Timed.Pairs, Timed.Vocabulary), gradient = x.Tensor(Timed.Pairs, Timed.Vocabulary);
                AnswerTokens answers = x.Answers(Timed.Pairs);
                DeviceArray<double> values = x.Doubles(Timed.Pairs);
                return () => x.Device.ProbabilityDifference(p, answers, Timed.Pairs, Timed.Pairs, Timed.Vocabulary, values, gradient);
            })],
            Kernels = [new("probabilityDifference", Counted.LogitsShape, 2 * Counted.LogitBytes, x => x.Device.ProbabilityDifference(
                x.Logits(), x.Answers(Counted.Items), Counted.Items, Counted.Items, Counted.Vocabulary, x.Doubles(Counted.Items),
                x.Logits())) { MostTraffic = 1.25 }],
            Writes = ["gradient"],
            MayWriteTo = ["logProbabilities"],
        },
        new("Logits", "KlDivergence")
        {
            Cases = [.. Metric((x, p) =>
            {
                Tensor target = x.DrawLogProbabilities(p.Items, p.Vocabulary);
                DeviceArray<double> values = x.OutDoubles(p.Rows);
                return d => d.KlDivergence(p.LogProbabilities, target, p.Items, p.Rows, p.Vocabulary, values, p.Gradient);
            })],
            Works = [new(Timed.LogitsShape, 6 * Timed.Logits, 3 * Timed.Float * Timed.Logits, x =>
            {
                Tensor p = x.Tensor(Timed.Pairs, Timed.Vocabulary);
                Tensor target = x.Tensor(Timed.Pairs, Timed.Vocabulary);
                Tensor gradient = x.Tensor(Timed.Pairs, Timed.Vocabulary);
                DeviceArray<double> values = x.Doubles(Timed.Pairs);
                return () => x.Device.KlDivergence(p, target, Timed.Pairs, Timed.Pairs, Timed.Vocabulary, values, gradient);
            })],
            Kernels = [new("klDivergence", Counted.LogitsShape, 3 * Counted.LogitBytes, x => x.Device.KlDivergence(
                x.Logits(), x.Logits(), Counted.Items, Counted.Items, Counted.Vocabulary, x.Doubles(Counted.Items),
                x.Logits())) { MostTraffic = 1.2 }],
            Writes = ["gradient"],
            MayWriteTo = ["logProbabilities"],
        },
        new("Logits", "ProbabilityDistanceGradient")
        {
            Cases = [.. Metric((x, p) =>
            {
                Tensor target = x.DrawLogProbabilities(p.Items, p.Vocabulary);
                return d => d.ProbabilityDistanceGradient(p.LogProbabilities, target, p.Items, p.Rows, p.Vocabulary, p.Gradient!);
            }).Take(2)],
            Works = [new(Timed.LogitsShape, 8 * Timed.Logits, 3 * Timed.Float * Timed.Logits, x =>
            {
                Tensor p = x.Tensor(Timed.Pairs, Timed.Vocabulary);
                Tensor target = x.Tensor(Timed.Pairs, Timed.Vocabulary);
                Tensor gradient = x.Tensor(Timed.Pairs, Timed.Vocabulary);
                return () => x.Device.ProbabilityDistanceGradient(p, target, Timed.Pairs, Timed.Pairs, Timed.Vocabulary, gradient);
            })],
            Kernels = [new("probabilityDistanceGradient", Counted.LogitsShape, 3 * Counted.LogitBytes, x =>
                x.Device.ProbabilityDistanceGradient(
                    x.Logits(), x.Logits(), Counted.Items, Counted.Items, Counted.Vocabulary, x.Logits())) { MostTraffic = 2.0 }],
            Writes = ["gradient"],
            MayWriteTo = ["logProbabilities"],
        },
        new("Logits", "RowDots")
        {
            Cases = [new("", OpCase.Rounding, x =>
            {
                int period = x.Extent(5), rows = (period * x.Extent(4)) + x.Below(period), width = x.Extent(500);
                Tensor a = x.Draw((long)rows * width), b = x.Draw((long)period * width);
                DeviceArray<double> values = x.OutDoubles(rows);
                return d => d.RowDots(a, b, period, rows, width, values);
            })],
            Works = [new(Timed.AllRowsShape, 2.0 * Timed.AllElements, 2 * Timed.Float * Timed.AllElements, x =>
            {
                Tensor a = x.Tensor(Timed.AllRows, Timed.Width), b = x.Tensor(Timed.AllRows, Timed.Width);
                DeviceArray<double> values = x.Doubles(Timed.AllRows);
                return () => x.Device.RowDots(a, b, Timed.AllRows, Timed.AllRows, Timed.Width, values);
            })],
            Kernels = [new("rowDots", Counted.RowsShape, 2 * Counted.Rows * Counted.RowBytes, x => x.Device.RowDots(
                x.Rows(Counted.Rows), x.Rows(Counted.Rows), Counted.Rows, Counted.Rows, Counted.Width, x.Doubles(Counted.Rows)))],
        },
        new("Logits", "ArgMax")
        {
            Cases = [new("", 0, x =>
            {
                int rows = x.Extent(Rows), width = x.Extent(Vocabulary);
                Tensor values = x.DrawCoarse((long)rows * width);
                DeviceArray<int> indices = x.OutIntegers(rows);
                return d => d.ArgMax(values, rows, width, indices);
            })],
            Works = [new(Timed.LogitsShape, Timed.Logits, Timed.Float * Timed.Logits, x =>
            {
                Tensor logits = x.Tensor(Timed.Pairs, Timed.Vocabulary);
                DeviceArray<int> indices = x.Integers(Timed.Pairs);
                return () => x.Device.ArgMax(logits, Timed.Pairs, Timed.Vocabulary, indices);
            })],
            Kernels = [new("argMax", Counted.LogitsShape, Counted.LogitBytes, x =>
                x.Device.ArgMax(x.Logits(), Counted.Items, Counted.Vocabulary, x.Integers(new int[Counted.Items]))) { MostTraffic = 1.25 }],
        },
    ];

    private enum Gradient
    {
        Own,
        InPlace,
        None,
    }

    private static IEnumerable<OpCase> Metric(Func<OpOperands, Distribution, Expression<Action<Device>>> call) =>
    [
        new("", OpCase.Rounding, x => call(x, Draw(x, Gradient.Own))),
        new("in place", OpCase.Rounding, x => call(x, Draw(x, Gradient.InPlace))),
        new("without gradient", OpCase.Rounding, x => call(x, Draw(x, Gradient.None))),
    ];

    private static Distribution Draw(OpOperands x, Gradient kind)
    {
        int items = x.Extent(6), rows = items * x.Extent(3, 2), vocabulary = 4 + x.Extent(Vocabulary);
        Tensor p = x.DrawLogProbabilities(rows, vocabulary);
        Tensor? gradient = kind switch
        {
            Gradient.Own => x.Out((long)rows * vocabulary),
            Gradient.InPlace => p,
            _ => null,
        };
        return new Distribution(p, gradient, items, rows, vocabulary);
    }

    // One to four tokens per item, none twice.
    private static AnswerTokens Answers(OpOperands x, int items, int vocabulary)
    {
        List<int> start = [0], tokens = [];
        List<float> weights = [];
        for (int item = 0; item < items; item++)
        {
            int[] drawn = x.Distinct(1 + x.Below(4), vocabulary);
            tokens.AddRange(drawn);
            weights.AddRange(drawn.Select((_, i) => i % 2 == 0 ? 1f : -0.5f));
            start.Add(tokens.Count);
        }
        return new AnswerTokens(x.Integers([.. start]), x.Integers([.. tokens]), x.Floats([.. weights]), tokens.Count);
    }

    private sealed record Distribution(Tensor LogProbabilities, Tensor? Gradient, int Items, int Rows, int Vocabulary);
}
