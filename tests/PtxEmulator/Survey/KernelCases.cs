using Gradpath.Kernels;
using Gradpath.Kernels.Circuits;

namespace Gradpath.PtxEmulator.Survey;

/// <summary>Every kernel of every PTX file at a representative shape, in the files' order.</summary>
internal static class KernelCases
{
    public const int Width = 768;

    private const int Float = sizeof(float), Double = sizeof(double);
    private const int Heads = 12, HeadWidth = 64, Rows = 24, Tall = 50, Edges = 2000, Gates = 40;

    // The kernels over the vocabulary read row after row; an odd width is GPT-2's, too.
    private const int Items = 3, Vocabulary = 5003;
    private const double RowBytes = Width * Float, WideBytes = (double)Items * Vocabulary * Float;

    public static IReadOnlyList<KernelCase> All { get; } =
    [
        .. Activations(), .. Attention(), .. ProductCases.Contractions(), .. EdgeCases(), .. ProductCases.Products(), .. LayerNorms(), .. Logits(), .. Masks(), .. Mix(), .. Paths(), .. RowCases(),
    ];

    private static IEnumerable<KernelCase> Activations()
    {
        foreach ((string kernel, ActivationFunction function) in new[]
        {
            ("geluTanh", ActivationFunction.GeluTanh), ("geluErf", ActivationFunction.GeluErf), ("relu", ActivationFunction.Relu),
        })
        {
            yield return new(kernel, "24 x 768", 3 * Rows * RowBytes, x => x.Device.Activate(function, x.Rows(Rows), Rows * Width, x.Rows(Rows)));
        }
        yield return new("multiplyRows", "24 x 768", 3 * Rows * RowBytes, x => x.Device.MultiplyRows(x.Rows(Rows), x.Rows(Rows), Rows, Rows, Width));
    }

    // Up to 8 queries of a sequence are dealt in twos to the warps, up to 16 in fours, more in eights.
    private static IEnumerable<KernelCase> Attention()
    {
        foreach ((int kind, int[] lengths, bool lastOnly) in new[] { (2, new[] { 14, 10 }, true), (4, [14, 10], false), (8, [24], false) })
        {
            int queries = lastOnly ? lengths.Length : lengths.Sum(), keys = lengths.Sum();
            double probabilities = (double)Float * Heads * lengths.Sum(n => lastOnly ? n : n * n), along = Float * Heads * queries;
            string shape = $"{string.Join(" and ", lengths)} tokens, 12 heads of 64{(lastOnly ? ", last query only" : "")}";
            yield return new($"attention{kind}", shape, (2 * (queries + keys) * RowBytes) + probabilities, x => Attend(x, lengths, lastOnly, false));
            yield return new($"attentionQueryGradient{kind}", shape, (2 * (queries + keys) * RowBytes) + probabilities + along, x => Attend(x, lengths, lastOnly, true));
            if (kind != 4) continue;
            yield return new("attentionKeyGradient", shape, (((2 * queries) + (3 * keys)) * RowBytes) + probabilities + along, x => Attend(x, lengths, lastOnly, true));
        }
    }

    private static void Attend(KernelOperands x, int[] lengths, bool lastOnly, bool backward)
    {
        SequenceLayout layout = x.Layout(lengths, lastOnly);
        Tensor q = x.Rows(layout.QueryRows), kv = x.Rows(2 * layout.KeyRows), p = x.Floats(Heads * layout.ProbabilitiesPerHead);
        if (backward) x.Device.AttentionBackward(x.Rows(layout.QueryRows), q, kv, p, layout, new HeadGroup(Heads, HeadWidth, 0.125f), 1, x.Rows(layout.QueryRows), x.Rows(2 * layout.KeyRows));
        else x.Device.Attention(q, kv, layout, new HeadGroup(Heads, HeadWidth, 0.125f), p, x.Rows(layout.QueryRows));
    }

