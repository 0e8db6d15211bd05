using Gradpath.Kernels;
using Gradpath.Kernels.Circuits;

namespace Gradpath.Host.Bench;

/// <summary>
/// Every op at the shapes that GPT-2 small gives it in a batch of 10 pairs of 16 tokens (160 rows; 800 with five points of a path), and
/// the products of GPT-2 XL as well.
/// </summary>
internal static class OpWorks
{
    public static IReadOnlyList<OpWork> All { get; } = [.. ProductWorks.All, .. RowWorks(), .. NormWorks(), .. LogitWorks(), .. PathWorks(), .. EdgeWorks(), .. MaskWorks()];

    private const int Pairs = 10;
    private const int Tokens = 16;
    private const int Points = 5;
    private const int Rows = Pairs * Tokens;
    private const int AllRows = Points * Rows;
    private const int Width = 768;
    private const int Inner = 3072;
    private const int Heads = 12;
    private const int HeadWidth = 64;
    private const int Readers = 3 * Heads;
    private const int Writers = 144;
    private const int Edges = 32_491;
    private const int Vocabulary = 50_257;
    private const double Float = sizeof(float);

    private static IEnumerable<OpWork> RowWorks()
    {
        const double n = (double)AllRows * Width;
        string shape = $"{AllRows} x {Width}";
        yield return new("GatherRows", shape, 0, 2 * Float * n, x =>
        {
            Tensor table = x.Tensor(Vocabulary, Width), output = x.Tensor(AllRows, Width);
            DeviceArray<int> indices = x.Integers(Enumerable.Range(0, AllRows).Select(i => i * 7919 % Vocabulary));
            return () => x.Device.GatherRows(table, indices, AllRows, Width, output);
        });
        yield return new("ScatterAddRows", shape, n, 3 * Float * n, x =>
        {
            Tensor source = x.Tensor(AllRows, Width), target = x.Tensor(AllRows, Width);
            DeviceArray<int> indices = x.Integers(Enumerable.Range(0, AllRows).Reverse());
            return () => x.Device.ScatterAddRows(source, indices, AllRows, Width, target);
        });
        yield return new("Combine", shape, 3 * n, 3 * Float * n, x =>
        {
            Tensor a = x.Tensor(AllRows, Width), b = x.Tensor(AllRows, Width), output = x.Tensor(AllRows, Width);
            return () => x.Device.Combine(0.2f, a, 0.8f, b, (long)n, output);
        });
        yield return new("Fill", shape, 0, Float * n, x =>
        {
            Tensor target = x.Tensor(AllRows, Width);
            return () => x.Device.Fill(target, 0, (long)n);
        });
        yield return new("ScaleRows", shape, n, 2 * Float * n, x =>
        {
            Tensor values = x.Tensor(AllRows, Width), output = x.Tensor(AllRows, Width), factors = x.Tensor(Rows);
            return () => x.Device.ScaleRows(values, factors, Rows, AllRows, Width, output);
        });
        yield return new("CopyBlock", shape, 0, 2 * Float * n, x =>
        {
            Tensor source = x.Tensor(AllRows, Width), target = x.Tensor(AllRows, Width);
            return () => x.Device.CopyBlock(source, 0, target, 0, (long)n);
        });
        yield return new("AddBlock", shape, n, 3 * Float * n, x =>
        {
            Tensor source = x.Tensor(AllRows, Width), target = x.Tensor(AllRows, Width);
            return () => x.Device.AddBlock(source, 0, target, 0, (long)n);
        });
        yield return new("CopyMatrix", $"{shape} of {3 * Width}", 0, 2 * Float * n, x =>
        {
            Matrix source = x.Tensor(AllRows, 3 * Width).AsMatrix().SliceColumns(Width, Width), target = x.Tensor(AllRows, Width).AsMatrix();
            return () => x.Device.CopyMatrix(source, target);
        });
        yield return new("SubtractRows", $"{shape}, period {Rows}", n, (2 * Float * n) + (Float * Rows * Width), x =>
        {
            Tensor values = x.Tensor(AllRows, Width), other = x.Tensor(Rows, Width);
            return () => x.Device.SubtractRows(values, other, Rows, AllRows, Width);
        });
        yield return new("MirrorUpperTriangle", $"{Width} x {Width}", 0, Float * Width * Width, x =>
        {
            Tensor matrix = x.Tensor(Width, Width);
            return () => x.Device.MirrorUpperTriangle(matrix, Width);
        });
    }

