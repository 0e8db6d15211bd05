using System.Diagnostics;
using System.Globalization;
using System.Runtime.Intrinsics;
using CommandLine;
using Gradpath.Gpt2Runtime;
using Gradpath.Kernels;
using Gradpath.Kernels.Cpu;
using Gradpath.Programs;
using Gradpath.Programs.Reporting;

namespace Gradpath.Perf;

/// <summary>The options of <c>perf gemm</c>.</summary>
[Verb("gemm", HelpText = "The CPU's matrix product against OpenBLAS.")]
internal sealed class ProductOptions : CommandOptions
{
    [Option("quick", HelpText = "Fewer shapes.")]
    public bool Quick { get; set; }

    [Option("workers", MetaValue = "N", HelpText = "Threads (default: one, then one per core).")]
    [Range(1, 1024)]
    public int? Workers { get; set; }

    [Option("rounds", MetaValue = "N", Default = 15, HelpText = "Rounds, of ours and theirs in turn.")]
    [Range(1, 10_000)]
    public int Rounds { get; set; } = 15;

    [Option("shape", Separator = ',', MetaValue = "MxNxK[t],...", HelpText = "Products (default: those of GPT-2 small).")]
    public IEnumerable<string> Shapes { get; set; } = [];
}

/// <summary>
/// The CPU's matrix product against OpenBLAS, in one process: rounds of ours and of theirs alternate, so that both see the same clock
/// speed and the same neighbours; the ratio is that of the medians, and the best round stands beside it. On a machine with other work,
/// `taskset -c 1 ... gemm --workers 1` is the steadiest.
/// </summary>
internal static unsafe class GemmAgainstOpenBlas
{
    private const double SecondsPerRound = 0.02;

    // Both sides' idle threads spin for less than a millisecond before they sleep.
    private const int Pause = 3;

    /// <summary>Runs the comparison.</summary>
    /// <param name="o">The options.</param>
    /// <param name="cancellation">Stops it.</param>
    public static CommandReport Run(ProductOptions o, CancellationToken cancellation)
    {
        List<Shape> shapes = [.. o.Shapes.Select(Shape.Parse)];
        if (!OpenBlas.IsPresent)
        {
            throw new GradpathException("libopenblas.so.0 was not found, so there is nothing to compare with; on Debian and Ubuntu: "
                + "apt-get install libopenblas0-pthread");
        }
        if (shapes.Count == 0) shapes = Shape.OfGpt2(o.Quick);
        CommandReport report = new() { Markdown = true };
        report.Line($"OpenBLAS: {OpenBlas.Description}", ("openblas", OpenBlas.Description));
        if (Vector512.IsHardwareAccelerated && OpenBlas.Description.EndsWith("Haswell", StringComparison.Ordinal))
        {
            report.Note(
                "This OpenBLAS does not know the processor and runs its AVX2 kernels; OPENBLAS_CORETYPE=SkylakeX makes it use AVX-512.");
        }
        int workers = o.Workers ?? Environment.ProcessorCount;
        List<Line> lines = [];
        if (o.Workers is null && workers > 1) AddTable(report, lines, 1, shapes, o.Rounds, cancellation);
        AddTable(report, lines, workers, shapes, o.Rounds, cancellation);
        report.Data(ReportTable.Of("products", lines)
            .Hidden("threads", l => l.Threads)
            .Hidden("m", l => l.Shape.M).Hidden("n", l => l.Shape.N).Hidden("k", l => l.Shape.K)
            .Hidden("transposed", l => l.Shape.TransposeB)
            .Hidden("gflops", l => l.Ours.Median).Hidden("gflops_best", l => l.Ours.Best)
            .Hidden("gflops_openblas", l => l.Theirs?.Median).Hidden("gflops_openblas_best", l => l.Theirs?.Best));
        return report;
    }

    private static void AddTable(
        CommandReport report, List<Line> all, int workers, List<Shape> shapes, int rounds, CancellationToken cancellation)
    {
        using CpuDevice device = new(workers);
        OpenBlas.SetThreads(workers);
        report.Plain("");
        report.Plain($"{device.Description}; GFLOP/s, median (best) of {rounds} rounds, alternating");
        report.Plain("");
        List<Line> lines = [];
        foreach (Shape shape in shapes)
        {
            cancellation.ThrowIfCancellationRequested();
            (Rate ours, Rate theirs) = Compare(device, shape, rounds);
            lines.Add(new Line($"{shape}", workers, shape, ours, theirs));
        }
        double[] ratios = [.. lines.Select(l => l.Ours.Median / l.Theirs!.Value.Median)];
        string mean = string.Create(
            CultureInfo.InvariantCulture, $"{Math.Exp(ratios.Average(Math.Log)):F2} ({ratios.Min():F2})");
        Shape small = new(64, 256, 256, false);
        Line naive = new($"{small}, one element after the other", workers, small, Naive(device, small, rounds), null);
        report.Show(ReportTable.Of("products", lines.Cast<Line?>().Append(null).Append(naive))
            .Shows("M x N x K", l => l?.Title ?? "geometric mean (least)", right: false)
            .Shows("ours", l => $"{l?.Ours}")
            .Shows("OpenBLAS", l => $"{l?.Theirs}")
            .Shows("ratio", l => l is null ? mean : Ratio(l.Ours.Median, l.Theirs?.Median))
            .Shows("ratio of bests", l => l is null ? "" : Ratio(l.Ours.Best, l.Theirs?.Best)));
        all.AddRange(lines);
        all.Add(naive);

        static string Ratio(double ours, double? theirs) =>
            theirs is { } other ? (ours / other).ToString("F2", CultureInfo.InvariantCulture) : "";
    }