    private static IEnumerable<KernelCase> EdgeCases()
    {
        const int bases = Rows / 4, points = 4;
        yield return new("accumulateReaders", "24 rows of 4 points, 12 readers of 64", ((2 * Rows) + (2 * bases)) * RowBytes, x => x.Device.AccumulateReaders(
            x.Rows(Rows), x.Rows(Rows), x.Rows(1), x.Rows(1), x.Positive(Rows), new ReaderGroup(Heads, HeadWidth, Width), new GradientRows(Rows, Rows, bases),
            new ReaderSums(x.Rows(Rows), x.Floats(Heads * Rows), x.Floats(points * Heads * Rows)), 0));
        yield return new("finishReaders", "8 readers, 4 x 768, 5 points", ((2 * 8) + 5) * 4 * RowBytes, x => x.Device.FinishReaders(
            x.Rows(8 * 4), 0, x.Rows(1), x.Floats(8 * 4), x.Floats(5 * 8 * 4), x.Rows(5 * 4), new ReaderBlocks(8, 4, Width, 5)));
        const int writers = 9, rows = 6;
        void Proximity(KernelOperands x) => x.Device.Proximity(x.Rows(rows), x.Rows(writers * rows), writers, rows, Width, x.Floats(rows), new ScoreBlock(x.Doubles(writers), 1, 0));
        yield return new("proximityShares", "9 writers, 6 x 768", ((1 + writers) * rows * RowBytes) + (writers * rows * Double), Proximity);
        yield return new("sumShares", "9 writers, 6 rows", (writers * rows * Double) + (2 * writers * Double), Proximity);
    }

    private static IEnumerable<KernelCase> LayerNorms()
    {
        yield return new("layerNorm", "24 x 768", ((2 * Rows) + 2) * RowBytes, x => x.Device.LayerNorm(
            x.Rows(Rows), x.Rows(1), x.Rows(1), 1e-5f, Rows, Width, x.Floats(Rows), x.Floats(Rows), x.Rows(Rows)));
        const int bases = Rows / 6;
        void Backward(KernelOperands x, Tensor? reader) => x.Device.LayerNormBackward(
            x.Rows(Rows), x.Rows(Rows), x.Rows(1), x.Floats(Rows), x.Positive(Rows), new GradientRows(Rows, Rows, reader is null ? Rows : bases), Width, x.Rows(Rows), reader, Rows);
        yield return new("layerNormBackward", "24 x 768", 4 * Rows * RowBytes, x => Backward(x, null));
        yield return new("layerNormBackward", "24 x 768 of 6 points, with a reader", ((4 * Rows) + (2 * bases)) * RowBytes, x => Backward(x, x.Rows(bases)));
        yield return new("standardize", "24 x 768", 2 * Rows * RowBytes, x => x.Device.Standardize(x.Rows(Rows), x.Floats(Rows), x.Positive(Rows), null, Rows, Width, x.Rows(Rows), 0));
    }

    private static IEnumerable<KernelCase> Logits()
    {
        const string shape = "3 x 5003";
        static Tensor Wide(KernelOperands x) => x.Floats(Items * Vocabulary);
        yield return new("logSoftmax", shape, 2 * WideBytes, x => x.Device.LogSoftmax(Wide(x), Items, Vocabulary));
        yield return new("weightedRowSums", "24 x 768, 2 tokens each", 3 * Rows * RowBytes, x => x.Device.WeightedRowSums(x.Rows(2 * Rows), x.Answers(Rows), Rows, Width, x.Rows(Rows)));
        yield return new("probabilityDifference", shape, 2 * WideBytes, x => x.Device.ProbabilityDifference(
            Wide(x), x.Answers(Items), Items, Items, Vocabulary, x.Doubles(Items), Wide(x)));
        yield return new("klDivergence", shape, 3 * WideBytes, x => x.Device.KlDivergence(Wide(x), Wide(x), Items, Items, Vocabulary, x.Doubles(Items), Wide(x)));
        yield return new("probabilityDistanceGradient", shape, 3 * WideBytes, x => x.Device.ProbabilityDistanceGradient(Wide(x), Wide(x), Items, Items, Vocabulary, Wide(x)));
        yield return new("rowDots", "24 x 768", 2 * Rows * RowBytes, x => x.Device.RowDots(x.Rows(Rows), x.Rows(Rows), Rows, Rows, Width, x.Doubles(Rows)));
        yield return new("argMax", shape, WideBytes, x => x.Device.ArgMax(Wide(x), Items, Vocabulary, x.Integers(new int[Items])));
    }