    private static IEnumerable<OpWork> NormWorks()
    {
        const double n = (double)AllRows * Width, inner = (double)AllRows * Inner;
        string shape = $"{AllRows} x {Width}";
        yield return new("LayerNorm", shape, 7 * n, 2 * Float * n, x =>
        {
            Tensor values = x.Tensor(AllRows, Width), gain = x.Tensor(Width), shift = x.Tensor(Width), mean = x.Tensor(AllRows), rstd = x.Tensor(AllRows), y = x.Tensor(AllRows, Width);
            return () => x.Device.LayerNorm(values, gain, shift, 1e-5f, AllRows, Width, mean, rstd, y);
        });
        yield return new("LayerNormBackward", shape, 11 * n, 4 * Float * n, x =>
        {
            Tensor dy = x.Tensor(AllRows, Width), values = x.Tensor(AllRows, Width), gain = x.Tensor(Width), mean = x.Tensor(AllRows), rstd = x.Tensor(AllRows), residual = x.Tensor(AllRows, Width);
            return () => x.Device.LayerNormBackward(dy, values, gain, mean, rstd, new GradientRows(AllRows, AllRows, Rows), Width, residual, null, AllRows);
        });
        yield return new("Standardize", shape, 2 * n, 2 * Float * n, x =>
        {
            Tensor values = x.Tensor(AllRows, Width), mean = x.Tensor(AllRows), rstd = x.Tensor(AllRows), output = x.Tensor(AllRows, Width);
            return () => x.Device.Standardize(values, mean, rstd, null, AllRows, Width, output, 0);
        });
        yield return new("Activate", $"gelu_new, {AllRows} x {Inner}", 16 * inner, 3 * Float * inner, x =>
        {
            Tensor values = x.Tensor(AllRows, Inner), output = x.Tensor(AllRows, Inner);
            return () => x.Device.Activate(ActivationFunction.GeluTanh, values, (long)inner, output);
        });
        yield return new("MultiplyRows", $"{AllRows} x {Inner}", inner, 3 * Float * inner, x =>
        {
            Tensor gradient = x.Tensor(AllRows, Inner), derivative = x.Tensor(AllRows, Inner);
            return () => x.Device.MultiplyRows(gradient, derivative, AllRows, AllRows, Inner);
        });
    }