    private static (Rate Ours, Rate Theirs) Compare(CpuDevice device, Shape shape, int rounds)
    {
        using Tensor a = Random(device, shape.M, shape.K), b = Random(device, shape.K, shape.N), c = device.Allocate(shape.M, shape.N);
        Matrix left = a.AsMatrix(), target = c.AsMatrix();
        Matrix right = shape.TransposeB ? b.AsMatrix(shape.N, shape.K).T : b.AsMatrix();
        Action ours = () => device.Gemm(left, right, target);
        Action theirs = () => OpenBlas.Multiply(
            shape.M, shape.N, shape.K, (float*)a.Address, (float*)b.Address, shape.TransposeB, (float*)c.Address);
        ours();
        theirs();
        int repeats = Math.Max(1, (int)(SecondsPerRound / Math.Min(Time(ours, 1), Time(theirs, 1))));
        double[] timesOfOurs = new double[rounds], timesOfTheirs = new double[rounds];
        for (int round = -1; round < rounds; round++)
        {
            double one = Time(ours, repeats);
            Thread.Sleep(Pause);
            double other = Time(theirs, repeats);
            Thread.Sleep(Pause);
            if (round < 0) continue;
            timesOfOurs[round] = one;
            timesOfTheirs[round] = other;
        }
        return (new Rate(shape, timesOfOurs), new Rate(shape, timesOfTheirs));
    }

    private static Rate Naive(CpuDevice device, Shape shape, int rounds)
    {
        using Tensor a = Random(device, shape.M, shape.K), b = Random(device, shape.K, shape.N), c = device.Allocate(shape.M, shape.N);
        double[] times = new double[rounds];
        for (int round = 0; round < rounds; round++)
        {
            times[round] = Time(() => GemmNaive.Run(a.AsMatrix(), b.AsMatrix(), c.AsMatrix(), new GemmOptions(Batch: 1)), 1);
        }
        return new Rate(shape, times);
    }

    private static double Time(Action action, int repeats)
    {
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < repeats; i++) action();
        return Stopwatch.GetElapsedTime(start).TotalSeconds / repeats;
    }

    private static Tensor Random(CpuDevice device, int rows, int columns)
    {
        Random random = new(rows);
        float[] values = new float[rows * columns];
        for (int i = 0; i < values.Length; i++) values[i] = random.NextSingle() - 0.5f;
        return device.StoreTensor(values, rows, columns);
    }

    private sealed record Line(string Title, int Threads, Shape Shape, Rate Ours, Rate? Theirs);

    private readonly record struct Rate(double Median, double Best)
    {
        public Rate(Shape shape, double[] seconds)
            : this(shape.Flops / Middle(seconds) * 1e-9, shape.Flops / seconds.Min() * 1e-9)
        {
        }

        public override string ToString() => Median < 10 ? $"{Median:F2} ({Best:F2})" : $"{Median:F0} ({Best:F0})";

        private static double Middle(double[] values) => values.Order().ElementAt(values.Length / 2);
    }

    private readonly record struct Shape(int M, int N, int K, bool TransposeB)
    {
        public double Flops => 2.0 * M * N * K;

        /// <summary>Products of GPT-2 small: rows are tokens, widths those of the residual stream, of q, k and v, and of the MLP.</summary>
        public static List<Shape> OfGpt2(bool quick)
        {
            List<Shape> shapes = [];
            foreach (int m in (int[])(quick ? [64, 160, 512, 2048] : [64, 128, 160, 256, 512, 800, 1024, 2048]))
            {
                foreach (int n in (int[])[768, 2304, 3072])
                {
                    foreach (int k in (int[])[768, 3072])
                    {
                        if (quick && (n == 2304 || (n == 3072 && k == 3072))) continue;
                        shapes.Add(new Shape(m, n, k, false));
                    }
                }
                shapes.Add(new Shape(m, 768, 3072, true));
                if (!quick) shapes.Add(new Shape(m, 3072, 768, true));
            }
            shapes.Add(new Shape(1, 3072, 768, false));
            shapes.Add(new Shape(16, 768, 3072, false));
            shapes.Add(new Shape(160, 768, 64, false));
            shapes.Add(new Shape(160, 160, 64, true));
            shapes.Add(new Shape(1, 50257, 768, true));
            shapes.Add(new Shape(20, 50257, 768, true));
            shapes.Add(new Shape(157, 36, 122_880, true));
            return shapes;
        }

        public static Shape Parse(string text)
        {
            List<int> extents = [];
            foreach (string part in text.TrimEnd('t').Split('x'))
            {
                if (int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int extent) && extent is > 0 and <= 1 << 20)
                    extents.Add(extent);
            }
            return extents is [int m, int n, int k] && text.Count(c => c == 'x') == 2 && (long)m * n <= 1 << 28 && (long)n * k <= 1 << 28
                && (long)m * k <= 1 << 28
                ? new Shape(m, n, k, text.EndsWith('t'))
                : throw new UsageException($"--shape {text}: give rows, columns and inner width of a product of at most 1 GiB a matrix, "
                    + "such as 160x768x3072, with t behind it where the second matrix is transposed.");
        }

        public override string ToString() => $"{M} x {N} x {K}{(TransposeB ? ", B transposed" : "")}";
    }
}
