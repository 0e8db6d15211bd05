namespace Gradpath.Kernels.Checks;

/// <summary>The ops of Device.Logits.cs.</summary>
internal static class LogitChecks
{
    private const int Rows = 12;
    private const int Vocabulary = 300;

    public static IReadOnlyList<OpCheck> All { get; } =
    [
        Check("LogSoftmax", (d, x) =>
        {
            int rows = x.Extent(Rows), vocabulary = x.Extent(Vocabulary);
            d.LogSoftmax(x.Draw((long)rows * vocabulary, 9, x.Coin() ? 0 : 300), rows, vocabulary);
        }),
        Check("WeightedRowSums", (d, x) =>
        {
            int items = x.Extent(Rows), width = x.Extent(130), vocabulary = 4 + x.Extent(60);
            d.WeightedRowSums(x.Draw((long)vocabulary * width), Answers(x, items, vocabulary), items, width, x.Out((long)items * width));
        }),
        Check("ProbabilityDifference", (d, x) => Metric(d, x, Gradient.Own, ProbabilityDifference)),
        Check("ProbabilityDifference, in place", (d, x) => Metric(d, x, Gradient.InPlace, ProbabilityDifference)),
        Check("ProbabilityDifference, without gradient", (d, x) => Metric(d, x, Gradient.None, ProbabilityDifference)),
        Check("KlDivergence", (d, x) => Metric(d, x, Gradient.Own, KlDivergence)),
        Check("KlDivergence, in place", (d, x) => Metric(d, x, Gradient.InPlace, KlDivergence)),
        Check("KlDivergence, without gradient", (d, x) => Metric(d, x, Gradient.None, KlDivergence)),
        Check("ProbabilityDistanceGradient", (d, x) => Metric(d, x, Gradient.Own, ProbabilityDistance)),
        Check("ProbabilityDistanceGradient, in place", (d, x) => Metric(d, x, Gradient.InPlace, ProbabilityDistance)),
        Check("RowDots", (d, x) =>
        {
            int period = x.Extent(5), rows = (period * x.Extent(4)) + x.Below(period), width = x.Extent(500);
            d.RowDots(x.Draw((long)rows * width), x.Draw((long)period * width), period, rows, width, x.OutDoubles(rows));
        }),
        OpChecks.Check("Logits", "ArgMax", 0, (d, x) =>
        {
            int rows = x.Extent(Rows), width = x.Extent(Vocabulary);
            d.ArgMax(x.DrawCoarse((long)rows * width), rows, width, x.OutIntegers(rows));
        }),
    ];

    private enum Gradient
    {
        None,
        Own,
        InPlace,
    }

    private static OpCheck Check(string op, Action<Device, OpOperands> work) => OpChecks.Check("Logits", op, OpChecks.Rounding, work);

    private static void Metric(Device d, OpOperands x, Gradient kind, Action<Device, OpOperands, Distribution> op)
    {
        int items = x.Extent(6), rows = items * x.Extent(3, 2), vocabulary = 4 + x.Extent(Vocabulary);
        Tensor p = x.DrawLogProbabilities(rows, vocabulary);
        Tensor? gradient = kind switch
        {
            Gradient.Own => x.Out((long)rows * vocabulary),
            Gradient.InPlace => p,
            _ => null,
        };
        op(d, x, new Distribution(p, gradient, items, rows, vocabulary));
    }

    private static void ProbabilityDifference(Device d, OpOperands x, Distribution p) =>
        d.ProbabilityDifference(p.LogProbabilities, Answers(x, p.Items, p.Vocabulary), p.Items, p.Rows, p.Vocabulary, x.OutDoubles(p.Rows), p.Gradient);

    private static void KlDivergence(Device d, OpOperands x, Distribution p) =>
        d.KlDivergence(p.LogProbabilities, x.DrawLogProbabilities(p.Items, p.Vocabulary), p.Items, p.Rows, p.Vocabulary, x.OutDoubles(p.Rows), p.Gradient);

    private static void ProbabilityDistance(Device d, OpOperands x, Distribution p) =>
        d.ProbabilityDistanceGradient(p.LogProbabilities, x.DrawLogProbabilities(p.Items, p.Vocabulary), p.Items, p.Rows, p.Vocabulary, p.Gradient!);

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
        return new AnswerTokens(x.Integers([.. start]), x.Integers([.. tokens]), x.Floats([.. weights]));
    }

    private sealed record Distribution(Tensor LogProbabilities, Tensor? Gradient, int Items, int Rows, int Vocabulary);
}