    private static IEnumerable<OpWork> LogitWorks()
    {
        const double n = (double)Pairs * Vocabulary;
        string shape = $"{Pairs} x {Vocabulary}";
        yield return new("LogSoftmax", shape, 4 * n, 2 * Float * n, x =>
        {
            Tensor logits = x.Tensor(Pairs, Vocabulary);
            return () => x.Device.LogSoftmax(logits, Pairs, Vocabulary);
        });
        yield return new("WeightedRowSums", $"{Pairs} x {Width}, 2 tokens each", 4.0 * Pairs * Width, 3 * Float * Pairs * Width, x =>
        {
            Tensor table = x.Tensor(Vocabulary, Width), output = x.Tensor(Pairs, Width);
            AnswerTokens answers = x.Answers(Pairs);
            return () => x.Device.WeightedRowSums(table, answers, Pairs, Width, output);
        });
        yield return new("ProbabilityDifference", shape, 3 * n, 2 * Float * n, x =>
        {
            Tensor p = x.Tensor(Pairs, Vocabulary), gradient = x.Tensor(Pairs, Vocabulary);
            AnswerTokens answers = x.Answers(Pairs);
            DeviceArray<double> values = x.Doubles(Pairs);
            return () => x.Device.ProbabilityDifference(p, answers, Pairs, Pairs, Vocabulary, values, gradient);
        });
        yield return new("KlDivergence", shape, 6 * n, 3 * Float * n, x =>
        {
            Tensor p = x.Tensor(Pairs, Vocabulary), target = x.Tensor(Pairs, Vocabulary), gradient = x.Tensor(Pairs, Vocabulary);
            DeviceArray<double> values = x.Doubles(Pairs);
            return () => x.Device.KlDivergence(p, target, Pairs, Pairs, Vocabulary, values, gradient);
        });
        yield return new("ProbabilityDistanceGradient", shape, 8 * n, 3 * Float * n, x =>
        {
            Tensor p = x.Tensor(Pairs, Vocabulary), target = x.Tensor(Pairs, Vocabulary), gradient = x.Tensor(Pairs, Vocabulary);
            return () => x.Device.ProbabilityDistanceGradient(p, target, Pairs, Pairs, Vocabulary, gradient);
        });
        yield return new("RowDots", $"{AllRows} x {Width}", 2.0 * AllRows * Width, 2 * Float * AllRows * Width, x =>
        {
            Tensor a = x.Tensor(AllRows, Width), b = x.Tensor(AllRows, Width);
            DeviceArray<double> values = x.Doubles(AllRows);
            return () => x.Device.RowDots(a, b, AllRows, AllRows, Width, values);
        });
        yield return new("ArgMax", shape, n, Float * n, x =>
        {
            Tensor logits = x.Tensor(Pairs, Vocabulary);
            DeviceArray<int> indices = x.Integers(Pairs);
            return () => x.Device.ArgMax(logits, Pairs, Vocabulary, indices);
        });
    }

    private static IEnumerable<OpWork> PathWorks()
    {
        const double n = (double)Rows * Width;
        string shape = $"{Pairs} sequences of {Tokens} x {Width}";
        yield return new("SequenceDots", shape, 2 * n, 2 * Float * n, x =>
        {
            Tensor a = x.Tensor(Rows, Width), b = x.Tensor(Rows, Width);
            SequenceLayout layout = x.Layout(Pairs, Tokens);
            DeviceArray<double> values = x.Doubles(Pairs);
            return () => x.Device.SequenceDots(a, b, layout, Width, values);
        });
        yield return new("PathStep", shape, 2 * n, 3 * Float * n, x =>
        {
            Tensor gamma = x.Tensor(Rows, Width), gradient = x.Tensor(Rows, Width);
            SequenceLayout layout = x.Layout(Pairs, Tokens);
            DeviceArray<double> norms = x.Doubles(Pairs, 1), steps = x.Doubles(Pairs, 1e-6);
            return () => x.Device.PathStep(gamma, gradient, norms, steps, false, layout, Width);
        });
    }