    private static IEnumerable<KernelCase> Masks()
    {
        string shape = $"{Edges} edges", gated = $"{shape}, {Gates} gates";
        void Gradients(KernelOperands x)
        {
            MaskLayout layout = x.Masks(Edges, Gates);
            x.Device.MaskGradients(x.Doubles(Edges), layout, x.Floats(Edges + Gates), x.Floats(Edges + Gates), 1, 0.1, 0.1, x.Floats(Edges + Gates));
        }
        yield return new("sampleHardConcrete", shape, 3 * Float * Edges, x => x.Device.SampleHardConcrete(x.Floats(Edges), Edges, 1, 1, x.Floats(Edges), x.Floats(Edges)));
        yield return new("placeMasks", gated, Float * ((4 * Edges) + Gates), x => x.Device.PlaceMasks(x.Floats(Edges + Gates), x.Masks(Edges, Gates), x.Floats(Edges)));
        yield return new("edgeMaskGradients", gated, (Double * Edges) + (Float * ((4 * Edges) + Gates)), Gradients);
        yield return new("gateMaskGradients", gated, (Double * Edges) + (Float * ((2 * Edges) + (3 * Gates))), Gradients);
        AdamWStepOptions options = new(1e-3, 0, 0.9, 0.999, 1e-8, 10, 1);
        yield return new("adamWStep", shape, 7 * Float * Edges, x => x.Device.AdamWStep(x.Floats(Edges), x.Floats(Edges), x.Floats(Edges), x.Positive(Edges), Edges, options));
    }

    private static IEnumerable<KernelCase> Mix()
    {
        const int inputs = 36, writers = 16, taken = writers / 4, rows = 6;
        yield return new("mixInputs", "36 inputs of 4 of 16 writers, 6 x 768", (1 + writers + inputs) * rows * RowBytes, x => x.Device.MixInputs(
            x.Rows(rows),
            x.Rows(rows),
            x.Rows(writers * rows),
            new MixPlan(
                x.Integers(new int[inputs]),
                x.Integers(new int[inputs]),
                x.Integers(Enumerable.Range(0, inputs + 1).Select(i => i * taken)),
                x.Integers(Enumerable.Range(0, inputs * taken).Select(i => ((i % taken * 4) + (i / taken)) % writers)),
                inputs * taken,
                1,
                writers),
            inputs,
            rows,
            Width,
            x.Rows(inputs * rows)));
    }

    private static IEnumerable<KernelCase> Paths()
    {
        int[] lengths = [14, 10], tall = [Tall, Tall];
        yield return new("sequenceDots", "14 and 10 tokens x 768", 2 * Rows * RowBytes, x => x.Device.SequenceDots(x.Rows(Rows), x.Rows(Rows), x.Layout(lengths), Width, x.Doubles(2)));
        yield return new("sumSplits", "2 sequences, 3 parts", 2 * (3 + 1) * Double, x => x.Device.SequenceDots(x.Rows(2 * Tall), x.Rows(2 * Tall), x.Layout(tall), Width, x.Doubles(2)));
        yield return new("pathStep", "14 and 10 tokens x 768", 3 * Rows * RowBytes, x => x.Device.PathStep(
            x.Rows(Rows), x.Rows(Rows), x.Doubles(2), x.Doubles(2), false, x.Layout(lengths), Width));
    }

    private static IEnumerable<KernelCase> RowCases()
    {
        static DeviceArray<int> Spread(KernelOperands x) => x.Integers(Enumerable.Range(0, Rows).Select(i => 2 * i % 49));
        static Matrix Head(KernelOperands x, int head) => x.Rows(Rows).AsMatrix(Rows, Width).SliceColumns(head * HeadWidth, HeadWidth);
        yield return new("gatherRows", "24 x 768", 2 * Rows * RowBytes, x => x.Device.GatherRows(x.Rows(Tall), Spread(x), Rows, Width, x.Rows(Rows)));
        yield return new("scatterAddRows", "24 x 768", 3 * Rows * RowBytes, x => x.Device.ScatterAddRows(x.Rows(Rows), Spread(x), Rows, Width, x.Rows(Tall)));
        yield return new("scaleRows", "24 x 768", 2 * Rows * RowBytes, x => x.Device.ScaleRows(x.Rows(Rows), x.Floats(Rows), Rows, Rows, Width, x.Rows(Rows)));
        yield return new("subtractRows", "24 x 768", 3 * Rows * RowBytes, x => x.Device.SubtractRows(x.Rows(Rows), x.Rows(Rows), Rows, Rows, Width));
        yield return new("copyMatrix", "24 x 64 of 768", 2 * Rows * HeadWidth * Float, x => x.Device.CopyMatrix(Head(x, 3), Head(x, 5)));
        yield return new("combine", "24 x 768", 3 * Rows * RowBytes, x => x.Device.Combine(0.5f, x.Rows(Rows), 0.5f, x.Rows(Rows), Rows * Width, x.Rows(Rows)));
        yield return new("fill", "24 x 768", Rows * RowBytes, x => x.Device.Fill(x.Rows(Rows), 1, Rows * Width));
        yield return new("mirrorUpperTriangle", "768 x 768", Width * RowBytes, x => x.Device.MirrorUpperTriangle(x.Rows(Width), Width));
    }
}