    private static IEnumerable<OpWork> EdgeWorks()
    {
        const int all = Readers * HeadWidth;
        const double n = (double)AllRows * all, gradients = (double)Readers * Rows * Width;
        yield return new("AccumulateReaders", $"{AllRows} rows, {Readers} readers of {HeadWidth}", 6 * n, Float * ((2 * n) + (2.0 * Rows * all)), x =>
        {
            Tensor dy = x.Tensor(AllRows, all), y = x.Tensor(AllRows, all), constant = x.Tensor(all), gainSums = x.Tensor(all), rstd = x.Tensor(AllRows);
            Tensor sums = x.Tensor(Rows, all), offsets = x.Tensor(Readers, Rows), coefficients = x.Tensor(Points, Readers, Rows);
            return () => x.Device.AccumulateReaders(
                dy, y, constant, gainSums, rstd, new ReaderGroup(Readers, HeadWidth, Width), new GradientRows(AllRows, AllRows, Rows), new ReaderSums(sums, offsets, coefficients), 0);
        });
        yield return new(
            "FinishReaders", $"{Readers} readers, {Rows} x {Width}, {Points} points", gradients * (2 + (2 * Points)), Float * ((2 * gradients) + (Points * Rows * Width)), x =>
            {
                Tensor g = x.Tensor(Readers, Rows, Width), gain = x.Tensor(Width), offsets = x.Tensor(Readers, Rows), coefficients = x.Tensor(Points, Readers, Rows);
                Tensor standardized = x.Tensor(Points, Rows, Width);
                return () => x.Device.FinishReaders(g, 0, gain, offsets, coefficients, standardized, new ReaderBlocks(Readers, Rows, Width, Points));
            });
        yield return new("Proximity", $"{Writers} writers, {Rows} x {Width}", 4.0 * Writers * Rows * Width, Float * (Writers + 1.0) * Rows * Width, x =>
        {
            Tensor input = x.Tensor(Rows, Width), outputs = x.Tensor(Writers, Rows, Width), weights = x.Tensor(Rows);
            DeviceArray<double> scores = x.Doubles(Writers);
            return () => x.Device.Proximity(input, outputs, Writers, Rows, Width, weights, new ScoreBlock(scores, 1, 0));
        });

        // Every input takes every fourth writer: a circuit of 8,000 edges.
        const int taken = Writers / 4;
        yield return new("MixInputs", $"{Readers} inputs of {taken} writers, {Rows} x {Width}", (double)Readers * taken * Rows * Width, Float * (Writers + Readers + 1.0) * Rows * Width, x =>
        {
            Tensor baseline = x.Tensor(Rows, Width), total = x.Tensor(1, Rows, Width), differences = x.Tensor(Writers, Rows, Width), output = x.Tensor(Readers, Rows, Width);
            MixPlan plan = new(
                x.Integers(Readers), x.Integers(Readers), x.Integers(Enumerable.Range(0, Readers + 1).Select(i => i * taken)),
                x.Integers(Enumerable.Range(0, Readers * taken).Select(i => ((i % taken * 4) + (i / taken)) % Writers)), Readers * taken, 1, Writers);
            return () => x.Device.MixInputs(baseline, total, differences, plan, Readers, Rows, Width, output);
        });
    }

    private static IEnumerable<OpWork> MaskWorks()
    {
        string shape = $"{Edges} edges";
        MaskLayout Layout(OpWorkOperands x) => x.Own(new MaskLayout(Edges, x.Integers(Enumerable.Range(0, Edges)), 0, x.Integers(1), x.Integers(1), Edges));

        // Ten rounds of Philox are 20 products of integers, which are no flops.
        yield return new("SampleHardConcrete", shape, 14.0 * Edges, 3 * Float * Edges, x =>
        {
            Tensor logAlpha = x.Tensor(Edges), z = x.Tensor(Edges), slope = x.Tensor(Edges);
            return () => x.Device.SampleHardConcrete(logAlpha, Edges, 1, 1, z, slope);
        });
        yield return new("PlaceMasks", shape, 0, 3 * Float * Edges, x =>
        {
            Tensor z = x.Tensor(Edges), mask = x.Tensor(Edges);
            MaskLayout layout = Layout(x);
            return () => x.Device.PlaceMasks(z, layout, mask);
        });
        yield return new("MaskGradients", shape, 3.0 * Edges, 5 * Float * Edges, x =>
        {
            Tensor z = x.Tensor(Edges), slope = x.Tensor(Edges), gradient = x.Tensor(Edges);
            MaskLayout layout = Layout(x);
            DeviceArray<double> scores = x.Doubles(Edges, 1);
            return () => x.Device.MaskGradients(scores, layout, z, slope, 1, 0.1, 0.1, gradient);
        });
        yield return new("AdamWStep", shape, 16.0 * Edges, 7 * Float * Edges, x =>
        {
            Tensor p = x.Tensor(Edges), g = x.Tensor(Edges), m = x.Tensor(Edges), v = x.Tensor(Edges);
            AdamWStepOptions options = new(1e-6, 0, 0.9, 0.999, 1e-8, 10, 1);
            return () => x.Device.AdamWStep(p, g, m, v, Edges, options);
        });
    }
}
